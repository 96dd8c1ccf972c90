/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the simulated Redis: sim_redis.c (clock, servers), sim_serve.c (commands), sim_client.c (io). */
#ifndef TESTS_SIM_IMPL_H
#define TESTS_SIM_IMPL_H

#include "sim_redis.h"

#define SIM_BLOCK_MS 1000

enum sim_command {
    SIM_HELLO,
    SIM_CHANGE,
    SIM_CONFIRM,
    SIM_SCAN,
    SIM_FOLLOW,
    SIM_READ,
    SIM_RESTORED,
    SIM_CHECK
};
enum sim_lane { LANE_MAIN, LANE_LOG, LANES }; /* connections of a client */

/* A command on its way, on the server, or on its way back. */
struct sim_request {
    struct sim_request *next;         /* of the server's queue */
    struct sim_request *next_pending; /* of the client's */
    unsigned users;                   /* the client and the way it goes */
    struct sim_client *client;
    unsigned server;
    enum sim_command command;
    enum sim_lane lane;
    uint64_t connection, run;  /* of the client when it was sent, and of the server that it saw */
    uint64_t deadline;         /* the client's patience */
    bool given_up;             /* nobody waits for it any more */
    struct record_item *items; /* the server's copy of a change */
    uint32_t nitems;
    /* what was asked */
    struct record_hello hello;
    struct record_write *write; /* valid until given up */
    struct record_scan *scan;
    struct record_follow *follow;
    enum record_table table;
    struct sim_text field;
    uint64_t cursor;
    struct record_version after;
    char id[RECORD_ID_LEN + 1];
    record_on_welcome on_welcome;
    record_on_confirm on_confirm;
    record_on_value on_value;
    record_on_check on_check;
    void *arg;
    /* on the server */
    bool executed, waiting; /* waiting for replicas */
    uint64_t offset, until; /* of WAIT, of XREAD's block */
    unsigned wanted;
    /* the answer */
    const char *error;
    bool confirmed;
    enum record_wrote wrote;
    struct record_outcome outcome;
    struct sim_text value; /* of outcome, or read */
    bool has_value;
    struct record_welcome welcome;
    struct sim_field *fields;
    uint32_t nfields;
    struct sim_change **changes;
    uint32_t nchanges;
    uint64_t term, seq;
};

struct sim_client {
    struct sim_redis *s;
    struct sim_client *next;
    struct record *record;
    bool cut, blind, up, lost;
    unsigned server, told; /* connected to; what Sentinel said */
    unsigned attached;     /* replicas, when it looked last */
    uint64_t attached_at;
    uint64_t paused_until, connection, connect_at, run;
    uint64_t fence_taken;                     /* promoted_at of the master that it was told of */
    uint64_t arrives[LANES], answered[LANES]; /* order of a connection */
    struct sim_request *pending;
};

struct sim_effect { /* a write on its way to a replica */
    struct sim_effect *next;
    uint64_t at, offset;
    void (*apply)(struct sim_data *d, const struct sim_effect *e);
    struct sim_change *change;
    uint64_t term, run, until, was_term, was_run, was_seq;
    char id[RECORD_ID_LEN + 1], who[RECORD_ID_LEN + 1];
};
struct sim_server {
    bool alive, master, linked;
    bool synced; /* what it has is a beginning of what the true master has: it may be promoted */
    uint64_t paused_until, run, offset;
    uint64_t last_effect_at;
    uint64_t promoted_at; /* 0: it was not, or was started anew since */
    struct sim_data data;
    struct sim_effect *first, **last; /* not applied yet, as a replica */
    struct sim_request *queue;        /* arrived, not answered */
};

enum sim_event_kind { EV_ARRIVE, EV_ANSWER, EV_EFFECT, EV_TICK, EV_RESYNC, EV_TOLD, EV_SERVE };
struct sim_event {
    uint64_t at, order;
    enum sim_event_kind kind;
    unsigned server;
    struct sim_client *client;
    struct sim_request *request;
};

struct sim_redis {
    struct sim_redis_options o;
    uint64_t now, order, rng, runs;
    struct sim_server server[SIM_SERVERS_MAX];
    unsigned nservers;
    int master;
    struct sim_client *clients;
    struct sim_event *heap;
    uint32_t nheap, heap_room;
};

/* sim_redis.c */
uint64_t sim_random(struct sim_redis *s);
uint64_t sim_spread(struct sim_redis *s, uint64_t base, uint64_t jitter);
void sim_schedule(struct sim_redis *s, struct sim_event event);
unsigned sim_attached(const struct sim_redis *s, unsigned server);              /* replicas of a master */
unsigned sim_have(const struct sim_redis *s, unsigned server, uint64_t offset); /* replicas that have it */
/* Hands an effect to every replica of the server; the template is copied. */
void sim_replicate(struct sim_redis *s, unsigned server, const struct sim_effect *e);

/* sim_serve.c */
void sim_arrive(struct sim_redis *s, struct sim_request *r);
void sim_serve(struct sim_redis *s, unsigned server);         /* all that can go on now */
void sim_server_forget(struct sim_redis *s, unsigned server); /* it died: nothing is answered */
void sim_request_release(struct sim_request *r);

/* sim_client.c */
void sim_client_answer(struct sim_client *c, struct sim_request *r);
void sim_client_tick(struct sim_client *c);
void sim_client_lost(struct sim_client *c, const char *why);

#endif
