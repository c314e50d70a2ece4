#ifndef RETORT_CTORCH_H
#define RETORT_CTORCH_H
#endif
