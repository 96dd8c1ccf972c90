/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP (RFC 9293) for one core: connections that this core owns, from the segments of net/ to ordered bytes.
 * Nobody is called upward: what happened stands in tcp_events(), what came in tcp_peek(). */
#ifndef TCP_TCP_H
#define TCP_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "hg/slice.h"
#include "lib/ctx.h"
#include "net/net.h"
#include "net/segment.h"

struct tcp;
struct wheel_timer;

/* generation << 32 | index; 0 = none. A stale one is refused, never taken for another connection. */
typedef uint64_t tcp_id;

/* Room is taken from dataplane.tcp.* of ctx->config. NULL: no memory. */
struct tcp *tcp_create(struct ctx *ctx, struct net *net);
/* Ends everything without a word to anybody. */
void tcp_destroy(struct tcp *tcp);

struct tcp_listen_options {
    uint32_t connections_max; /* 0: as many as there is room for */
    bool fenced;              /* what is sent leaves only while the lease lasts */
};

/* The address 0.0.0.0 or :: means all of that family. listener comes back in events. false: no room, or there
 * already. */
bool tcp_listen(struct tcp *tcp, const struct hg_endpoint *ep, uint16_t listener,
                const struct tcp_listen_options *options);
/* No more connections; those that are there stay. */
void tcp_unlisten(struct tcp *tcp, const struct hg_endpoint *ep);

/* Port 0: one is chosen whose answers come home to this core; address all zero: by the route. What became of
 * it is an event: CONNECTED, or FAILED with CLOSED. 0: no room, no route or no port (counted, each by its
 * own). */
tcp_id tcp_connect(struct tcp *tcp, const struct hg_endpoint *local, const struct hg_endpoint *remote,
                   uint32_t cookie);

/* ---- the stage ---- */
/* Takes the buffers. */
void tcp_input(struct tcp *tcp, struct segment *segment, unsigned n);
void tcp_timers(struct tcp *tcp, struct wheel_timer **t, unsigned n); /* of WHEEL_TCP */
void tcp_news(struct tcp *tcp, const struct net_icmp_news *news, unsigned n);
void tcp_housekeeping(struct tcp *tcp); /* every few hundred turns */
/* Sends what is due, one ACK for all that came; keeps what was not consumed. Last thing of a turn before tx.
 */
void tcp_turn_end(struct tcp *tcp);

/* ---- events ---- */
enum tcp_event_bits {
    TCP_EVENT_ACCEPTED = 1,
    TCP_EVENT_CONNECTED = 2,
    TCP_EVENT_READABLE = 4,
    TCP_EVENT_WRITABLE = 8,     /* after a tcp_write() that was short */
    TCP_EVENT_PEER_CLOSED = 16, /* FIN: what is readable now is all */
    TCP_EVENT_FAILED = 32,      /* reset, time-out, refused: reason; what was unread is gone */
    TCP_EVENT_CLOSED = 64,      /* gone: the id dies when this event was taken */
};

enum tcp_reason {
    TCP_REASON_NONE,
    TCP_REASON_RESET,       /* by the peer */
    TCP_REASON_REFUSED,     /* a reset that answers our SYN */
    TCP_REASON_TIMEOUT,     /* nothing was acknowledged for too long */
    TCP_REASON_UNREACHABLE, /* an ICMP error ended a connection that was being opened */
    TCP_REASON_KEEPALIVE,   /* silent, and probes were not answered */
    TCP_REASON_STALLED,     /* its window stayed closed for longer than the user time-out */
    TCP_REASON_MEMORY,      /* no room to keep what it sent */
    TCP_REASON_PROTOCOL,    /* it sent after we closed */
    TCP_REASON_LOCAL,       /* tcp_kill() */
};
const char *tcp_reason_text(enum tcp_reason reason);

struct tcp_event {
    tcp_id id;
    uint32_t cookie;
    uint16_t listener;
    uint8_t bits; /* enum tcp_event_bits */
    uint8_t reason;
};

#define TCP_EVENTS_MAX 256
/* All since the last take, at most one entry a connection; valid until the next call. When it returns
 * TCP_EVENTS_MAX there may be more: work on them and ask again. */
unsigned tcp_events(struct tcp *tcp, const struct tcp_event **events);
void tcp_set_cookie(struct tcp *tcp, tcp_id id, uint32_t cookie);

/* ---- bytes ---- */
/* What is received in order and not consumed, as slices that stay valid until the turn's end or the consume
 * that takes them. Returns how many slices. */
unsigned tcp_peek(struct tcp *tcp, tcp_id id, struct slice *out, unsigned max);
void tcp_consume(struct tcp *tcp, tcp_id id, uint32_t bytes);
uint32_t tcp_readable(const struct tcp *tcp, tcp_id id);
/* Copies until acknowledged. All, or as much as there is room for: then WRITABLE follows. Returns bytes
 * taken. */
uint32_t tcp_write(struct tcp *tcp, tcp_id id, const struct slice *in, unsigned n);
uint32_t tcp_room(const struct tcp *tcp, tcp_id id);
/* As after a short tcp_write(), for those who write only what has room as a whole: WRITABLE follows. */
void tcp_want_writable(struct tcp *tcp, tcp_id id);
/* Bytes that the peer has not acknowledged yet. */
uint32_t tcp_unacked(const struct tcp *tcp, tcp_id id);
/* What was written leaves now; without it, at the end of the turn. */
void tcp_flush(struct tcp *tcp, tcp_id id);
/* FIN behind what was written; reading goes on. */
void tcp_shutdown(struct tcp *tcp, tcp_id id);
/* The same, and the upper forgets the id: no more events. Unread data means a reset (RFC 2525 section 2.17).
 * What lingers does so for dataplane.tcp.linger at most. */
void tcp_close(struct tcp *tcp, tcp_id id);
/* RST, and the upper forgets the id. */
void tcp_abort(struct tcp *tcp, tcp_id id);
/* RST, and the upper is told by FAILED and CLOSED: for whoever is not the upper (hgctl). */
void tcp_kill(struct tcp *tcp, tcp_id id);

/* ---- who is there ---- */
enum tcp_state {
    TCP_CLOSED,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_CLOSE_WAIT, /* the peer has closed; from here on a FIN has come or has been sent */
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
};
const char *tcp_state_text(enum tcp_state state);

struct tcp_info {
    tcp_id id;
    struct hg_endpoint local, remote;
    uint32_t cookie;
    uint16_t listener; /* TCP_LISTENER_NONE: we opened it */
    uint8_t state;
    bool orphan; /* closed by the upper, still lingering */
    uint16_t mss;
    uint32_t srtt_us, rto_ms, cwnd, ssthresh, peer_window;
    uint64_t bytes_in, bytes_out;
    uint32_t retransmits, unacked, unread;
    uint64_t age_ms, idle_ms;
};
#define TCP_LISTENER_NONE UINT16_MAX

/* false: no such connection. */
bool tcp_info(const struct tcp *tcp, tcp_id id, struct tcp_info *out);
/* Walks the connections: *at is 0 at first and moves on; looks at no more than look slots. false: at the end.
 */
bool tcp_walk(const struct tcp *tcp, uint32_t *at, uint32_t look, struct tcp_info *out, unsigned max,
              unsigned *found);
uint32_t tcp_connections(const struct tcp *tcp);

#endif
