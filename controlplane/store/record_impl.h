/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by record.c (life, loading) and record_change.c (changes). */
#ifndef CONTROLPLANE_STORE_RECORD_IMPL_H
#define CONTROLPLANE_STORE_RECORD_IMPL_H

#include "log/alarms.h"
#include "log/log.h"
#include "store/record.h"

struct record {
    struct redis *redis;
    struct record_events ev;
    struct log *log;
    struct alarms *alarms;
    unsigned timeout_ms;
    char key[RECORD_TABLES][160];
    char id_key[160];
    char id[33];     /* of the record that memory follows, "" before the first */
    char new_id[33]; /* offered when there is none */
    bool loaded, ever, loading, again;
    enum record_table table; /* being loaded or written back */
    uint64_t cursor;
    uint64_t entries;
    bool restoring;
    uv_timer_t retry;
};

void record_load(struct record *record);
void record_reload_later(struct record *record);

#endif
