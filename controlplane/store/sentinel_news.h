/* SPDX-License-Identifier: BSD-2-Clause */
/* What a Sentinel publishes: does it put the master of now in doubt? */
#ifndef CONTROLPLANE_STORE_SENTINEL_NEWS_H
#define CONTROLPLANE_STORE_SENTINEL_NEWS_H

#include <stdbool.h>
#include <stdint.h>

/* The master that counts now, and the configuration epoch by which it became that. */
struct sentinel_master {
    const char *host;
    uint16_t port;
    uint64_t epoch;
};

/* True when the message tells of a promotion that may replace the master of now. The leader goes on telling
 * of a promotion after the others have named the new master (+failover-end): that one is of the past. *epoch:
 * of the promotion, 0 where the message does not say it. */
bool sentinel_news_doubt(const char *channel, const char *text, const struct sentinel_master *now,
                         uint64_t *epoch);
/* True when it tells of a vote in this epoch. */
bool sentinel_news_vote(const char *channel, const char *text, uint64_t *epoch);

#endif
