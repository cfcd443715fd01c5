/* Notes in a file what a process asks the system to do with the files of one folder, and does it.
 *
 * Preloaded into a process that runs the SQLite that Python really uses: what is noted is what that library does, not
 * what a test double of it would. The folder is POWERCUT_FOLDER, the notes go to POWERCUT_LOG. A note is little-endian:
 *
 *     1  what: 'W' write, 'T' truncate, 'S' sync, 'C' create, 'U' unlink, 'R' rename, 'D' sync of the folder, 'M' mark
 *     2  length of the name
 *     8  offset, or the length after a truncation
 *     4  length of the data
 *        name (in the folder), data (what is written; the new name of a rename; the text of a mark)
 *
 * A mark is a write to the file `mark`: the process says what it has acknowledged.
 *
 * It also lets calls fail. Where POWERCUT_FAIL is `NUMBER ERRNO TIMES`, the calls on the folder's files from that number
 * on (the first is 1; marks don't count) return that error, so many times, without having been made; 0 times means all of
 * them. A write that fails may have been made in part, as on a disk that fills up: ERRNO below 0 makes the first one write
 * half and say so. A call that fails is not noted; the number of all calls is written to POWERCUT_CALLS at the end.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096

static char *names[FILES]; /* name in the folder of each open file, "" for the folder itself, null for others */
static off_t places[FILES];
static int log_file = -1;
static char folder[PATH_MAX];

#define REAL(type, name, ...)                                   \
    static type (*real)(__VA_ARGS__);                           \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static void raw_write(const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    while (size > 0) {
        ssize_t done = real(log_file, data, size);
        if (done <= 0) _exit(97);
        data = (const char *)data + done;
        size -= (size_t)done;
    }
}

static long calls, fail_at, fail_times;
static int fail_with;

/* Counts a call on one of the folder's files, and tells whether it is to fail: 1 wholly, 2 having done half. */
static int fails(const char *name) {
    if (log_file < 0 || !name || strcmp(name, "mark") == 0) return 0;
    calls++;
    if (!fail_at || calls < fail_at || (fail_times && calls >= fail_at + fail_times)) return 0;
    errno = fail_with < 0 ? -fail_with : fail_with;
    return fail_with < 0 && calls == fail_at ? 2 : 1;
}

__attribute__((destructor)) static void end(void) {
    const char *to = getenv("POWERCUT_CALLS");
    FILE *file = to ? fopen(to, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld\n", calls);
    fclose(file);
}

static void note(char what, const char *name, uint64_t offset, const void *data, uint32_t size) {
    if (log_file < 0) return;
    uint16_t length = (uint16_t)strlen(name);
    char head[15];
    head[0] = what;
    memcpy(head + 1, &length, 2);
    memcpy(head + 3, &offset, 8);
    memcpy(head + 11, &size, 4);
    raw_write(head, sizeof head);
    raw_write(name, length);
    if (size) raw_write(data, size);
}

__attribute__((constructor)) static void begin(void) {
    const char *in = getenv("POWERCUT_FOLDER"), *to = getenv("POWERCUT_LOG");
    if (!in || !to || !realpath(in, folder)) return;
    const char *fail = getenv("POWERCUT_FAIL");
    if (fail) sscanf(fail, "%ld %d %ld", &fail_at, &fail_with, &fail_times);
    REAL(int, "open", const char *, int, ...);
    log_file = real(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The name of a path in the folder, "" for the folder itself, null for any other. */
static const char *inside(const char *path) {
    static __thread char whole[PATH_MAX * 2];
    size_t length = strlen(folder);
    if (log_file < 0 || !path) return NULL;
    if (path[0] == '/') {
        snprintf(whole, sizeof whole, "%s", path);
    } else {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here)) return NULL;
        snprintf(whole, sizeof whole, "%s/%s", here, path);
    }
    if (strncmp(whole, folder, length) != 0) return NULL;
    if (whole[length] == 0) return "";
    return whole[length] == '/' ? whole + length + 1 : NULL;
}

static const char *name_of(int file) { return file >= 0 && file < FILES ? names[file] : NULL; }

static int opened(int file, const char *path, int was_there) {
    const char *name = inside(path);
    if (file >= 0 && file < FILES) {
        free(names[file]);
        names[file] = name ? strdup(name) : NULL;
        places[file] = 0;
        if (name && *name && !was_there) note('C', name, 0, NULL, 0);
    }
    return file;
}

static int exists(const char *path) {
    struct stat found;
    return inside(path) && stat(path, &found) == 0;
}

#define OPEN(name)                                                      \
    int name(const char *path, int flags, ...) {                        \
        REAL(int, #name, const char *, int, ...);                       \
        mode_t mode = 0;                                                \
        if (flags & O_CREAT) {                                          \
            va_list rest;                                               \
            va_start(rest, flags);                                      \
            mode = va_arg(rest, mode_t);                                \
            va_end(rest);                                               \
        }                                                               \
        int was_there = exists(path);                                   \
        if ((flags & O_CREAT) && !was_there && fails(inside(path))) return -1; \
        int file = opened(real(path, flags, mode), path, was_there);    \
        const char *known = name_of(file);                              \
        if (known && *known && was_there && (flags & O_TRUNC)) note('T', known, 0, NULL, 0); \
        return file;                                                    \
    }
OPEN(open)
OPEN(open64)

int openat(int at, const char *path, int flags, ...) {
    REAL(int, "openat", int, const char *, int, ...);
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    int was_there = exists(path);
    return opened(real(at, path, flags, mode), path, was_there);
}

int close(int file) {
    REAL(int, "close", int);
    if (file >= 0 && file < FILES) {
        free(names[file]);
        names[file] = NULL;
    }
    return real(file);
}

static void wrote(int file, const void *data, ssize_t size, off_t offset) {
    const char *name = name_of(file);
    if (!name || size <= 0) return;
    note(strcmp(name, "mark") == 0 ? 'M' : 'W', name, (uint64_t)offset, data, (uint32_t)size);
}

ssize_t write(int file, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    const char *name = name_of(file);
    off_t offset = name ? lseek(file, 0, SEEK_CUR) : 0;
    int failing = fails(name);
    if (failing == 1) return -1;
    if (failing == 2) size = size / 2;
    ssize_t done = real(file, data, size);
    if (name) wrote(file, data, done, offset);
    return done;
}

#define PWRITE(name)                                                    \
    ssize_t name(int file, const void *data, size_t size, off_t offset) { \
        REAL(ssize_t, #name, int, const void *, size_t, off_t);         \
        int failing = fails(name_of(file));                             \
        if (failing == 1) return -1;                                    \
        if (failing == 2) size = size / 2;                              \
        ssize_t done = real(file, data, size, offset);                  \
        wrote(file, data, done, offset);                                \
        return done;                                                    \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t read(int file, void *data, size_t size) {
    REAL(ssize_t, "read", int, void *, size_t);
    if (fails(name_of(file))) return -1;
    return real(file, data, size);
}

#define PREAD(name)                                                     \
    ssize_t name(int file, void *data, size_t size, off_t offset) {     \
        REAL(ssize_t, #name, int, void *, size_t, off_t);               \
        if (fails(name_of(file))) return -1;                            \
        return real(file, data, size, offset);                          \
    }
PREAD(pread)
PREAD(pread64)

#define TRUNCATE(name)                                                  \
    int name(int file, off_t size) {                                    \
        REAL(int, #name, int, off_t);                                   \
        if (fails(name_of(file))) return -1;                            \
        int failed = real(file, size);                                  \
        const char *known = name_of(file);                              \
        if (!failed && known) note('T', known, (uint64_t)size, NULL, 0); \
        return failed;                                                  \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(name)                                                      \
    int name(int file) {                                                \
        REAL(int, #name, int);                                          \
        if (fails(name_of(file))) return -1;                            \
        int failed = real(file);                                        \
        const char *known = name_of(file);                              \
        if (!failed && known) note(*known ? 'S' : 'D', known, 0, NULL, 0); \
        return failed;                                                  \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    const char *name = inside(path);
    if (fails(name)) return -1;
    int failed = real(path);
    if (!failed && name) note('U', name, 0, NULL, 0);
    return failed;
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    char old[PATH_MAX];
    const char *name = inside(from);
    if (name) snprintf(old, sizeof old, "%s", name);
    const char *new = inside(to);
    int failed = real(from, to);
    if (!failed && name && new) note('R', old, 0, new, (uint32_t)strlen(new));
    return failed;
}
