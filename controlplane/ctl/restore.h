/* SPDX-License-Identifier: BSD-2-Clause */
/* hgctl restore: what it knows of the file and of the record that is there (restore_look.c), and what follows
 * from that (restore_judge.c), before the first entry is written (restore.c). */
#ifndef HG_CTL_RESTORE_H
#define HG_CTL_RESTORE_H

#include <stdint.h>

#include "ctl/ctl.h"

struct restore {
    struct ctl *ctl;
    const char *path;
    bool force, dry, yes;
    /* the file */
    uint64_t *key; /* of every entry, in order */
    size_t keys, room;
    char record[64], cluster[80];
    json_t *nodes; /* names -> null */
    json_int_t total;
    /* the record that is there */
    char record_here[64], cluster_here[80];
    json_t *nodes_here; /* names -> null */
    json_t *ha_here;    /* subclusters with high availability on -> null */
    json_int_t extra;   /* entries that the file does not have */
    /* what it means */
    json_t *warnings; /* texts */
    /* the work */
    json_t *items;
    size_t bytes; /* of the values in items */
    json_int_t written, removed;
};

int restore_refuse(struct restore *r, const char *why);

/* The whole file is right. */
int restore_check_file(struct restore *r);
bool restore_has(const struct restore *r, const char *table, const char *field);
/* What the record has: refused when administrators made something of it and it is not to be replaced. */
int restore_look(struct restore *r);
typedef int restore_entry_fn(struct restore *r, const char *table, json_t *field, json_t *value);
/* Every entry of a table of the record, page by page, until one is not CTL_DONE. */
int restore_each(struct restore *r, const char *table, restore_entry_fn *each);

/* Fills warnings; then asks, where somebody is there who can be asked. CTL_REFUSED: it is not to be done. */
void restore_judge(struct restore *r);
int restore_agreed(struct restore *r);

#endif
