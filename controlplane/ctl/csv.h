/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of comma separated values (RFC 4180): quoted fields may hold commas and quotes, but no line breaks:
 * nothing that is read here has any, and a quote that is not closed spoils its own line only. */
#ifndef HG_CTL_CSV_H
#define HG_CTL_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CSV_FIELDS_MAX 24
#define CSV_ROW_MAX    16384

struct csv {
    FILE *in;
    uint32_t line; /* where the row begins, from 1 */
    uint32_t next;
    unsigned n;
    char *field[CSV_FIELDS_MAX];
    char text[CSV_ROW_MAX];
};

enum csv_result { CSV_ROW, CSV_WRONG, CSV_NO_TEXT, CSV_END };

void csv_open(struct csv *csv, FILE *in);
/* The next row that is not empty. CSV_WRONG: why says what; the next call goes on behind its line.
 * CSV_NO_TEXT: there is a NUL byte in it, so this is another kind of file. */
enum csv_result csv_next(struct csv *csv, const char **why);
/* One field, quoted where it has to be. */
void csv_put(FILE *out, const char *field);

#endif
