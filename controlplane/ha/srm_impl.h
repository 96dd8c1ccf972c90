/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the server recovery manager. */
#ifndef CONTROLPLANE_HA_SRM_IMPL_H
#define CONTROLPLANE_HA_SRM_IMPL_H

#include "ha/lease.h"
#include "ha/outage.h"
#include "ha/srm.h"

struct srm_peer {
    uint64_t seen;       /* when its last beat came, 0 = none since our start */
    uint64_t met;        /* when its present start was met; 0: the first that we hear */
    uint64_t two_way;    /* when it was last known to hear us */
    uint64_t unanswered; /* asks since */
    uint64_t renewed;    /* when somebody else's write to the entry was seen */
    struct srm_beat beat;
};

struct srm_write { /* the compare-and-set that is under way */
    bool busy, by_fact, back;
    bool restores; /* the one under way says again what was known, and nobody gains by it */
    bool exact;    /* ... over what cannot be understood */
    bool lost;     /* one of unknown outcome stood on lost_on: it may be seen yet */
    struct record_version expected, lost_on;
    uint64_t id, sent;
    uint64_t retry_at; /* not before, after one of unknown outcome */
    uint8_t claims;    /* home slots whose serves becomes ours by it */
    uint8_t may_gain;  /* home slots that may be held by its acknowledgement although they are not yet */
    uint8_t fact, slot;
    struct srm_entry entry;
    struct srm_entry seen; /* came from the record and may be what we write; version 0-0: nothing did */
};

struct srm {
    struct srm_params p;
    unsigned slot; /* own */
    uint64_t now, wake;
    struct srm_actions *out;
    struct srm_action spill; /* a pass makes far fewer than fit; else actions.lost counts */

    struct srm_entry entry; /* newest known */
    bool known;             /* the record or the peer has told */
    bool confirmed;         /* entry is durable: the record said so, or acknowledged it to us */
    bool first;             /* the first entry since our start has not come yet */
    bool broken;            /* what stands in the record cannot be understood */
    uint64_t broken_at;     /* since when that is known */
    bool gap; /* the record was away since `entry` was read from it: there may have been a newer one */
    uint64_t gap_boot;  /* the start of the peer that was heard before the gap */
    bool missing_entry; /* there is none, though high availability is wanted: the peer may know one */
    uint64_t learned;   /* when somebody else's newest write was learned */
    uint64_t row_since;
    bool ours;     /* entry was written by us */
    bool record;   /* can be read and written */
    uint64_t term; /* in which it was seen last */

    struct lease lease[SRM_SLOTS];
    uint64_t told_until, told_word;
    bool lease_told;
    bool unseen; /* a dataplane lives that cannot be reached */
    uint64_t map_id, map_applied;
    int map[SRM_SLOTS];
    bool map_told;
    uint64_t map_epoch;

    struct outage outage;
    uint64_t missing; /* services of G02 that do not run here */
    uint8_t drained;  /* slots whose node refuses new requests, by an administrator's wish */
    struct outage_verdict verdict;
    struct srm_peer peer;
    struct srm_write write;

    uint64_t started_at;
    bool starting; /* not ready since the start */
    bool started;  /* the start has not been written to the entry yet */
    bool leaving;
    uint64_t ask_at, order;
    bool ask_now, answer;

    bool commanded;
    enum srm_command command;
    uint8_t command_slot;
    uint64_t commanded_at;

    uint8_t to_move; /* home slots whose users have to be accounted for here */
    bool moving;     /* SRM_DO_MOVE is under way */
    bool rehoming;   /* SRM_DO_REHOME was asked for */
    uint64_t move_at;
    uint64_t move_left[SRM_SLOTS], move_done[SRM_SLOTS];

    uint64_t quiet_since, well_since;
    uint32_t alarms;
};

/* srm.c */
struct srm_action *srm_do(struct srm *srm, enum srm_action_type type);
void srm_wake(struct srm *srm, uint64_t at); /* SRM_TICK no later than that */
/* true once `at` has come; else asks to be woken then */
bool srm_due(struct srm *srm, uint64_t at);
void srm_adopt(struct srm *srm, const struct srm_entry *entry, bool ours, unsigned fact, unsigned slot);

/* srm_hold.c: which slots we want, hold, have in the map; the deadline */
int srm_goal(const struct srm *srm, const struct srm_entry *entry, unsigned home);
bool srm_ha(const struct srm *srm);
void srm_hold(struct srm *srm);
uint8_t srm_has(const struct srm *srm); /* what our beats say: hold, want or claim */
uint8_t srm_holds(const struct srm *srm);
uint64_t srm_claim_at(const struct srm *srm, unsigned home);
/* ns: by which this node may count a grant: never longer than the entry says. So a peer that starts, and does
 * not know what it granted before, reads there how long it has to wait. */
uint64_t srm_span(const struct srm *srm);
uint64_t srm_peer_span(const struct srm *srm); /* ns: by which the peer counts its own writes */
bool srm_settled(
    const struct srm *srm); /* goals of the row are reached, as far as they are ours, on every core */

/* srm_write.c */
uint32_t srm_told_span(const struct srm *srm); /* ms: by which this node says that it counts its writes */
void srm_write_step(struct srm *srm);
/* The entry may be the one that is being written. */
bool srm_write_is(const struct srm *srm, const struct srm_entry *entry);
void srm_adopt_seen(struct srm *srm, const struct srm_entry *entry);
void srm_write_done(struct srm *srm, const struct srm_event *event);
/* Something older than what we know stands there, or nothing. */
void srm_regressed(struct srm *srm, struct record_version there);

/* srm_facts.c */
bool srm_heard(const struct srm *srm);
bool srm_two_way(const struct srm *srm); /* and it hears this node */
bool srm_fact(struct srm *srm, enum srm_fact fact, unsigned slot);
unsigned srm_role(const struct srm_entry *entry, unsigned slot);
bool srm_taker(const struct srm_entry *entry,
               unsigned slot);   /* the row ends when this node has what it takes */
void srm_watch(struct srm *srm); /* what facts remember */

/* srm_beats.c */
void srm_beat_in(struct srm *srm, const struct srm_beat *beat);
void srm_beat_step(struct srm *srm);

/* srm_users.c */
void srm_users_row(struct srm *srm);
void srm_users_step(struct srm *srm);
void srm_rehome_step(struct srm *srm);
void srm_users_moved(struct srm *srm, const struct srm_event *event);

/* srm_alarms.c */
void srm_alarms_step(struct srm *srm);

#endif
