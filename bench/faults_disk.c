/* A disk that fails on demand, below Python and SQLite: preloaded by bench/faults.py, told by ctypes.
   Counts calls by kind for paths below a folder, and fails those from `at` on, `lasts` of them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { WRITE, SYNC, TRUNCATE, OPEN, PATH, KINDS };
static char folder[4096];
static volatile int is_on, planned = -1;
static volatile long counts[KINDS], at, lasts, struck;

void disk_below(const char *path) { snprintf(folder, sizeof folder, "%s", path); }
void disk_on(int yes) { is_on = yes; }
long disk_count(int kind) { return counts[kind]; }
long disk_struck(void) { return struck; }
void disk_plan(int kind, long from, long times) {
    memset((void *)counts, 0, sizeof counts);
    planned = kind, at = from, lasts = times, struck = 0;
}

static int fails(int kind, const char *path) {
    if (!path || strncmp(path, folder, strlen(folder))) return 0;
    long number = __sync_add_and_fetch(&counts[kind], 1);
    if (kind != planned || number < at || number >= at + lasts) return 0;
    __sync_add_and_fetch(&struck, 1);
    return 1;
}
static int fd_fails(int kind, int fd) {
    if (!is_on) return 0;
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(kind, path);
}
#define REAL(result, name, ...) static result (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, name)
#define FAIL(code) do { errno = code; return -1; } while (0)

#define WRITES(name, off) ssize_t name(int fd, const void *from, size_t size, off to) { \
    REAL(ssize_t, #name, int, const void *, size_t, off); if (fd_fails(WRITE, fd)) FAIL(ENOSPC); return real(fd, from, size, to); }
WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)
ssize_t write(int fd, const void *from, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (fd_fails(WRITE, fd)) FAIL(ENOSPC);
    return real(fd, from, size);
}
int fsync(int fd) { REAL(int, "fsync", int); if (fd_fails(SYNC, fd)) FAIL(EIO); return real(fd); }
int fdatasync(int fd) { REAL(int, "fdatasync", int); if (fd_fails(SYNC, fd)) FAIL(EIO); return real(fd); }
int ftruncate(int fd, off_t to) { REAL(int, "ftruncate", int, off_t); if (fd_fails(TRUNCATE, fd)) FAIL(EIO); return real(fd, to); }
int ftruncate64(int fd, off64_t to) { REAL(int, "ftruncate64", int, off64_t); if (fd_fails(TRUNCATE, fd)) FAIL(EIO); return real(fd, to); }
#define OPENS(name) int name(const char *path, int flags, ...) { \
    va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
    REAL(int, #name, const char *, int, ...); if (is_on && fails(OPEN, path)) FAIL(EMFILE); return real(path, flags, mode); }
OPENS(open)
OPENS(open64)
int unlink(const char *path) { REAL(int, "unlink", const char *); if (is_on && fails(PATH, path)) FAIL(EIO); return real(path); }
int mkdir(const char *path, mode_t mode) { REAL(int, "mkdir", const char *, mode_t); if (is_on && fails(PATH, path)) FAIL(ENOSPC); return real(path, mode); }
int rename(const char *from, const char *to) { REAL(int, "rename", const char *, const char *); if (is_on && fails(PATH, from)) FAIL(ENOSPC); return real(from, to); }
