/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions of the record: "<term>-<seq>" in front of every value and as the id of every entry of the log. The
 * term rises with every change of the Redis that is master, the number with every change. What has no version
 * was written by a stranger or by Heliograph 0.1 and counts as 0-0. */
#ifndef CONTROLPLANE_STORE_VERSION_H
#define CONTROLPLANE_STORE_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/slice.h"

#define RECORD_VERSION_STRLEN 42 /* two numbers of 20 digits, '-', NUL */

struct record_version {
    uint64_t term, seq;
};

static inline int record_version_cmp(struct record_version a, struct record_version b)
{
    if (a.term != b.term)
        return a.term < b.term ? -1 : 1;
    return a.seq < b.seq ? -1 : a.seq > b.seq;
}

static inline bool record_version_is_none(struct record_version v)
{
    return v.term == 0 && v.seq == 0;
}

/* "7-1204", nothing before or behind. */
bool record_version_parse(struct slice text, struct record_version *out);
void record_version_format(struct record_version v, char out[RECORD_VERSION_STRLEN]);

/* A value as it stands in Redis -> its version and what we keep in it. */
void record_value_split(struct slice raw, struct record_version *version, struct slice *payload);

#endif
