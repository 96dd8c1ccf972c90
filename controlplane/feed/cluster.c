/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cores should know of the cluster: who serves whom, contacts, service addresses, the lease of who
 * has no high availability. */
#include <string.h>

#include "feed/feed_impl.h"
#include "hg/contacts.h"

bool feed_node_pair(struct feed *feed, uint16_t node, bool pair)
{
    if (node < 1 || node >= HG_NODES_MAX || !feed->node[node].present)
        return false;
    if (feed->node[node].pair == pair)
        return true;
    feed->node[node].pair = pair;
    feed->change++;
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        feed->core[i].others.nodes |= 1ull << node;
    return true;
}

bool feed_serving_set(struct feed *feed, const uint16_t serving[HG_NODES_MAX], uint64_t epoch)
{
    struct feed_serving fresh = {.epoch = epoch};
    for (unsigned i = 1; i < HG_NODES_MAX; i++) {
        if (serving[i] >= HG_NODES_MAX)
            return false;
        fresh.node[i] = serving[i];
    }
    if (feed->serving_known && memcmp(&fresh, &feed->serving, sizeof(fresh)) == 0)
        return true;
    feed->serving_known = true;
    feed->serving = fresh;
    feed->serving_change++;
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        feed->core[i].urgent.serving = true;
    return true;
}

bool feed_contacts_set(struct feed *feed, const struct hg_user_key *key, const void *contacts,
                       uint32_t length, unsigned n)
{
    if (!hg_contacts_check(contacts, length, n))
        return false;
    if (n)
        return contacts_set(&feed->contacts, key, contacts, length, n);
    feed_contacts_remove(feed, key);
    return true;
}

void feed_contacts_remove(struct feed *feed, const struct hg_user_key *key)
{
    bool tell = false;
    for (unsigned i = 0; feed->segment.header && i < feed->segment.cores; i++)
        tell |= !feed_core_whole(feed, i);
    contacts_remove(&feed->contacts, key, tell);
}

uint64_t feed_contacts_count(const struct feed *feed)
{
    return feed->contacts.keys.present;
}

bool feed_service_addresses(struct feed *feed, uint16_t home, const struct hg_net *net, unsigned n)
{
    struct feed_service fresh = {.n = (uint16_t)n};
    if (home < 1 || home >= HG_NODES_MAX || n > HG_SERVICE_MAX)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (net[i].bits > 128)
            return false;
        fresh.net[i] = (struct hg_net){.ip = net[i].ip, .bits = net[i].bits};
    }
    if (memcmp(&fresh, &feed->service[home], sizeof(fresh)) == 0)
        return true;
    feed->service[home] = fresh;
    feed->change++;
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        feed->core[i].others.services |= 1ull << home;
    return true;
}

void feed_serve_attached(struct feed *feed)
{
    if (!feed->serve_always || !feed->segment.header)
        return;
    /* the word belongs to a lease: who begins one later must not take an old one for this deadline's */
    atomic_store_explicit(&feed->segment.header->serve_epoch, 0, memory_order_release);
    atomic_store_explicit(&feed->segment.header->serve_until, UINT64_MAX, memory_order_release);
}

bool feed_unseen(const struct feed *feed)
{
    return !feed->segment.header && feed->refused[0];
}

void feed_serve_always(struct feed *feed, bool on)
{
    feed->serve_always = on;
    feed_serve_attached(feed);
}
