/* SPDX-License-Identifier: BSD-2-Clause */
/* The narrow waist: ordered bytes up as slices, bytes down, with back-pressure, the same calls whatever is
 * under it. A plain connection costs nothing here: its id is TCP's, and the calls are TCP's. The id of one by
 * TLS is marked, and the calls are those of tls/.
 *
 * Who gets what. Each stream belongs to a service: by its listener, or by who opened it. An event names it,
 * and core/ gives each service its own events. The owner may give a stream a cookie of 28 bits, which comes
 * back in every event of it. */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/config.h"
#include "hg/endpoint.h"
#include "hg/slice.h"
#include "lib/ctx.h"
#include "tcp/tcp.h"
#include "tls/tls.h"

/* Of the connection below; 0: none. A stale one is refused, never taken for another stream. */
typedef uint64_t stream_id;

enum stream_bits {
    STREAM_OPEN = 1,        /* it may be used from here on: accepted, or connected */
    STREAM_READABLE = 2,    /* more than before */
    STREAM_WRITABLE = 4,    /* after a stream_write() that was short */
    STREAM_PEER_CLOSED = 8, /* what is readable now is all */
    STREAM_FAILED = 16,     /* and gone: reason; what was unread is lost */
    STREAM_CLOSED = 32,     /* gone: the id dies with this event */
};

#define STREAM_COOKIE_MAX 0x0fffffffu

struct stream_event {
    stream_id id;
    uint32_t cookie;
    uint16_t listener; /* index in config->listeners; STREAM_NO_LISTENER: opened from here */
    uint8_t bits;      /* enum stream_bits */
    uint8_t reason;    /* enum tcp_reason */
    uint8_t service;   /* enum hg_service */
};
#define STREAM_NO_LISTENER TCP_LISTENER_NONE

#define STREAM_EVENTS_MAX (TCP_EVENTS_MAX + TLS_EVENTS_MAX)

#define STREAM_SERVICE_PLACES 128 /* endpoints on service addresses */
#define STREAM_LOST_MAX       64

struct stream_place { /* a listener's port on a service address */
    struct hg_endpoint ep;
    uint16_t listener;
    bool kept;
};

struct stream {
    struct ctx *ctx;
    struct tcp *tcp;
    struct tls *tls; /* NULL: this core has none */
    bool draining;
    unsigned nplaces;
    struct stream_place place[STREAM_SERVICE_PLACES];
    unsigned nlost; /* addresses that were ours: what is left on them is ended, a few connections a turn */
    uint32_t sweep_at;
    struct hg_ip lost[STREAM_LOST_MAX];
    struct stream_event event[STREAM_EVENTS_MAX];
};

/* Listens where the configuration says. NULL: no memory. */
struct stream *stream_create(struct ctx *ctx, struct tcp *tcp, struct tls *tls);
void stream_destroy(struct stream *s);

/* ---- stages of the turn ---- */
/* What happened since the last call, valid until the next one; to be asked until there is nothing. */
unsigned stream_events(struct stream *s, const struct stream_event **events);
void stream_housekeeping(struct stream *s);
/* The service addresses that this node holds now: listeners are there as well, on the same ports. What is
 * open on one that is gone ends. false: no room for all of them. */
bool stream_service_set(struct stream *s, const struct hg_ip *ip, unsigned n);
/* No new connections; those that are open go on. */
void stream_drain(struct stream *s, bool on);

/* ---- a stream ---- */
/* proto: of remote. local: all zero for the address that the route gives, port 0 for any. name: of the other
 * side, for SNI and its certificate. The outcome is an event: OPEN, or FAILED. 0: refused and counted. */
stream_id stream_connect(struct stream *s, enum hg_service service, const struct hg_endpoint *local,
                         const struct hg_endpoint *remote, const char *name, uint32_t cookie);
void stream_set_cookie(struct stream *s, stream_id id, uint32_t cookie);

struct stream_peer {
    struct hg_endpoint local, remote; /* with the protocol */
    uint16_t listener;
};
/* false: no such stream. */
bool stream_peer(const struct stream *s, stream_id id, struct stream_peer *out);

/* A mark that no index of tcp/ and tls/ reaches. */
#define STREAM_TLS_MARK 0x80000000u
static inline bool stream_is_tls(stream_id id)
{
    return id & STREAM_TLS_MARK;
}

static inline tls_id stream_tls_id(stream_id id)
{
    return id & ~(stream_id)STREAM_TLS_MARK;
}

/* Who the other side is by its certificate, name and ALPN; false: not by TLS, or not open yet. */
static inline bool stream_tls_peer(const struct stream *s, stream_id id, struct tls_peer *out)
{
    return stream_is_tls(id) && tls_peer(s->tls, stream_tls_id(id), out);
}

/* Received and not consumed, valid until the turn's end or the consume that takes it. Returns how many
 * slices. */
static inline unsigned stream_peek(struct stream *s, stream_id id, struct slice *out, unsigned max)
{
    return stream_is_tls(id) ? tls_peek(s->tls, stream_tls_id(id), out, max) : tcp_peek(s->tcp, id, out, max);
}

static inline void stream_consume(struct stream *s, stream_id id, uint32_t bytes)
{
    if (stream_is_tls(id))
        tls_consume(s->tls, stream_tls_id(id), bytes);
    else
        tcp_consume(s->tcp, id, bytes);
}

static inline uint32_t stream_readable(const struct stream *s, stream_id id)
{
    return stream_is_tls(id) ? tls_readable(s->tls, stream_tls_id(id)) : tcp_readable(s->tcp, id);
}

/* Copies. Returns the bytes taken; when they are fewer than given, WRITABLE follows. */
static inline uint32_t stream_write(struct stream *s, stream_id id, const struct slice *in, unsigned n)
{
    return stream_is_tls(id) ? tls_write(s->tls, stream_tls_id(id), in, n) : tcp_write(s->tcp, id, in, n);
}

static inline uint32_t stream_room(const struct stream *s, stream_id id)
{
    return stream_is_tls(id) ? tls_room(s->tls, stream_tls_id(id)) : tcp_room(s->tcp, id);
}

/* What was written leaves now, not at the end of the turn. */
static inline void stream_flush(struct stream *s, stream_id id)
{
    if (stream_is_tls(id))
        tls_flush(s->tls, stream_tls_id(id));
    else
        tcp_flush(s->tcp, id);
}

/* Nothing more is written; reading goes on. */
static inline void stream_shutdown(struct stream *s, stream_id id)
{
    if (stream_is_tls(id))
        tls_shutdown(s->tls, stream_tls_id(id));
    else
        tcp_shutdown(s->tcp, id);
}

/* The same, and the owner forgets the id: no more events. */
static inline void stream_close(struct stream *s, stream_id id)
{
    if (stream_is_tls(id))
        tls_close(s->tls, stream_tls_id(id));
    else
        tcp_close(s->tcp, id);
}

/* Reset, and the owner forgets the id. */
static inline void stream_abort(struct stream *s, stream_id id)
{
    if (stream_is_tls(id))
        tls_abort(s->tls, stream_tls_id(id));
    else
        tcp_abort(s->tcp, id);
}

#endif
