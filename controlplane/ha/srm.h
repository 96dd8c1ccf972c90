/* SPDX-License-Identifier: BSD-2-Clause */
/* The server recovery manager (SRM) of one node for its subcluster of two (docs/ha.md). Pure: time comes in,
 * actions come out; the host (ha_run.c) does what they say and tells how it went.
 *
 * Time is one clock: invariant TSC, scaled to ns by one fixed factor, so that a deadline means the same
 * moment to the cores. Nobody's wall clock is ever read, and times of two nodes are never compared.
 *
 * Who may serve. For each home slot s (0, 1) a node holds s until its own deadline until[s]. Two things
 * extend it:
 *  - a grant: the peer's answer to a beat of ours that said "I hold, or want, s". Counted from the sending of
 * that beat. The peer grants only what it neither holds nor wants nor is about to claim, and promises with it
 * not to act for s before lease + guard from then.
 *  - our own compare-and-set of the subcluster's entry, acknowledged by as many replicas as are wanted.
 * Counted from its sending. To claim s by compare-and-set we wait lease + guard since our last grant of s,
 * and since we learned the version that the compare-and-set expects: a renewal by the peer makes another
 * version, so one of the two fails. Neither wait is needed when the peer's newest beat says that it does not
 * have s. A loss is believed at once, whoever tells it.
 *
 * How long a lease is travels with it: a grant says its span, the entry says by which span each node counts
 * its own writes, and a node that shortens it bounds what it has before it says so. So the two need not
 * change their parameters at one moment. */
#ifndef CONTROLPLANE_HA_SRM_H
#define CONTROLPLANE_HA_SRM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ha/rows.h"
#include "store/version.h"

#define SRM_SLOTS        2
#define SRM_NO_DEADLINE  UINT64_MAX
#define SRM_ACTIONS_MAX  32
#define SRM_SERVICES_MAX 64
#define SRM_NOBODY       (-1)
#define SRM_ENTRY_TEXT   512
#define SRM_MS           UINT64_C(1000000)

/* ---- the subcluster's entry in the record: hg:{<cluster>}:ha ---- */
struct srm_entry {
    struct record_version version; /* 0-0: there is none */
    uint64_t epoch;                /* rises whenever serves changes */
    uint8_t row;                   /* enum srm_row */
    bool flip;                     /* N1 of the row is slot 1 */
    bool ha;
    uint8_t armed; /* bit per slot: that node serves by lease since ha was switched on; only then may it be
                    * taken over */
    uint8_t serves[SRM_SLOTS]; /* slot that serves the users of home slot i */
    uint64_t moved[SRM_SLOTS]; /* users of home slot i that were moved when row was written */
    uint32_t lease[SRM_SLOTS]; /* ms: the node in slot i counts its writes by it; 0: it has not said */
    uint8_t by;                /* slot + 1 of the node that wrote it; 0: not said */
    uint64_t since;            /* wall clock, s, for people; 0 in SRM_DO_CAS: the host puts it in */
};
/* value of the record without its version */
size_t srm_entry_text(const struct srm_entry *entry, char out[SRM_ENTRY_TEXT]);
/* false: cannot be understood; out is left alone. version is not touched. */
bool srm_entry_parse(const char *text, size_t len, struct srm_entry *out);
enum srm_state srm_entry_state(const struct srm_entry *entry, unsigned slot);
enum srm_reason srm_entry_reason(const struct srm_entry *entry, unsigned slot);

/* ---- what a beat carries (struct beat: flags, term, rev, epoch, row, services, watched, grant) ---- */
struct srm_beat {
    uint8_t grants; /* home slots granted to the receiver, of those that it said in the beat that is echoed */
    uint32_t lease; /* ms: by which the sender counts its own writes */
    uint32_t span;  /* ms: of what it grants */
    bool asks;      /* a question: answered at once */
    uint64_t boot;  /* incoming: the start of the sender */
    uint64_t order; /* of the sender: rises with every SRM_DO_ASK and SRM_DO_ANSWER of this start */
    uint64_t
        echo_sent; /* incoming: when (own clock) the echoed beat was sent, 0 = none or not of this start */
    uint8_t holds; /* bit per home slot: holds, wants or is about to claim */
    bool record;   /* the sender sees the record */
    bool well;     /* all of its critical services run */
    bool service_out, database_out; /* longer than the delay */
    bool leaving;                   /* shuts down: this is good-bye */
    bool starting;                  /* not ready since its start */
    bool unseen;                    /* its dataplane cannot be reached */
    struct srm_entry entry;         /* as the sender knows it: version, epoch, row, flip, ha, armed, serves */
    uint64_t services;              /* bit per critical service: runs */
    uint64_t watched;               /* bit per critical service: is watched */
};
/* struct beat's flags <-> the booleans, holds, and flip, ha, armed, serves, by of the entry */
uint32_t srm_beat_flags(const struct srm_beat *beat);
void srm_beat_from_flags(uint32_t flags, struct srm_beat *beat);

/* ---- parameters (D26-D34), ns ---- */
struct srm_params {
    uint64_t interval, timeout, init_timeout, lease, guard;
    uint64_t service_down_delay, fallback_quiet, iteration, move_timeout;
    uint32_t users_per_iteration; /* 0: no pacing */
    bool automatic_failover, automatic_fallback;
};
struct srm_warning {
    const char *item, *text;
};
/* What is unwise (D35 and the like). Returns how many, at most max. */
unsigned srm_params_check(const struct srm_params *params, struct srm_warning *out, unsigned max);

/* ---- events ---- */
enum srm_event_type {
    SRM_TICK,      /* srm_next() has come */
    SRM_BEAT,      /* an authenticated, fresh beat of the peer: u.beat */
    SRM_ENTRY,     /* the record has this: u.entry (version 0-0: nothing); confirmed, in the record's order */
    SRM_RECORD,    /* u.record.up: the record can be read and written, or not */
    SRM_FOUND,     /* u.found: a look at the entry found something else than is known, and that memory has all
                    * that was written before; or it is right again */
    SRM_CAS_DONE,  /* u.cas */
    SRM_SERVICE,   /* u.service */
    SRM_COMMAND,   /* u.command; ask srm_refusal() first */
    SRM_APPLIED,   /* u.map: every core has that map (or there is no dataplane that could have another one) */
    SRM_MOVED,     /* u.moved: answer to SRM_DO_MOVE */
    SRM_LEAVE,     /* the control plane shuts down and will not serve: says good-bye and stops */
    SRM_DATAPLANE, /* u.dataplane: another one than before, or for the first time: everything is told again */
    SRM_DRAINED,   /* u.drained: slots whose node is drained; nobody moves there but by need */
    SRM_UNSEEN,    /* u.up: a dataplane lives that cannot be reached; what it acts for is not known */
};
enum srm_command {
    SRM_CMD_FAILOVER,
    SRM_CMD_FALLBACK,
    SRM_CMD_RECOVER,
    SRM_CMD_HA_ON,
    SRM_CMD_HA_OFF,
    SRM_CMD_REHOMED
};
/* BROKEN: nothing was written, as what stands there cannot be understood */
enum srm_cas_result { SRM_CAS_OK, SRM_CAS_CONFLICT, SRM_CAS_BROKEN, SRM_CAS_UNKNOWN };
struct srm_event {
    enum srm_event_type type;
    union {
        struct srm_beat beat;
        struct {
            struct srm_entry entry;
            bool wanted; /* the subcluster of the record is to be highly available */
        } entry;
        struct {
            bool readable, wanted;
            struct srm_entry entry; /* version 0-0: there is none */
        } found;
        bool up;
        uint8_t drained;
        struct {
            bool up;
            uint64_t term;       /* another one: another Redis, or the same one started anew */
            uint64_t fenced_ago; /* ns since no master before that one confirms anything; 0: not known */
        } record;
        struct {
            uint64_t id; /* of the action */
            enum srm_cas_result result;
            struct srm_entry
                entry; /* OK: version is enough. CONFLICT: what stands there (version 0-0: nothing) */
        } cas;
        struct {
            uint8_t bit; /* < SRM_SERVICES_MAX */
            bool watched, up;
            bool relative; /* down only if the peer still has it */
            bool database; /* the record */
            bool routes;   /* has to run on a node that is failed over by hand (G02) */
        } service;
        struct {
            enum srm_command command;
            uint8_t slot; /* FAILOVER: the node that gives its users away; FALLBACK: that takes them back */
        } command;
        uint64_t map; /* of the action */
        struct {
            uint64_t word; /* what it has: 0 a fresh one */
        } dataplane;
        struct {
            uint8_t home;
            uint64_t moved, left;
        } moved;
    } u;
};

/* ---- actions ---- */
enum srm_action_type {
    SRM_DO_ASK,    /* send u.beat as a question on every path: echo of the newest beat of the peer on each */
    SRM_DO_ANSWER, /* send u.beat as the answer to the beat that was just given in, on its path */
    SRM_DO_CAS,    /* write u.cas.entry where version u.cas.expected stands; SRM_CAS_DONE follows */
    SRM_DO_LEASE,  /* serve_until = u.lease.until (0 nothing, SRM_NO_DEADLINE), serve_epoch = u.lease.word: at
                      once */
    SRM_DO_MAP, /* push the serving map of the two home slots to every core; SRM_APPLIED with u.map.id follows
                 */
    SRM_DO_MOVE,   /* u.move: account for (migrate) up to max users of home; SRM_MOVED follows */
    SRM_DO_LOG,    /* u.log: the row changed */
    SRM_DO_ALARM,  /* u.alarm */
    SRM_DO_REHOME, /* high availability went off with users moved: home is served by slot for good (D09).
                    * Rewrite the users' home, then SRM_CMD_REHOMED */
};
enum srm_alarm {
    SRM_ALARM_PEER,        /* the peer is not heard */
    SRM_ALARM_LEASE,       /* the lease ran out: nobody is served here */
    SRM_ALARM_FAILED,      /* a failed row */
    SRM_ALARM_FAILED_OVER, /* a node's users are served by its peer */
    SRM_ALARM_REGRESSED,   /* the record shows an older entry than was acknowledged; it is written back */
    SRM_ALARM_SERVICE,     /* a critical service of this node is down */
    SRM_ALARMS
};
struct srm_action {
    enum srm_action_type type;
    union {
        struct srm_beat beat;
        struct {
            uint64_t id;
            struct record_version expected;
            struct srm_entry entry;
            bool urgent; /* the lease hangs on it */
            bool exact;  /* write it where the unreadable bytes stand that were told with SRM_FOUND */
        } cas;
        struct {
            uint64_t until, word;
        } lease;
        struct {
            uint64_t id;
            int serving[SRM_SLOTS]; /* slot that serves home slot i, or SRM_NOBODY; own slot only while held
                                     */
            uint64_t epoch;
        } map;
        struct {
            uint8_t home, to;
            bool back;    /* fallback: silent users first (D40); else those signed in first (D39) */
            uint32_t max; /* 0: all */
        } move;
        struct {
            uint8_t from, to; /* rows */
            bool flip;
            uint8_t fact,
                slot; /* what moved it, and the slot that it held for; SRM_FACTS: somebody else wrote it */
            bool by_us;
        } log;
        struct {
            enum srm_alarm alarm;
            bool on;
        } alarm;
        struct {
            uint8_t home, to;
        } rehome;
    } u;
};
struct srm_actions {
    unsigned n, lost; /* lost: for which there was no room; cannot be, and is said */
    struct srm_action a[SRM_ACTIONS_MAX];
};

/* ---- the manager ---- */
struct srm;
struct srm_start {
    unsigned slot; /* of this node */
    uint64_t now;
    uint64_t segment_until, segment_word; /* what the dataplane has: 0, 0 without one */
};
struct srm *srm_create(const struct srm_params *params, const struct srm_start *start);
void srm_free(struct srm *srm);
void srm_set_params(struct srm *srm, const struct srm_params *params);
/* Fills out from its beginning. */
void srm_handle(struct srm *srm, uint64_t now, const struct srm_event *event, struct srm_actions *out);
uint64_t srm_next(const struct srm *srm); /* when SRM_TICK is due */

enum srm_refusal {
    SRM_OFFERED,
#define SRM_REFUSAL(id, text) SRM_NO_##id,
#include "ha/refusals.def"
    SRM_REFUSALS
};
enum srm_refusal srm_refuses(const struct srm *srm, enum srm_command command, unsigned slot);
const char *srm_refusal_text(unsigned refusal); /* of another node, too: any number; NULL: SRM_OFFERED */
/* NULL: the command is offered now. Else the rule that forbids it and what would allow it. */
const char *srm_refusal(const struct srm *srm, uint64_t now, enum srm_command command, unsigned slot);

/* ---- for people and for the host ---- */
struct srm_status {
    struct srm_entry entry;
    unsigned slot;
    uint8_t holds;   /* home slots this node acts for now */
    uint64_t until;  /* own deadline */
    uint64_t map_id; /* of the newest SRM_DO_MAP */
    bool record, peer_heard, starting, well;
    bool broken;          /* the entry of the record cannot be understood; `entry` is the last that could */
    uint64_t peer_seen;   /* when, 0 = never */
    uint64_t quiet_since; /* of the automatic fallback, 0 = does not run */
    struct srm_beat peer; /* its last beat */
    uint64_t move_left[SRM_SLOTS], move_done[SRM_SLOTS];
    const char
        *action[SRM_SLOTS]; /* "failover", "fallback", "recover" or NULL: offered for that slot (A24) */
};
void srm_status(const struct srm *srm, uint64_t now, struct srm_status *out);
/* The lease in the segment: epoch << 2 | home slots held. */
static inline uint64_t srm_lease_word(uint64_t epoch, unsigned holds)
{
    return epoch << 2 | (holds & 3);
}

#endif
