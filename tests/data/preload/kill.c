/* Kills the process that it is loaded into at one of its calls: before it, in the middle, or after it.
 *
 * Counted are the calls that change or read something, by phase. The phase follows from what is done, and to what: a
 * socket, the cache, a file that is staged, `out_dir`, the directory of the package lock. Without a call to die at, the
 * counts of the whole run are written down.
 *
 *   CHILD_OUT, CHILD_CACHE, CHILD_LOCK   where things are
 *   KILL_LOG                             a file that is told what was counted, or where the end came
 *   KILL_PHASE, KILL_CALL, KILL_HOW      fetching..., from 0, before | middle | after
 *   KILL_BYTES                           or: once so many bytes have come over sockets
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum phase { FETCHING, VERIFYING, PUBLISHING, LOCKING, PHASES };
enum place { ELSEWHERE, SOCKET, CACHE, STAGED, OUT, PACKAGE };
/* What is done: bytes are read, bytes are written, a name or a time is given or taken. */
enum act { READS, WRITES, NAMES };
enum how { BEFORE, MIDDLE, AFTER };

static const char *const phases[] = {"fetching", "verifying", "publishing", "locking"};
static const char *const hows[] = {"before", "middle", "after"};

static const char *out, *cache;
static char package[4096];
static int target = PHASES, how;
static long target_call, target_bytes;
static atomic_long calls[PHASES], received;
static char places[4096];

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

static int choice(const char *name, const char *const *names, int n) {
    const char *value = getenv(name);
    int at = 0;
    while (at < n && value && strcmp(value, names[at]) != 0) at++;
    return value ? at : n;
}

static long number(const char *name) {
    const char *value = getenv(name);
    return value ? atol(value) : 0;
}

__attribute__((constructor)) static void begin(void) {
    out = getenv("CHILD_OUT");
    cache = getenv("CHILD_CACHE");
    const char *lock = getenv("CHILD_LOCK");
    if (lock) {
        snprintf(package, sizeof package, "%s", lock);
        *strrchr(package, '/') = 0;
    }
    target = choice("KILL_PHASE", phases, PHASES);
    how = choice("KILL_HOW", hows, 3);
    target_call = number("KILL_CALL");
    target_bytes = number("KILL_BYTES");
}

static void tell(const char *text, size_t length) {
    const char *log = getenv("KILL_LOG");
    if (!log) return;
    int fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0 || REAL(write)(fd, text, length) < 0) abort();
    REAL(close)(fd);
}

__attribute__((destructor)) static void end(void) {
    char text[256];
    int length = 0;
    for (int phase = 0; phase < PHASES; phase++)
        length += snprintf(text + length, sizeof text - length, "%s %ld\n", phases[phase], calls[phase]);
    length += snprintf(text + length, sizeof text - length, "received %ld\n", received);
    tell(text, length);
}

static void die(const char *phase, const char *how, const char *call) {
    char text[256];
    tell(text, snprintf(text, sizeof text, "killed %s %s %s\n", phase, how, call));
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Whether `path` is in `dir`. */
static const char *below(const char *path, const char *dir) {
    size_t n = dir ? strlen(dir) : 0;
    return n && strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]) ? path + n : NULL;
}

static enum place place_at(int dir, const char *path) {
    const char *rest = path;
    if (*path == '/') {
        if (below(path, cache)) return CACHE;
        if (*package && below(path, package)) return PACKAGE;
        rest = below(path, out);
        if (!rest) return ELSEWHERE;
    } else {
        enum place place = dir >= 0 && dir < (int)sizeof places ? places[dir] : ELSEWHERE;
        if (place != OUT) return place;
    }
    const char *staging = strstr(rest, ".vendor-model-");
    return staging && strchr(staging, '/') ? STAGED : OUT;
}

static enum place place_of(int fd) { return fd >= 0 && fd < (int)sizeof places ? places[fd] : ELSEWHERE; }

static int opened(int fd, enum place place) {
    if (fd >= 0 && fd < (int)sizeof places) places[fd] = place;
    return fd;
}

static enum phase phase_of(enum act act, enum place place) {
    switch (place) {
    case SOCKET:
    case CACHE: return FETCHING;
    case STAGED: return act == READS ? VERIFYING : act == WRITES ? FETCHING : PUBLISHING;
    case OUT: return act == READS ? VERIFYING : PUBLISHING;
    case PACKAGE: return act == READS ? PHASES : LOCKING;
    default: return PHASES;
    }
}

/* A call, and whether the process is to die at it. */
struct fate {
    enum phase phase;
    int now;
    const char *call;
};

/* Counts a call; it is not made if the process is to die before it. */
static struct fate meet(enum act act, enum place place, const char *call) {
    struct fate fate = {phase_of(act, place), 0, call};
    if (fate.phase == PHASES) return fate;
    fate.now = atomic_fetch_add(&calls[fate.phase], 1) == target_call && (int)fate.phase == target;
    if (fate.now && how == BEFORE) die(phases[fate.phase], hows[how], call);
    return fate;
}

static void pass(struct fate fate) {
    if (fate.now) die(phases[fate.phase], hows[how], fate.call);
}

/* How much of `n` is done: half of it, if the process dies in the middle. */
static size_t share(struct fate fate, size_t n) { return fate.now && how == MIDDLE && n > 1 ? n / 2 : n; }

#define MAKE(type, meeting, done)  \
    struct fate fate = (meeting);  \
    type result = (done);          \
    pass(fate);                    \
    return result

static int open_at(int dir, const char *path, int flags, mode_t mode) {
    enum place place = place_at(dir, path);
    if (!(flags & (O_CREAT | O_TRUNC))) return opened(REAL(openat)(dir, path, flags, mode), place);
    MAKE(int, meet(WRITES, place, "open"), opened(REAL(openat)(dir, path, flags, mode), place));
}

#define MODE                                 \
    va_list rest;                            \
    va_start(rest, flags);                   \
    mode_t mode = va_arg(rest, mode_t);      \
    va_end(rest)

int open(const char *path, int flags, ...) {
    MODE;
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE;
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...) {
    MODE;
    return open_at(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...) {
    MODE;
    return open_at(dir, path, flags, mode);
}

int socket(int domain, int type, int protocol) { return opened(REAL(socket)(domain, type, protocol), SOCKET); }

int close(int fd) {
    opened(fd, ELSEWHERE);
    return REAL(close)(fd);
}

ssize_t read(int fd, void *bytes, size_t n) {
    MAKE(ssize_t, meet(READS, place_of(fd), "read"), REAL(read)(fd, bytes, n));
}

ssize_t recv(int fd, void *bytes, size_t n, int flags) {
    struct fate fate = meet(READS, place_of(fd), "recv");
    ssize_t result = REAL(recv)(fd, bytes, n, flags);
    pass(fate);
    long sum = result > 0 ? atomic_fetch_add(&received, result) + result : 0;
    if (target_bytes && sum >= target_bytes) die(phases[FETCHING], hows[AFTER], "recv");
    return result;
}

ssize_t write(int fd, const void *bytes, size_t n) {
    MAKE(ssize_t, meet(WRITES, place_of(fd), "write"), REAL(write)(fd, bytes, share(fate, n)));
}

ssize_t send(int fd, const void *bytes, size_t n, int flags) {
    MAKE(ssize_t, meet(WRITES, place_of(fd), "send"), REAL(send)(fd, bytes, share(fate, n), flags));
}

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *to_at, size_t n, unsigned flags) {
    /* More is asked for than there is. */
    struct stat found;
    if (fstat(from, &found) == 0 && n > (size_t)found.st_size) n = found.st_size;
    MAKE(ssize_t, meet(WRITES, place_of(to), "copy_file_range"),
         REAL(copy_file_range)(from, at, to, to_at, share(fate, n), flags));
}

int ftruncate64(int fd, off64_t length) {
    MAKE(int, meet(WRITES, place_of(fd), "ftruncate"), REAL(ftruncate64)(fd, length));
}

int futimens(int fd, const struct timespec times[2]) {
    MAKE(int, meet(NAMES, place_of(fd), "futimens"), REAL(futimens)(fd, times));
}

int rename(const char *from, const char *to) {
    MAKE(int, meet(NAMES, place_at(AT_FDCWD, to), "rename"), REAL(rename)(from, to));
}

int unlink(const char *path) {
    MAKE(int, meet(NAMES, place_at(AT_FDCWD, path), "unlink"), REAL(unlink)(path));
}

int unlinkat(int dir, const char *path, int flags) {
    MAKE(int, meet(NAMES, place_at(dir, path), "unlinkat"), REAL(unlinkat)(dir, path, flags));
}

int mkdir(const char *path, mode_t mode) {
    MAKE(int, meet(NAMES, place_at(AT_FDCWD, path), "mkdir"), REAL(mkdir)(path, mode));
}

int rmdir(const char *path) {
    MAKE(int, meet(NAMES, place_at(AT_FDCWD, path), "rmdir"), REAL(rmdir)(path));
}
