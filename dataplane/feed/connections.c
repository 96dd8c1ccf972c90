/* SPDX-License-Identifier: BSD-2-Clause */
/* The control plane asks which connections there are, or has some of them ended. A core may have a million:
 * it looks at a few of them each turn, and a page that the ring does not take waits. */
#include "feed/core_feed_impl.h"
#include "lib/log_out.h"

#define LOOK 256

static_assert((int)TCP_TIME_WAIT == (int)HG_CONNECTION_time_wait &&
                  (int)TCP_ESTABLISHED == (int)HG_CONNECTION_established,
              "the states have the same numbers");

bool feed_take_connections(struct feed *feed, const struct hg_record *r)
{
    const struct hg_down_connections *d = (const void *)r;
    if (r->length != sizeof(*d) || d->end > 1 || d->peer.bits > 128 || d->max > HG_CONNECTIONS_MAX)
        return false;
    feed->connections = (struct feed_connections){.ask = *d};
    return true;
}

static bool fits(const struct hg_down_connections *ask, const struct tcp_info *c)
{
    return (!ask->connection || ask->connection == c->id) &&
           (ask->state == HG_CONNECTION_ANY || ask->state == c->state) &&
           (ask->listener == HG_LISTENER_ANY || ask->listener == c->listener) &&
           (!ask->peer.bits || hg_net_contains(&ask->peer, &c->remote.ip));
}

static uint8_t proto_of(const struct feed *feed, const struct tcp_info *c)
{
    const struct hg_config *config = feed->setup.ctx->config;
    return c->listener < config->nlisteners ? config->listeners[c->listener].ep.proto : (uint8_t)HG_TCP;
}

static struct hg_connection row_of(const struct feed *feed, const struct tcp_info *c)
{
    struct hg_connection row = {
        .id = c->id,
        .local = c->local,
        .remote = c->remote,
        .listener = c->listener,
        .state = c->state,
        .orphan = c->orphan,
        .srtt_us = c->srtt_us,
        .cwnd = c->cwnd,
        .unacked = c->unacked,
        .unread = c->unread,
        .retransmits = c->retransmits,
        .bytes_in = c->bytes_in,
        .bytes_out = c->bytes_out,
        .age_ms = c->age_ms,
        .idle_ms = c->idle_ms,
    };
    row.local.proto = row.remote.proto = proto_of(feed, c);
    return row;
}

/* A page of those that match, from where the last one ended. */
static void look_on(struct feed *feed, struct feed_connections *q)
{
    struct tcp_info info[HG_CONNECTIONS_PAGE];
    unsigned n = 0;
    bool mine = q->ask.core == HG_CORE_ANY || q->ask.core == feed->setup.ctx->core;
    bool more = mine && tcp_walk(feed->setup.tcp, &q->at, LOOK, info, HG_CONNECTIONS_PAGE, &n);
    struct hg_up_connections *page = (void *)q->page;
    page->n = 0;
    for (unsigned i = 0; i < n && q->found < q->ask.max; i++) {
        if (!fits(&q->ask, &info[i]))
            continue;
        page->row[page->n++] = row_of(feed, &info[i]);
        q->found++;
        if (q->ask.end)
            tcp_kill(feed->setup.tcp, info[i].id);
    }
    page->done = !more || q->found >= q->ask.max;
    q->waiting = page->n > 0 || page->done;
}

unsigned feed_tell_connections(struct feed *feed)
{
    struct feed_connections *q = &feed->connections;
    if (!q->ask.id)
        return 0;
    if (!q->waiting)
        look_on(feed, q);
    if (!q->waiting)
        return 1;
    struct hg_up_connections *out = (void *)q->page;
    uint32_t length = (uint32_t)(sizeof(*out) + out->n * sizeof(out->row[0]));
    out->r = (struct hg_record){.type = HG_UP_CONNECTIONS};
    out->id = q->ask.id;
    out->found = q->found;
    if (!log_record(feed->setup.ctx, &out->r, length))
        return 0;
    q->waiting = false;
    if (out->done)
        q->ask.id = 0;
    return 1;
}
