/* SPDX-License-Identifier: BSD-2-Clause */
/* Between settings.c and publish.c only. */
#ifndef CONTROLPLANE_SETTINGS_SETTINGS_IMPL_H
#define CONTROLPLANE_SETTINGS_SETTINGS_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/config.h"
#include "hg/slice.h"
#include "store/version.h"

struct controlplane;
struct config_field;

struct setting {
    char *path, *value; /* one allocation */
    struct record_version version;
    bool mark;
    bool foreign;  /* in force, and not what this node's file says */
    bool unusable; /* the record has something that is no text: only its version counts */
};

struct settings {
    struct hg_config *file; /* as it was read, without the record */
    struct setting *one;
    uint32_t n;       /* at most two of each item and list that there is */
    uint32_t unknown; /* entries of the last load that are of none */
    bool dirty;       /* something came from the record */
    bool publish;     /* the file was read since it was published */
    bool publishing;
    bool again;                  /* a publication met somebody else's change: */
    struct record_version begun; /* ... what was known when it was tried first */
};

struct setting *settings_find(struct settings *s, struct slice path);
const struct setting *settings_entry(struct settings *s, const char *prefix, const char *path);
const char *settings_value(struct settings *s, const char *prefix, const char *path); /* NULL: none */
const struct config_field *settings_item(const char *path);         /* NULL: not of the record */
bool settings_said(const struct hg_config *file, const char *path); /* the file mentions it */
/* The record's values over those of the file. */
void settings_overlay(struct controlplane *cp, struct hg_config *config);
bool settings_is_list(const char *path);
bool settings_put(struct hg_config *config, const char *path, const char *value); /* false: not this value */

#endif
