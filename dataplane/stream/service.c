/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners on service addresses: on the ports of those of the configuration, as long as the address is this
 * node's. What is open on an address that went elsewhere can neither send nor receive any more: it ends here,
 * and its owner is told. */
#include <string.h>

#include "stream/stream.h"

#define SWEEP_LOOK  256 /* connections that one look passes */
#define SWEEP_FOUND 32

static struct stream_place *place_of(struct stream *s, const struct hg_ip *ip, uint16_t listener)
{
    for (unsigned i = 0; i < s->nplaces; i++)
        if (s->place[i].listener == listener && hg_ip_eq(&s->place[i].ep.ip, ip))
            return &s->place[i];
    return NULL;
}

/* Several listeners may have one port; the first of them speaks. */
static bool port_is_taken(const struct hg_config *config, uint32_t listener)
{
    for (uint32_t i = 0; i < listener; i++)
        if (config->listeners[i].ep.proto == config->listeners[listener].ep.proto &&
            config->listeners[i].ep.port == config->listeners[listener].ep.port)
            return true;
    return false;
}

static bool place_add(struct stream *s, const struct hg_ip *ip, uint16_t listener)
{
    const struct hg_config_listener *l = &s->ctx->config->listeners[listener];
    const struct tcp_listen_options options = {.connections_max = l->connections_max, .fenced = true};
    if (s->nplaces == STREAM_SERVICE_PLACES)
        return false;
    struct stream_place *p = &s->place[s->nplaces];
    *p = (struct stream_place){.ep = l->ep, .listener = listener, .kept = true};
    p->ep.ip = *ip;
    if (!s->draining && !tcp_listen(s->tcp, &p->ep, listener, &options))
        return false;
    s->nplaces++;
    return true;
}

static bool address_add(struct stream *s, const struct hg_ip *ip)
{
    const struct hg_config *config = s->ctx->config;
    bool all = true;
    for (uint32_t i = 0; i < config->nlisteners; i++) {
        if (config->listeners[i].ep.proto == HG_UDP || port_is_taken(config, i))
            continue;
        struct stream_place *p = place_of(s, ip, (uint16_t)i);
        if (p)
            p->kept = true;
        else
            all &= place_add(s, ip, (uint16_t)i);
    }
    return all;
}

static void lost_add(struct stream *s, const struct hg_ip *ip)
{
    s->sweep_at = 0; /* from the beginning, for all that are on the list */
    for (unsigned i = 0; i < s->nlost; i++)
        if (hg_ip_eq(&s->lost[i], ip))
            return;
    if (s->nlost < STREAM_LOST_MAX)
        s->lost[s->nlost++] = *ip;
}

static void lost_remove(struct stream *s, const struct hg_ip *ip)
{
    for (unsigned i = 0; i < s->nlost; i++)
        if (hg_ip_eq(&s->lost[i], ip)) {
            s->lost[i] = s->lost[--s->nlost];
            return;
        }
}

bool stream_service_set(struct stream *s, const struct hg_ip *ip, unsigned n)
{
    bool all = true;
    for (unsigned i = 0; i < s->nplaces; i++)
        s->place[i].kept = false;
    for (unsigned i = 0; i < n; i++) {
        all &= address_add(s, &ip[i]);
        lost_remove(s, &ip[i]);
    }
    for (unsigned i = s->nplaces; i-- > 0;) {
        if (s->place[i].kept)
            continue;
        tcp_unlisten(s->tcp, &s->place[i].ep);
        lost_add(s, &s->place[i].ep.ip);
        s->place[i] = s->place[--s->nplaces];
    }
    return all;
}

static bool is_lost(const struct stream *s, const struct hg_ip *ip)
{
    for (unsigned i = 0; i < s->nlost; i++)
        if (hg_ip_eq(&s->lost[i], ip))
            return true;
    return false;
}

void stream_housekeeping(struct stream *s)
{
    struct tcp_info info[SWEEP_FOUND];
    unsigned found = 0;
    if (s->nlost == 0)
        return;
    bool more = tcp_walk(s->tcp, &s->sweep_at, SWEEP_LOOK, info, SWEEP_FOUND, &found);
    for (unsigned i = 0; i < found; i++)
        if (is_lost(s, &info[i].local.ip))
            tcp_kill(s->tcp, info[i].id);
    if (!more)
        s->nlost = 0;
}
