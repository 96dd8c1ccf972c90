/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams begin and end here, and events find their owner; bytes go straight through (stream.h). */
#include "stream/stream.h"

#include <string.h>

#include <rte_malloc.h>

/* TCP's or TLS' cookie: whose it is, and the owner's own. */
#define COOKIE(service, cookie) ((uint32_t)(service) << 28 | ((cookie)&STREAM_COOKIE_MAX))
/* Where TLS stands over TCP, the cookie of TCP: no service, and the index of TLS. */
#define OVER       15u
#define OVER_INDEX STREAM_COOKIE_MAX

static bool is_stream(const struct stream *s, const struct hg_config_listener *l)
{
    return l->ep.proto == HG_TCP || (l->ep.proto == HG_TLS && s->tls);
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
        if (is_stream(s, &config->listeners[i]) && !listen_at(s, &config->listeners[i].ep, (uint16_t)i))
            return false;
    for (unsigned i = 0; i < s->nplaces; i++)
        listen_at(s, &s->place[i].ep, s->place[i].listener);
    return true;
}

struct stream *stream_create(struct ctx *ctx, struct tcp *tcp, struct tls *tls)
{
    struct stream *s = rte_zmalloc("stream", sizeof(*s), 64);
    if (!s)
        return NULL;
    s->ctx = ctx;
    s->tcp = tcp;
    s->tls = tls;
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

static uint8_t service_of(const struct stream *s, uint16_t listener, uint32_t cookie)
{
    if (listener < s->ctx->config->nlisteners)
        return s->ctx->config->listeners[listener].service;
    return (uint8_t)(cookie >> 28);
}

/* TLS begins where a listener for it has got a connection. */
static void tls_begin(struct stream *s, const struct tcp_event *e)
{
    tls_id id = tls_accept(s->tls, e->id, e->listener, 0);

    if (id == 0) {
        tcp_abort(s->tcp, e->id);
        return;
    }
    tcp_set_cookie(s->tcp, e->id, COOKIE(OVER, (uint32_t)id));
    tls_input(s->tls, id, e);
}

/* true: it was TLS', whose own events follow. */
static bool is_below(struct stream *s, const struct tcp_event *e)
{
    if (e->cookie >> 28 == OVER) {
        tls_input(s->tls, tls_over(s->tls, e->cookie & OVER_INDEX, e->id), e);
        return true;
    }
    if (e->listener >= s->ctx->config->nlisteners ||
        s->ctx->config->listeners[e->listener].ep.proto != HG_TLS)
        return false;
    if (!(e->bits & (TCP_EVENT_FAILED | TCP_EVENT_CLOSED))) /* came and went: nobody has heard of it */
        tls_begin(s, e);
    return true;
}

static unsigned events_of_tcp(struct stream *s, const struct tcp_event *t, unsigned n,
                              struct stream_event *out)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < n; i++) {
        if (s->tls && is_below(s, &t[i]))
            continue;
        out[taken++] = (struct stream_event){
            .id = t[i].id,
            .cookie = t[i].cookie & STREAM_COOKIE_MAX,
            .listener = t[i].listener,
            .bits = bits_of(t[i].bits),
            .reason = t[i].reason,
            .service = service_of(s, t[i].listener, t[i].cookie),
        };
    }
    return taken;
}

static_assert((int)TLS_OPEN == STREAM_OPEN && (int)TLS_READABLE == STREAM_READABLE &&
                  (int)TLS_WRITABLE == STREAM_WRITABLE && (int)TLS_PEER_CLOSED == STREAM_PEER_CLOSED &&
                  (int)TLS_FAILED == STREAM_FAILED && (int)TLS_CLOSED == STREAM_CLOSED,
              "the same bits");

static unsigned events_of_tls(struct stream *s, struct stream_event *out)
{
    const struct tls_event *t;
    unsigned n = tls_events(s->tls, &t);

    for (unsigned i = 0; i < n; i++)
        out[i] = (struct stream_event){
            .id = t[i].id | STREAM_TLS_MARK,
            .cookie = t[i].cookie & STREAM_COOKIE_MAX,
            .listener = t[i].listener,
            .bits = t[i].bits,
            .reason = t[i].reason,
            .service = service_of(s, t[i].listener, t[i].cookie),
        };
    return n;
}

unsigned stream_events(struct stream *s, const struct stream_event **events)
{
    const struct tcp_event *t;
    unsigned n = 0, got;

    *events = s->event;
    do {
        got = tcp_events(s->tcp, &t);
        n += events_of_tcp(s, t, got, s->event + n);
    } while (got == TCP_EVENTS_MAX && n + TCP_EVENTS_MAX <= STREAM_EVENTS_MAX);
    if (s->tls && n + TLS_EVENTS_MAX <= STREAM_EVENTS_MAX)
        n += events_of_tls(s, s->event + n);
    return n;
}

/* ---- beginnings ---- */

/* The first words of TLS wait in tcp/ until the connection is there. */
static stream_id connect_tls(struct stream *s, const struct hg_endpoint *local,
                             const struct hg_endpoint *remote, const char *name, uint32_t cookie)
{
    tcp_id below = s->tls ? tcp_connect(s->tcp, local, remote, 0) : 0;
    if (below == 0)
        return 0;
    tls_id id = tls_connect(s->tls, below, name, cookie);
    if (id == 0) {
        tcp_abort(s->tcp, below);
        return 0;
    }
    tcp_set_cookie(s->tcp, below, COOKIE(OVER, (uint32_t)id));
    return id | STREAM_TLS_MARK;
}

stream_id stream_connect(struct stream *s, enum hg_service service, const struct hg_endpoint *local,
                         const struct hg_endpoint *remote, const char *name, uint32_t cookie)
{
    if (remote->proto == HG_TLS)
        return connect_tls(s, local, remote, name, COOKIE(service, cookie));
    if (remote->proto != HG_TCP)
        return 0;
    return tcp_connect(s->tcp, local, remote, COOKIE(service, cookie));
}

void stream_set_cookie(struct stream *s, stream_id id, uint32_t cookie)
{
    struct tcp_info info;
    uint32_t service;

    if (stream_is_tls(id)) {
        service = tls_cookie(s->tls, stream_tls_id(id)) >> 28;
        tls_set_cookie(s->tls, stream_tls_id(id), COOKIE(service, cookie));
    } else if (tcp_info(s->tcp, id, &info)) {
        tcp_set_cookie(s->tcp, id, COOKIE(info.cookie >> 28, cookie));
    }
}

bool stream_peer(const struct stream *s, stream_id id, struct stream_peer *out)
{
    struct tcp_info info;
    tcp_id below = stream_is_tls(id) ? tls_below(s->tls, stream_tls_id(id)) : id;

    if (!tcp_info(s->tcp, below, &info))
        return false;
    *out = (struct stream_peer){.local = info.local, .remote = info.remote, .listener = info.listener};
    out->local.proto = out->remote.proto = stream_is_tls(id) ? HG_TLS : HG_TCP;
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
        if (is_stream(s, &config->listeners[i]))
            tcp_unlisten(s->tcp, &config->listeners[i].ep);
    for (unsigned i = 0; i < s->nplaces; i++)
        tcp_unlisten(s->tcp, &s->place[i].ep);
}
