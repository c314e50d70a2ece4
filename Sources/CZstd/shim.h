#ifndef RETORT_CZSTD_H
#define RETORT_CZSTD_H

#include <zstd.h>
#include <zstd_errors.h>

#endif
