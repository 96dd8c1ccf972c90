/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams begin and end here, and events find their owner; bytes go straight through (stream.h). */
#include "stream/stream.h"

#include <string.h>

#include <rte_malloc.h>

/* TCP's cookie: whose it is, and the owner's own. */
#define COOKIE(service, cookie) ((uint32_t)(service) << 28 | ((cookie)&STREAM_COOKIE_MAX))

static bool is_stream(const struct hg_config_listener *l)
{
    return l->ep.proto == HG_TCP;
}

static bool listen_at(struct stream *s, const struct hg_endpoint *ep, uint16_t listener)
{
    const struct tcp_listen_options options = {
        .connections_max = s->ctx->config->listeners[listener].connections_max,
    };
    return tcp_listen(s->tcp, ep, listener, &options);
}

static bool listen_all(struct stream *s)
{
    const struct hg_config *config = s->ctx->config;
    for (uint32_t i = 0; i < config->nlisteners; i++)
        if (is_stream(&config->listeners[i]) && !listen_at(s, &config->listeners[i].ep, (uint16_t)i))
            return false;
    for (unsigned i = 0; i < s->nplaces; i++)
        listen_at(s, &s->place[i].ep, s->place[i].listener);
    return true;
}

struct stream *stream_create(struct ctx *ctx, struct tcp *tcp)
{
    struct stream *s = rte_zmalloc("stream", sizeof(*s), 64);
    if (!s)
        return NULL;
    s->ctx = ctx;
    s->tcp = tcp;
    if (listen_all(s))
        return s;
    stream_destroy(s);
    return NULL;
}

void stream_destroy(struct stream *s)
{
    rte_free(s);
}

/* ---- events ---- */

static uint8_t bits_of(uint8_t tcp)
{
    static const struct {
        uint8_t tcp, stream;
    } to[] = {
        {TCP_EVENT_ACCEPTED, STREAM_OPEN},           {TCP_EVENT_CONNECTED, STREAM_OPEN},
        {TCP_EVENT_READABLE, STREAM_READABLE},       {TCP_EVENT_WRITABLE, STREAM_WRITABLE},
        {TCP_EVENT_PEER_CLOSED, STREAM_PEER_CLOSED}, {TCP_EVENT_FAILED, STREAM_FAILED},
        {TCP_EVENT_CLOSED, STREAM_CLOSED},
    };
    uint8_t bits = 0;
    for (unsigned i = 0; i < sizeof(to) / sizeof(to[0]); i++)
        bits |= tcp & to[i].tcp ? to[i].stream : 0;
    return bits;
}

static uint8_t service_of(const struct stream *s, const struct tcp_event *e)
{
    if (e->listener < s->ctx->config->nlisteners)
        return s->ctx->config->listeners[e->listener].service;
    return (uint8_t)(e->cookie >> 28);
}

unsigned stream_events(struct stream *s, const struct stream_event **events)
{
    const struct tcp_event *t;
    unsigned n = tcp_events(s->tcp, &t);
    *events = s->event;
    for (unsigned i = 0; i < n; i++)
        s->event[i] = (struct stream_event){
            .id = t[i].id,
            .cookie = t[i].cookie & STREAM_COOKIE_MAX,
            .listener = t[i].listener,
            .bits = bits_of(t[i].bits),
            .reason = t[i].reason,
            .service = service_of(s, &t[i]),
        };
    return n;
}

/* ---- beginnings ---- */

stream_id stream_connect(struct stream *s, enum hg_service service, const struct hg_endpoint *local,
                         const struct hg_endpoint *remote, const char *name, uint32_t cookie)
{
    (void)name;
    if (remote->proto != HG_TCP)
        return 0;
    return tcp_connect(s->tcp, local, remote, COOKIE(service, cookie));
}

void stream_set_cookie(struct stream *s, stream_id id, uint32_t cookie)
{
    struct tcp_info info;
    if (tcp_info(s->tcp, id, &info))
        tcp_set_cookie(s->tcp, id, COOKIE(info.cookie >> 28, cookie));
}

bool stream_peer(const struct stream *s, stream_id id, struct stream_peer *out)
{
    struct tcp_info info;
    if (!tcp_info(s->tcp, id, &info))
        return false;
    *out = (struct stream_peer){.local = info.local, .remote = info.remote, .listener = info.listener};
    out->local.proto = out->remote.proto = HG_TCP;
    return true;
}

void stream_drain(struct stream *s, bool on)
{
    const struct hg_config *config = s->ctx->config;
    if (s->draining == on)
        return;
    s->draining = on;
    if (!on) {
        listen_all(s);
        return;
    }
    for (uint32_t i = 0; i < config->nlisteners; i++)
        if (is_stream(&config->listeners[i]))
            tcp_unlisten(s->tcp, &config->listeners[i].ep);
    for (unsigned i = 0; i < s->nplaces; i++)
        tcp_unlisten(s->tcp, &s->place[i].ep);
}
