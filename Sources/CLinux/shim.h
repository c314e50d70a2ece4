#ifndef RETORT_CLINUX_H
#define RETORT_CLINUX_H

// The C library declares these only under _GNU_SOURCE, which Swift's Glibc module is built without.
// Flushes the file system that the open file lies on; 0, or -1 and errno.
int syncfs(int fd);

// Likewise. Starts writing pages of the open file to the disk and does not wait (flags 2: SYNC_FILE_RANGE_WRITE).
int sync_file_range(int fd, long offset, long nbytes, unsigned int flags);

// Likewise. With flags 2 (RENAME_EXCHANGE) the two paths change places in one step; -1 and errno EINVAL where the file
// system cannot.
int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned int flags);

// Likewise. With mode 1 (FALLOC_FL_KEEP_SIZE) takes room on the disk for what will be written there, and leaves the file's
// size alone; -1 and errno EOPNOTSUPP where the file system cannot.
int fallocate(int fd, int mode, long offset, long len);

// Settings of the C library's allocator (M_MMAP_THRESHOLD -3, M_ARENA_MAX -8); 1, or 0 where it knows no such setting.
int mallopt(int setting, int value);

// Gives the system back what is free at the ends and within the heaps, but for `pad` bytes; 1 where there was something.
int malloc_trim(unsigned long pad);

#endif
