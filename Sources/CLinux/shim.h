#ifndef RETORT_CLINUX_H
#define RETORT_CLINUX_H

// The C library declares this only under _GNU_SOURCE, which Swift's Glibc module is built without.
// Flushes the file system that the open file lies on; 0, or -1 and errno.
int syncfs(int fd);

#endif
