/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const int level_syslog[] = {3, 4, 6, 7};

static uint64_t clock_ms(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void log_init(struct log *log, int fd, const char *node)
{
    memset(log, 0, sizeof(*log));
    log->fd = fd;
    log->level = HG_LOG_INFO;
    snprintf(log->node, sizeof(log->node), "%s", node);
    log->tokens_ms = LOG_BURST * 1000;
    log->last_ms = clock_ms(CLOCK_MONOTONIC);
    log->journal = getenv("JOURNAL_STREAM") != NULL;
    /* O_NONBLOCK belongs to the open file, which the shell or the parent shares: open our own */
    struct stat st;
    if (fstat(fd, &st) == 0 && !S_ISSOCK(st.st_mode)) {
        /* What others write through theirs (a start error on stderr) must not lie over our lines, nor ours
         * over it. */
        int flags = S_ISREG(st.st_mode) ? fcntl(fd, F_GETFL) : -1;
        if (flags >= 0 && !(flags & O_APPEND))
            fcntl(fd, F_SETFL, flags | O_APPEND);
        char path[32];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        int own = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (own >= 0) {
            log->fd = own;
            log->own_fd = true;
        }
    }
}

void log_close(struct log *log)
{
    if (log->own_fd)
        close(log->fd);
    log->own_fd = false;
    log->fd = STDERR_FILENO;
}

unsigned log_render(char *out, unsigned size, const char *text, const struct slice *args, unsigned n)
{
    unsigned at = 0, arg = 0;

    for (const char *p = text; *p && at + 1 < size; p++) {
        if (p[0] == '{' && p[1] == '}') {
            struct slice s = arg < n ? args[arg] : SLICE_LIT("?");
            unsigned room = size - 1 - at;
            unsigned len = s.len < room ? s.len : room;
            memcpy(out + at, s.p, len);
            at += len;
            arg++;
            p++;
        } else {
            out[at++] = *p;
        }
    }
    out[at] = '\0';
    return at;
}

static unsigned escape(char *out, unsigned size, const char *text, bool json)
{
    unsigned at = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p && at + 7 < size; p++) {
        if (json && (*p == '"' || *p == '\\')) {
            out[at++] = '\\';
            out[at++] = (char)*p;
        } else if (*p < 0x20 || *p == 0x7f || (json && *p >= 0x80)) {
            at += (unsigned)snprintf(out + at, 7, json ? "\\u%04x" : "\\x%02x", *p);
        } else {
            out[at++] = (char)*p;
        }
    }
    out[at] = '\0';
    return at;
}

unsigned log_line(const struct log *log, char *out, unsigned size, uint64_t unix_ms, enum hg_log_level level,
                  int core, const char *event, const char *text, uint32_t suppressed)
{
    char clean[LOG_LINE_MAX], when[40], who[24] = "", more[48] = "";
    struct tm tm;
    time_t seconds = (time_t)(unix_ms / 1000);

    gmtime_r(&seconds, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
    escape(clean, size - 300 < sizeof(clean) ? size - 300 : sizeof(clean), text, log->json);
    int n;
    if (log->json) {
        if (core >= 0)
            snprintf(who, sizeof(who), ",\"core\":%d", core);
        if (suppressed)
            snprintf(more, sizeof(more), ",\"suppressed\":%u", suppressed);
        n = snprintf(out, size,
                     "{\"time\":\"%s.%03uZ\",\"level\":\"%s\",\"node\":\"%s\"%s,\"event\":\"%s\","
                     "\"message\":\"%s\"%s}\n",
                     when, (unsigned)(unix_ms % 1000), level_names[level], log->node, who, event, clean,
                     more);
    } else {
        char prefix[8] = "";
        if (log->journal)
            snprintf(prefix, sizeof(prefix), "<%d>", level_syslog[level]);
        if (core >= 0)
            snprintf(who, sizeof(who), " core %d", core);
        if (suppressed)
            snprintf(more, sizeof(more), " (%u more not shown)", suppressed);
        n = snprintf(out, size, "%s%s.%03uZ %s %s%s %s: %s%s\n", prefix, when, (unsigned)(unix_ms % 1000),
                     level_names[level], log->node, who, event, clean, more);
    }
    return n < (int)size ? (unsigned)n : size - 1;
}

static bool put(struct log *log, const char *line, unsigned len)
{
    ssize_t n = send(log->fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK)
        n = write(log->fd, line, len);
    return n >= 0;
}

void log_write(struct log *log, enum hg_log_level level, int core, const char *event, const char *text,
               uint32_t suppressed)
{
    if (level > log->level)
        return;
    uint64_t now = clock_ms(CLOCK_MONOTONIC);
    log->tokens_ms += (now - log->last_ms) * LOG_RATE;
    if (log->tokens_ms > LOG_BURST * 1000)
        log->tokens_ms = LOG_BURST * 1000;
    log->last_ms = now;
    if (log->tokens_ms < 1000) {
        log->suppressed += 1 + suppressed;
        return;
    }
    log->tokens_ms -= 1000;

    char line[LOG_LINE_MAX];
    if (log->suppressed) {
        char note[64];
        snprintf(note, sizeof(note), "%llu log lines were left out", (unsigned long long)log->suppressed);
        unsigned len = log_line(log, line, sizeof(line), clock_ms(CLOCK_REALTIME), HG_LOG_WARNING, -1,
                                "log_suppressed", note, 0);
        if (put(log, line, len))
            log->suppressed = 0;
    }
    unsigned len =
        log_line(log, line, sizeof(line), clock_ms(CLOCK_REALTIME), level, core, event, text, suppressed);
    if (!put(log, line, len))
        log->suppressed += 1 + suppressed;
}

void log_printf(struct log *log, enum hg_log_level level, const char *event, const char *fmt, ...)
{
    char text[LOG_LINE_MAX - 400];
    va_list ap;

    if (level > log->level)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_write(log, level, -1, event, text, 0);
}
