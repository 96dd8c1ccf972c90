/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cores should know, as it is set: each change is marked for every core and travels later. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed/feed_impl.h"

bool feed_user_set(struct feed *feed, const struct hg_user_key *key, uint16_t node)
{
    if (node < 1 || node >= HG_NODES_MAX)
        return false;
    return mirror_set(&feed->users, key, node);
}

void feed_user_remove(struct feed *feed, const struct hg_user_key *key)
{
    /* Until the end of a resynchronisation cores may hold users that this control plane has never heard of.
     * Without memory for that, the end sweeps them. */
    for (unsigned i = 0; feed->segment.header && i < feed->segment.cores; i++)
        if (!feed_core_whole(feed, i)) {
            (void)mirror_forget(&feed->users, key);
            return;
        }
    mirror_remove(&feed->users, key);
}

uint16_t feed_user_find(const struct feed *feed, const struct hg_user_key *key)
{
    return mirror_find(&feed->users, key);
}

uint64_t feed_user_count(const struct feed *feed)
{
    return feed->users.present;
}

void feed_users_loaded(struct feed *feed)
{
    feed->users_loaded = true;
    for (unsigned i = 0; i < feed->segment.cores && feed->segment.header; i++) {
        feed->core[i].users_end = feed->users.queue[i].pushed;
        feed->core[i].contacts_end = feed->contacts.keys.queue[i].pushed;
    }
}

bool feed_node_set(struct feed *feed, uint16_t node, const char *name, const struct hg_endpoint *sip,
                   bool self)
{
    if (node < 1 || node >= HG_NODES_MAX || strlen(name) > HG_NODE_NAME_MAX)
        return false;
    struct feed_node fresh = {.present = sip != NULL, .self = self};
    if (sip)
        fresh.sip = *sip;
    snprintf(fresh.name, sizeof(fresh.name), "%s", name);
    struct feed_node *n = &feed->node[node];
    fresh.pair = n->pair && n->present && fresh.present;
    if (n->present == fresh.present && n->self == fresh.self && hg_endpoint_eq(&n->sip, &fresh.sip) &&
        strcmp(n->name, fresh.name) == 0)
        return true;
    *n = fresh;
    feed->change++;
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        feed->core[i].others.nodes |= 1ull << node;
    return true;
}

bool feed_image_set(struct feed *feed, uint64_t generation, uint64_t size, const char *name)
{
    if (generation == 0 || size == 0 || strlen(name) >= sizeof(feed->image.name))
        return false;
    feed->change++;
    feed->image = (struct feed_image){.generation = generation, .size = size, .change = feed->change};
    memcpy(feed->image.name, name, strlen(name));
    feed->known[feed->nknown % IMAGES_KNOWN].generation = generation;
    feed->known[feed->nknown % IMAGES_KNOWN].change = feed->change;
    feed->nknown++;
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        feed->core[i].others.image = true;
    return true;
}

bool feed_setting(struct feed *feed, const char *path, const char *value)
{
    unsigned at = 0;
    if (strlen(path) > SETTING_PATH_MAX || strlen(value) > SETTING_VALUE_MAX)
        return false;
    while (at < feed->nsettings && strcmp(feed->setting[at]->path, path) != 0)
        at++;
    if (at == feed->nsettings) {
        if (at == SETTINGS_MAX || !(feed->setting[at] = calloc(1, sizeof(struct feed_setting))))
            return false;
        feed->nsettings++;
        snprintf(feed->setting[at]->path, sizeof(feed->setting[at]->path), "%s", path);
    } else if (strcmp(feed->setting[at]->value, value) == 0) {
        return true;
    }
    snprintf(feed->setting[at]->value, sizeof(feed->setting[at]->value), "%s", value);
    feed->change++;
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        feed->core[i].others.settings[at / 64] |= 1ull << at % 64;
    return true;
}

bool feed_drain(struct feed *feed, bool on, uint32_t retry_after_s)
{
    if (retry_after_s > 86400)
        return false;
    feed->drain_known = true;
    feed->drain_on = on;
    feed->drain_retry_after_s = retry_after_s;
    feed->change++;
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        feed->core[i].others.drain = true;
    return true;
}

bool feed_connections(struct feed *feed, const struct hg_down_connections *ask)
{
    if (!ask->id || ask->max > HG_CONNECTIONS_MAX || ask->peer.bits > 128 || ask->end > 1)
        return false;
    feed->connections = *ask;
    feed->change++;
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        feed->core[i].others.connections = feed->segment.header != NULL;
    return true;
}

bool feed_trace(struct feed *feed, const struct hg_down_trace *filter)
{
    const struct hg_down_trace *t = filter;
    if (t->on &&
        (t->count < 1 || t->count > HG_TRACE_COUNT_MAX || t->seconds < 1 || t->seconds > HG_TRACE_TIME_MAX ||
         t->rate < 1 || t->rate > HG_TRACE_RATE_MAX || t->method_len > sizeof(t->method) ||
         t->from_len > sizeof(t->from) || t->to_len > sizeof(t->to) || t->uri_len > sizeof(t->uri) ||
         t->call_id_len > sizeof(t->call_id) || t->peer.bits > 128))
        return false;
    feed->trace = *t;
    feed->change++;
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        feed->core[i].others.trace = feed->segment.header != NULL;
    return true;
}
