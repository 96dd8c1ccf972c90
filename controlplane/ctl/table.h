/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON as tables and lines for people. What comes from the network prints without control characters. */
#ifndef HG_CTL_TABLE_H
#define HG_CTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct column {
    const char *title;
    const char *member; /* of each row; "a/b" goes one deeper */
    bool right;
};

/* rows: an array of objects */
void table_print(FILE *out, json_t *rows, const struct column *columns, unsigned n);
/* "a/b" of an object, or NULL */
json_t *table_member(json_t *object, const char *path);
/* A value as short text: lists with commas, null as "-". size >= 2. */
void table_text(json_t *value, char *out, size_t size);
/* "name: value", where the value is there. */
void table_line(FILE *out, const char *title, json_t *value);
/* The letter behind "1 core", "2 cores". */
const char *table_plural(long long n);
/* Replaces control characters in place. */
void table_clean(char *text);

#endif
