/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines of the node for the journal, as text or JSON. Writing never blocks: what the reader does not take
 * is counted and said later. Both the cores' records and the control plane's own messages end here. */
#ifndef CONTROLPLANE_LOG_LOG_H
#define CONTROLPLANE_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/log.h"
#include "hg/slice.h"

#define LOG_LINE_MAX 2048
#define LOG_ARGS_MAX 16
#define LOG_RATE     100 /* lines per second, all sources together */
#define LOG_BURST    400

struct log {
    int fd;
    bool own_fd; /* reopened by us, to be closed */
    bool json;
    bool journal; /* lines carry the "<level>" prefix of the journal */
    enum hg_log_level level;
    char node[65];
    uint64_t tokens_ms; /* bucket, in 1/1000 line */
    uint64_t last_ms;
    uint64_t suppressed; /* by the bucket or by a reader that does not read */
};

/* fd is written to; it is reopened non-blocking where the kernel allows */
void log_init(struct log *log, int fd, const char *node);
void log_close(struct log *log);

/* core: -1 for the control plane's own messages */
void log_write(struct log *log, enum hg_log_level level, int core, const char *event, const char *text,
               uint32_t suppressed);
void log_printf(struct log *log, enum hg_log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A core's record: text of logs.def with each {} replaced. Returns the length, cut to size - 1. */
unsigned log_render(char *out, unsigned size, const char *text, const struct slice *args, unsigned n);
/* One whole line with its newline. Control characters never pass: they come out escaped. */
unsigned log_line(const struct log *log, char *out, unsigned size, uint64_t unix_ms, enum hg_log_level level,
                  int core, const char *event, const char *text, uint32_t suppressed);

#endif
