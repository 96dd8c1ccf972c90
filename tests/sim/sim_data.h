/* SPDX-License-Identifier: BSD-2-Clause */
/* What one simulated Redis holds of a record, and what the scripts of store/record_scripts.h do to it. */
#ifndef TESTS_SIM_DATA_H
#define TESTS_SIM_DATA_H

#include "store/record_io.h"

struct sim_text {
    char *p;
    uint32_t len;
};
struct sim_field {
    struct sim_text name, raw; /* raw: with its version */
};
struct sim_table {
    struct sim_field *field;
    uint32_t n, room;
};
struct sim_change { /* an entry of the log, shared by all that have it */
    unsigned users;
    struct record_version version;
    uint32_t n;
    struct record_item item[];
};
struct sim_data {
    struct sim_table table[RECORD_TABLES];
    uint64_t term, seq, run;             /* run 0: none noted */
    uint64_t was_term, was_seq, was_run; /* when the term rose */
    char id[RECORD_ID_LEN + 1], from[RECORD_ID_LEN + 1], restoring[RECORD_ID_LEN + 1];
    uint64_t restoring_until; /* ms */
    struct sim_change **log;
    uint32_t nlog, log_room, log_max;
};

void sim_data_clear(struct sim_data *d);
void sim_data_copy(struct sim_data *to, const struct sim_data *from);

void sim_data_hello(struct sim_data *d, const struct record_hello *ask, uint64_t run, uint64_t now_ms,
                    struct record_welcome *out);
/* run: of the server as the client saw it. outcome->value points into d. */
enum record_wrote sim_data_change(struct sim_data *d, const struct record_write *write, uint64_t run,
                                  struct record_outcome *outcome);
/* Written by hand, past every script: raw as it is, NULL: removed. */
void sim_data_hand(struct sim_data *d, enum record_table table, struct slice field, const struct slice *raw);
const struct sim_text *sim_data_get(const struct sim_data *d, enum record_table table, struct slice field);
/* Entries behind the version: index of the first, nlog when there is none. */
uint32_t sim_data_after(const struct sim_data *d, struct record_version version);
void sim_change_release(struct sim_change *change);

#endif
