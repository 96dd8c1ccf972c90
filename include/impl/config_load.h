/* SPDX-License-Identifier: BSD-2-Clause */
/* Complaints about a configuration file. */
#ifndef HG_IMPL_CONFIG_LOAD_H
#define HG_IMPL_CONFIG_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct hg_config_source;

struct config_errors {
    FILE *out;        /* NULL = counted only */
    const char *file; /* its name in messages */
    const struct hg_config_source *source;
    unsigned n;
};

/* "file:line: path: what; expected ...". line 0, path NULL, expected NULL: left out. */
void config_error(struct config_errors *errors, uint32_t line, const char *path, const char *what,
                  const char *expected);
/* Text of a stranger in quotes, short and without control characters. */
void config_quote(const char *text, char *out, size_t size);
/* Keeps in *nearest and *best the candidate that is like name, if any is near enough. */
void config_nearest(const char *name, const char *candidate, const char **nearest, unsigned *best);
/* What libconfig would choke on or act upon: NUL bytes, @include. */
bool config_text_ok(const char *text, size_t len, struct config_errors *errors);
/* A copy that is good for libconfig, in which integers beyond 32 bits have the suffix that it wants: it would
 * cut them to what fits. free() it. */
char *config_text_wide(const char *text);

#endif
