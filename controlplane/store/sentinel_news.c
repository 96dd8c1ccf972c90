/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/sentinel_news.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Every promotion begins with votes of a majority, or with a manual failover at one Sentinel. */
static bool is_promotion(const char *channel)
{
    static const char *const begun[] = {"+try-failover", "+failover-", "+selected-slave", "+promoted-slave",
                                        "+elected-leader"};

    for (unsigned i = 0; i < sizeof(begun) / sizeof(begun[0]); i++)
        if (strncmp(channel, begun[i], strlen(begun[i])) == 0)
            return true;
    return false;
}

/* "master NAME IP PORT", or "slave NAME IP PORT @ MASTER-NAME IP PORT". */
static bool is_of(const char *text, const struct sentinel_master *now)
{
    char ip[64];
    unsigned port;
    const char *at = strstr(text, " @ ");

    if (at ? sscanf(at, " @ %*s %63s %u", ip, &port) != 2 : sscanf(text, "%*s %*s %63s %u", ip, &port) != 2)
        return true; /* of another form: rather a doubt too many */
    return port == now->port && strcmp(ip, now->host) == 0;
}

bool sentinel_news_vote(const char *channel, const char *text, uint64_t *epoch)
{
    return strcmp(channel, "+vote-for-leader") == 0 &&
           sscanf(text, "%*s %" SCNu64, epoch) == 1; /* "LEADER EPOCH" */
}

bool sentinel_news_doubt(const char *channel, const char *text, const struct sentinel_master *now,
                         uint64_t *epoch)
{
    *epoch = 0;
    if (strcmp(channel, "+vote-for-leader") == 0)
        return !sentinel_news_vote(channel, text, epoch) || *epoch > now->epoch;
    return is_promotion(channel) && is_of(text, now);
}
