/* SPDX-License-Identifier: BSD-2-Clause */
/* Which Redis is the master, as the Sentinels say: each is asked several times a second and at once when one
 * of them tells of a promotion. Of different answers the one of the newest configuration epoch counts. */
#ifndef CONTROLPLANE_STORE_SENTINEL_H
#define CONTROLPLANE_STORE_SENTINEL_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/limits.h"
#include "store/redis.h"

#define SENTINELS_MAX 16

struct sentinels;
struct log;
struct alarms;

struct sentinels_options {
    uv_loop_t *loop;
    const char (*address)[HG_SENTINEL_MAX + 1]; /* "192.0.2.1:26379" */
    unsigned n;
    const char *master_name, *password;
    struct redis_tls *tls; /* NULL: in clear */
    unsigned timeout_ms;
    void (*on_master)(void *arg, const char *host, uint16_t port);
    void *arg;
    struct log *log;
    struct alarms *alarms;
};

struct sentinels *sentinels_create(const struct sentinels_options *options);
void sentinels_close(struct sentinels *s);

/* Asks a majority of all Sentinels, now: true when none of them knows of a promotion that was begun, false
 * when there is one or no majority answers. What the master and a replica had before the call is then not
 * lost by a promotion that nobody has told us of: without this a master that stood still, was replaced and
 * goes on, confirms with a replica that was not told of the new one yet. answered comes once, also inside of
 * the call. */
typedef void (*sentinels_certain_done)(void *arg, bool certain);
void sentinels_ask_certain(void *s, sentinels_certain_done answered, void *arg);
/* Whether a master without any replica is certainly still the master, alone_ms after it lost the last one: a
 * majority has been saying so without a break and a doubt for longer than a promotion takes
 * (failover-timeout). */
bool sentinels_settled(void *s, uint64_t alone_ms);
/* ns since a majority had voted for the promotion that made the master of now, as far as we heard: what was
 * sent to a master before it later than that was confirmed to nobody (sentinels_ask_certain: whoever asks a
 * majority meets one of the voters). 0: not known. Said once: the same master started anew was promoted by
 * nobody. */
uint64_t sentinels_take_fence(struct sentinels *s);
unsigned sentinels_answering(const struct sentinels *s);

#endif
