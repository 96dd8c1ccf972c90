/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the simulated pair: pair.c (time, invariants), pair_node.c (control plane), pair_cores.c
 * (dataplane), pair_wire.c (beats), pair_faults.c (what goes wrong). */
#ifndef TESTS_SIM_PAIR_IMPL_H
#define TESTS_SIM_PAIR_IMPL_H

#include "ha/beat_window.h"
#include "ha/entries.h"
#include "ha/entry_watch.h"
#include "ha/srm.h"
#include "log/alarms.h"
#include "log/log.h"
#include "pair.h"
#include "sim_redis.h"

#define CORES      2
#define MAPS_MAX   64
#define SERVERS    3
#define USERS      60
#define PAIR_FIELD SLICE_LIT("pair") /* its name in the ha table */
#define MS(n)      ((uint64_t)(n)*1000000ull)
#define SECONDS(n) MS((n)*1000ull)

enum { SERVICE_CORES, SERVICE_RECORD, SERVICE_GATEWAY, SERVICE_OTHER, SERVICES };

struct pair;

struct map_push {
    uint64_t boot, id;
    int serving[2];
};
struct core {
    int serving[2];
    struct map_push queue[MAPS_MAX];
    unsigned first, n;
};
struct cores { /* the dataplane and its segment */
    bool alive;
    uint64_t paused_until;
    uint64_t until, word; /* local clock */
    struct core core[CORES];
    uint64_t life; /* which start */
};

struct node {
    struct pair *w;
    unsigned slot;
    int64_t drift_ppm;
    uint64_t clock0;
    /* the control plane */
    bool alive;
    uint64_t paused_until;
    uint64_t boot;
    struct srm *srm;
    struct sim_client *client;
    struct record *record;
    struct entries entries;
    struct entry_watch watch;
    uint64_t tick; /* generation: older ticks are void */
    struct beat_window window[BEAT_PATHS];
    struct beat newest[BEAT_PATHS]; /* of the peer */
    const struct beat *asking;      /* is being handled */
    enum beat_path asking_path;
    bool service[SERVICES];
    uint64_t left[2]; /* users of a home slot that are still to be moved here */
    uint64_t cas;
    bool cas_busy;
    uint64_t attached; /* the start of the dataplane that it knows */
    bool unseen;       /* the dataplane lives, and cannot be attached for a while ... */
    bool blind_start;  /* ... from the next start on */
    struct srm_params p;
    bool handling;
    unsigned ninbox;
    struct srm_event inbox[32];
    struct cores cores;
};

struct wire { /* one way of one path */
    bool cut;
    unsigned loss_permil, double_permil;
    uint64_t delay, jitter;
};

enum pair_event_kind { PE_TICK, PE_BEAT, PE_DRAIN, PE_START, PE_CORES, PE_WAKE, PE_SEEN, PE_LOOK };
struct pair_event {
    uint64_t at, order;
    enum pair_event_kind kind;
    unsigned slot, n;
    uint64_t life;
    enum beat_path path;
    struct beat beat;
};

#define USER_WRITES 256

struct user_write { /* a user that an administrator adds: each one another */
    bool acknowledged;
};

struct pair {
    struct pair_options o;
    struct pair_result *r;
    struct srm_params p;
    uint64_t now, order, rng, boots;
    struct node node[2];
    struct wire wire[2][BEAT_PATHS]; /* by sender */
    struct sim_redis *redis;
    uint64_t redis_paused; /* one of its servers, until then */
    struct log log;
    struct alarms alarms;
    struct pair_event *pool;
    uint32_t *heap, *idle;
    uint32_t nheap, room, nidle;
    struct record_version acknowledged;
    struct sim_data past; /* what Redis goes back to */
    bool ha_wanted;       /* by the subcluster's entry */
    struct user_write write[USER_WRITES];
    unsigned nwrites;
    bool broken;
};

/* pair.c */
/* A world with high availability switched on and both nodes in Normal. */
struct pair *pair_open(const struct pair_options *options, struct pair_result *result);
void pair_close(struct pair *w);
void pair_until(struct pair *w, uint64_t until); /* everything until then, in order */
uint64_t pair_random(struct pair *w);
uint64_t pair_below(struct pair *w, uint64_t n); /* 0 .. n-1 */
void pair_at(struct pair *w, const struct pair_event *event);
void pair_say(const struct pair *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* pair_node.c */
uint64_t node_clock(const struct node *n);
void node_boot(struct node *n);
void node_crash(struct node *n);
void node_pause(struct node *n, uint64_t until);
void node_event(struct node *n, const struct srm_event *event);
void node_service(struct node *n, unsigned service, bool up);
void node_services(struct node *n);
void node_look(struct node *n); /* at the entry, each second */
void node_seen(struct node *n); /* the dataplane can be attached now, or is gone */
void node_settings(struct node *n, const struct srm_params *p);
bool node_runs(const struct node *n);

/* pair_cores.c */
void cores_start(struct node *n);
void cores_kill(struct node *n);
void cores_pause(struct node *n, uint64_t until);
void cores_map(struct node *n, const struct srm_action *action);
void cores_drain(struct node *n, unsigned core, uint64_t life);
uint8_t cores_serve(const struct node *n); /* home slots for which a core would act now */

/* pair_wire.c */
void wire_send(struct node *from, enum beat_path path, enum beat_kind kind, const struct srm_beat *beat);
void wire_arrive(struct node *to, enum beat_path path, const struct beat *beat);

/* pair_faults.c */
void pair_fault(struct pair *w);
void pair_heal(struct pair *w);
void pair_hand(struct pair *w, const char *raw); /* HSET of the entry, NULL: HDEL */
/* Redis as it is now, for later; and all of its servers as they were then, under new terms. */
void pair_redis_note(struct pair *w);
void pair_redis_back(struct pair *w);
unsigned pair_users_lost(const struct pair *w); /* acknowledged, and not in the record */

#endif
