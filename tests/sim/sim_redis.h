/* SPDX-License-Identifier: BSD-2-Clause */
/* Redis servers with replication and promotion in simulated time, and clients of theirs that are a record's
 * io (store/record_io.h). The caller owns the clock: it turns to sim_redis_next() and calls sim_redis_run().
 * Times are ns. Everything that is random comes from the seed.
 *
 * What is simulated: delay of the network, order per connection, answers that come after the client gave up
 * (the change was made all the same), WAIT with replicas that lag, servers that stand still or die, promotion
 * that loses what was not replicated, a master that does not know yet that it is none, clients cut off or
 * paused. */
#ifndef TESTS_SIM_REDIS_H
#define TESTS_SIM_REDIS_H

#include "sim_data.h"

#define SIM_MS          1000000ull
#define SIM_SERVERS_MAX 5

struct sim_redis;
struct sim_client;

struct sim_redis_options {
    uint64_t seed;
    unsigned servers;         /* the first is master */
    uint64_t delay, jitter;   /* one way, client to server */
    uint64_t lag, lag_jitter; /* master to replica */
    uint64_t tick;            /* of the clients; 0: 20 ms */
    unsigned timeout_ms;      /* of a command; 0: 1000 */
    unsigned replicas_min;    /* 0: one as soon as one is attached */
    uint32_t log_max;         /* entries kept; 0: 4096 */
};

struct sim_redis *sim_redis_create(const struct sim_redis_options *options);
void sim_redis_free(struct sim_redis *s); /* after its clients' records were closed and freed */

uint64_t sim_redis_next(const struct sim_redis *s);    /* when something happens, UINT64_MAX: nothing */
void sim_redis_run(struct sim_redis *s, uint64_t now); /* everything until now, in order */

/* ---- clients ---- */
struct sim_client *sim_client_create(struct sim_redis *s);
struct record_io sim_client_io(struct sim_client *c);
/* The record over that io; from now on it is told what happens. */
void sim_client_attach(struct sim_client *c, struct record *record);
void sim_client_cut(struct sim_client *c, bool cut);         /* from all servers and from the Sentinels */
void sim_client_blind(struct sim_client *c, bool blind);     /* hears nothing of promotions */
void sim_client_pause(struct sim_client *c, uint64_t until); /* the process stands still */
void sim_client_crash(struct sim_client *c); /* the process is gone with its record, which the caller frees;
                                              * the client may be attached again */

/* ---- servers ---- */
void sim_redis_pause(struct sim_redis *s, unsigned server, uint64_t until);
void sim_redis_kill(struct sim_redis *s, unsigned server);
/* With its data as it was, or empty. A replica of the master of now, or the master if it was never replaced.
 */
void sim_redis_start(struct sim_redis *s, unsigned server, bool empty);
void sim_redis_link(struct sim_redis *s, unsigned server, bool up); /* of a replica to its master */
/* The replica that is furthest becomes master and the clients hear of it after told_after; false: none lives.
 * The old one goes on believing that it is master when stale, until sim_redis_demote. */
bool sim_redis_promote(struct sim_redis *s, bool stale, uint64_t told_after);
void sim_redis_demote(struct sim_redis *s, unsigned server);
/* HSET or HDEL (raw NULL) by hand on the master, and replicated. */
void sim_redis_hand(struct sim_redis *s, enum record_table table, struct slice field,
                    const struct slice *raw);
int sim_redis_master(const struct sim_redis *s); /* the true one */
bool sim_redis_is_alive(const struct sim_redis *s, unsigned server);
bool sim_redis_linked(const struct sim_redis *s, unsigned server); /* master, or a replica that follows it */
const struct sim_data *sim_redis_data(const struct sim_redis *s, unsigned server);
struct sim_data *sim_redis_data_change(struct sim_redis *s,
                                       unsigned server); /* for what Redis must never do */

#endif
