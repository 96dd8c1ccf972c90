/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the files of run.h. */
#ifndef CONTROLPLANE_HA_RUN_IMPL_H
#define CONTROLPLANE_HA_RUN_IMPL_H

#include <uv.h>

#include "feed/feed.h"
#include "ha/beats.h"
#include "ha/clock.h"
#include "ha/entries.h"
#include "ha/entry_watch.h"
#include "ha/hears.h"
#include "ha/orders.h"
#include "ha/run.h"
#include "ha/services.h"
#include "ha/srm.h"

#define HA_COPY_PATH  256
#define HA_EVENTS_MAX 64 /* waiting for the manager: it is never called from within itself */

struct ha_map { /* the serving map that the manager asked for last */
    bool given, pending;
    bool marked; /* it was given to the feed */
    uint64_t id, epoch;
    int serving[SRM_SLOTS];
    struct feed_serving_token token;
};

struct ha_move { /* of the users of one home slot */
    bool active, back;
    uint8_t to;
    uint64_t total, done;
};

struct ha {
    struct controlplane *cp;
    struct ha_clock clock;
    struct ha_clock_watch clock_watch;
    struct beats *beats; /* NULL: this node stands alone */
    struct entries entries;
    bool broken; /* one of them cannot be understood; as the alarm says */
    struct entry_watch watch;
    struct orders orders;
    struct services services;
    bool tables_loaded, loading, stopping;
    bool copied;     /* topology and entries are those of the copy: the record was not read yet */
    char *copy_text; /* as written last */
    bool unseen;     /* a dataplane that lives, maybe, and cannot be attached; as the manager was told */
    bool record_up;
    uint8_t drained;  /* slots, as the manager was told */
    bool standing_by; /* whether there is a peer is not known */

    struct srm *srm; /* NULL: no peer, or not known yet */
    char subcluster[TOPOLOGY_NAME_MAX + 1];
    uint16_t node[SRM_SLOTS];
    unsigned slot;
    uv_timer_t tick;
    bool handling;
    struct srm_event event[HA_EVENTS_MAX];
    unsigned first, nevents;
    const struct beat *asked; /* the ASK that is being handled */
    struct beat last_ask;
    bool has_asked;

    unsigned writing; /* compare-and-sets under way: */
    bool entry_waits; /* ... the log may show ours before its answer comes, and the manager must not take it
                         for another's */

    struct ha_map map;
    uint16_t serving[HG_NODES_MAX]; /* as given to the feed */
    uint64_t serving_epoch;
    bool serving_given;
    uint64_t lease_until, lease_word; /* as written; ns */
    bool lease_ended;                 /* the last one was made shorter, on purpose */
    uint64_t fenced_until;            /* a dataplane that cannot be seen may serve until then */
    uint64_t alone_at;                /* without a peer: no deadline from then on; 0 = not said yet */
    struct ha_move move[SRM_SLOTS];
    struct ha_rehome *rehome;
    struct ha_told told[HG_NODES_MAX];
    uint64_t told_ns[HG_NODES_MAX]; /* 0 = never */
    uint64_t alone_since;           /* the peer is heard by the management network alone; ns */
    struct hears hears;
    uint64_t hears_at;   /* judged last; ns */
    bool hears_doubtful; /* as the manager was told */
    unsigned seconds;
    struct srm_params params; /* in force */
};

struct ha_cas { /* one under way */
    struct ha *ha;
    uint64_t id;
    uint8_t from, to; /* rows */
    bool flip;
    char subcluster[TOPOLOGY_NAME_MAX + 1];
};

/* run.c */
void ha_give(struct ha *ha, const struct srm_event *event);
void ha_tell_entry(struct ha *ha);
/* run_entry.c */
void ha_entry_watch(struct ha *ha);
void ha_entry_look(struct ha *ha);
void ha_entries_judge(struct ha *ha);
/* run_pair.c */
void ha_choose(struct ha *ha);
void ha_look_unseen(struct ha *ha);
void ha_look_drained(struct ha *ha);
/* run_copy.c */
void ha_copy_load(struct ha *ha);
void ha_copy_forget(struct ha *ha);
void ha_copy_second(struct ha *ha);
/* run_orders.c */
void ha_order_heard(struct ha *ha, const struct beat *beat);
void ha_orders_turn(struct ha *ha);
/* run_actions.c */
void ha_act(struct ha *ha, const struct srm_action *action);
struct beat ha_content(const struct srm_beat *beat);
void ha_beat_in(const struct beat *beat, uint64_t sent_ns, struct srm_beat *out);
/* run_serving.c */
void ha_map_set(struct ha *ha, uint64_t id, const int serving[SRM_SLOTS], uint64_t epoch);
void ha_serving_push(struct ha *ha);
void ha_map_turn(struct ha *ha);
/* lease_write.c */
void ha_lease_write(struct ha *ha, uint64_t until, uint64_t word);
void ha_lease_read(const struct ha *ha, const struct hg_segment *segment, uint64_t *until, uint64_t *word);
/* run_watch.c */
void ha_watch(struct ha *ha);
/* why: NULL while up */
void ha_service_set(struct ha *ha, unsigned bit, bool watched, bool up, const char *why);
void ha_service_tell(struct ha *ha, unsigned bit, bool watched, bool up); /* the manager alone */
/* run_hears.c */
void ha_watch_hearing(struct ha *ha, const struct hg_segment *segment);
void ha_hearing_alarm(struct ha *ha);
/* run_ways.c */
void ha_ways_set(struct ha *ha);
void ha_ways_second(struct ha *ha);
/* run_told.c */
void ha_say_own(const struct ha *ha, struct beat *content); /* what the manager does not know */
struct beat ha_own_content(const struct ha *ha);            /* to those that are not the peer */
void ha_hear_told(struct ha *ha, const struct beat *beat);
/* run_users.c */
void ha_users_move(struct ha *ha, uint8_t home, uint8_t to, bool back, uint32_t max);
void ha_users_rehome(struct ha *ha, uint8_t home, uint8_t to);
void ha_users_forget(struct ha *ha); /* the manager is of another pair now */
void ha_users_turn(struct ha *ha);
/* run_say.c */
void ha_say_row(struct ha *ha, uint8_t from, uint8_t to, bool flip, uint8_t fact, uint8_t slot);
void ha_say_written(struct ha *ha, uint8_t from, uint8_t to, bool flip);
void ha_say_alarm(struct ha *ha, enum srm_alarm alarm, bool on);
void ha_say_services(struct ha *ha);

#endif
