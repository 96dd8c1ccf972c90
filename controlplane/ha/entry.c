/* SPDX-License-Identifier: BSD-2-Clause */
/* The entry of hg:{<cluster>}:ha as text: key=value, then what people read behind a bar. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ha/srm.h"

enum srm_state srm_entry_state(const struct srm_entry *entry, unsigned slot)
{
    return (enum srm_state)srm_row_info[entry->row].state[(slot ^ entry->flip) & 1];
}

enum srm_reason srm_entry_reason(const struct srm_entry *entry, unsigned slot)
{
    return (enum srm_reason)srm_row_info[entry->row].reason[(slot ^ entry->flip) & 1];
}

size_t srm_entry_text(const struct srm_entry *entry, char out[SRM_ENTRY_TEXT])
{
    int n = snprintf(
        out, SRM_ENTRY_TEXT,
        "epoch=%" PRIu64 " row=%s flip=%u ha=%u armed=%u serves=%u,%u moved=%" PRIu64 ",%" PRIu64
        " lease=%u,%u by=%u since=%" PRIu64 " | %s: %s / %s, %s / %s",
        entry->epoch, srm_row_id(entry->row), entry->flip, entry->ha, entry->armed, entry->serves[0],
        entry->serves[1], entry->moved[0], entry->moved[1], entry->lease[0], entry->lease[1], entry->by,
        entry->since, srm_row_info[entry->row].name, srm_state_info[srm_entry_state(entry, 0)].name,
        srm_reason_names[srm_entry_reason(entry, 0)], srm_state_info[srm_entry_state(entry, 1)].name,
        srm_reason_names[srm_entry_reason(entry, 1)]);
    return n > 0 && n < SRM_ENTRY_TEXT ? (size_t)n : 0;
}

struct item {
    char key[16], value[48];
};

/* Next "key=value"; NULL at the bar or the end, *bad when it is neither. */
static const char *next_item(const char *p, const char *end, struct item *item, bool *bad)
{
    while (p < end && *p == ' ')
        p++;
    if (p == end || *p == '|')
        return NULL;
    const char *stop = memchr(p, ' ', (size_t)(end - p));
    stop = stop != NULL ? stop : end;
    const char *equals = memchr(p, '=', (size_t)(stop - p));
    *bad = equals == NULL || (size_t)(equals - p) >= sizeof(item->key) ||
           (size_t)(stop - equals) > sizeof(item->value);
    if (*bad)
        return NULL;
    snprintf(item->key, sizeof(item->key), "%.*s", (int)(equals - p), p);
    snprintf(item->value, sizeof(item->value), "%.*s", (int)(stop - equals - 1), equals + 1);
    return stop;
}

static bool number(const char **p, uint64_t max, uint64_t *out)
{
    char *end;
    if (**p < '0' || **p > '9')
        return false;
    *out = strtoull(*p, &end, 10);
    *p = end;
    return *out <= max;
}

static bool pair(const char *text, uint64_t max, uint64_t out[2])
{
    const char *p = text;
    return number(&p, max, &out[0]) && *p++ == ',' && number(&p, max, &out[1]) && *p == '\0';
}

static bool single(const char *text, uint64_t max, uint64_t *out)
{
    const char *p = text;
    return number(&p, max, out) && *p == '\0';
}

enum { GOT_EPOCH = 1, GOT_ROW = 2, GOT_FLIP = 4, GOT_HA = 8, GOT_ARMED = 16, GOT_SERVES = 32, GOT_ALL = 63 };

/* What entries of an earlier version do not have. */
static int take_writer(struct srm_entry *e, const struct item *item)
{
    uint64_t v[2];
    if (item->key[0] == 'b') {
        if (!single(item->value, SRM_SLOTS, v))
            return -1;
        e->by = (uint8_t)v[0];
        return 0;
    }
    if (!pair(item->value, UINT32_MAX, v))
        return -1;
    e->lease[0] = (uint32_t)v[0];
    e->lease[1] = (uint32_t)v[1];
    return 0;
}

/* The bit of what was read; 0: an item that we do not know (of a later version), -1: a bad one. */
static int take(struct srm_entry *e, const struct item *item)
{
    uint64_t v[2];
    if (strcmp(item->key, "epoch") == 0)
        return single(item->value, UINT64_MAX >> 2, &e->epoch) ? GOT_EPOCH : -1;
    if (strcmp(item->key, "row") == 0)
        return (e->row = (uint8_t)srm_row_find(item->value)) != ROW_NONE ? GOT_ROW : -1;
    if (strcmp(item->key, "since") == 0)
        return single(item->value, UINT64_MAX, &e->since) ? 0 : -1;
    if (strcmp(item->key, "moved") == 0)
        return pair(item->value, UINT64_MAX, e->moved) ? 0 : -1;
    if (strcmp(item->key, "lease") == 0 || strcmp(item->key, "by") == 0)
        return take_writer(e, item);
    if (strcmp(item->key, "serves") == 0) {
        if (!pair(item->value, 1, v))
            return -1;
        e->serves[0] = (uint8_t)v[0];
        e->serves[1] = (uint8_t)v[1];
        return GOT_SERVES;
    }
    if (strcmp(item->key, "flip") == 0 || strcmp(item->key, "ha") == 0) {
        if (!single(item->value, 1, v))
            return -1;
        *(item->key[0] == 'f' ? &e->flip : &e->ha) = v[0] != 0;
        return item->key[0] == 'f' ? GOT_FLIP : GOT_HA;
    }
    if (strcmp(item->key, "armed") == 0) {
        if (!single(item->value, 3, v))
            return -1;
        e->armed = (uint8_t)v[0];
        return GOT_ARMED;
    }
    return 0;
}

bool srm_entry_parse(const char *text, size_t len, struct srm_entry *out)
{
    struct srm_entry e = {.version = out->version};
    struct item item;
    bool bad = false;
    int got = 0;
    const char *p = text, *end = text + len;
    while ((p = next_item(p, end, &item, &bad)) != NULL) {
        int bit = take(&e, &item);
        if (bit < 0 || (bit != 0 && (got & bit) != 0))
            return false;
        got |= bit;
    }
    if (bad || got != GOT_ALL || e.ha != (e.row != ROW_F42))
        return false;
    *out = e;
    return true;
}
