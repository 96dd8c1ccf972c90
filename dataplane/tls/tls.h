/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS over the connections of tcp/, for one core. OpenSSL does the protocol, over a BIO of our own: it reads
 * what tcp/ has in order, where it lies, and writes into what tcp/ keeps until acknowledged. Handshakes
 * travel to the crypto workers; while one is away its connection is parked, and what arrives waits in tcp/.
 * Without workers a core does one step of one handshake a turn. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/slice.h"
#include "lib/ctx.h"
#include "lib/workers.h"
#include "tcp/tcp.h"

struct tls;
struct tls_store;
struct wheel_timer;

typedef uint64_t tls_id; /* generation << 32 | index; 0 = none */

struct tls_setup {
    struct tls_shelf *shelf;  /* where the certificates in force stand (tls/store.h) */
    struct workers *workers;  /* may have no threads */
    uint32_t connections_max; /* of this core */
    uint32_t handshakes_max;  /* under way at one time; further ones wait */
    uint32_t handshake_ms;    /* from the first to the last step */
    uint32_t kept_max;        /* bytes of plain text that one connection may leave unread */
    uint32_t kept_total;      /* ... and all connections of this core */
};

/* NULL: no memory. */
struct tls *tls_create(struct ctx *ctx, struct tcp *tcp, const struct tls_setup *setup);
void tls_destroy(struct tls *tls);

/* The connection is TLS from here on. 0: refused and counted, the caller aborts it. cookie: comes back in the
 * events. name: of the other side, for SNI and to be found in its certificate. */
tls_id tls_accept(struct tls *tls, tcp_id tcp, uint16_t listener, uint32_t cookie);
tls_id tls_connect(struct tls *tls, tcp_id tcp, const char *name, uint32_t cookie);

/* ---- stages of the turn ---- */
/* What tcp/ says about the connection under id. */
void tls_input(struct tls *tls, tls_id id, const struct tcp_event *e);
/* The connection over that one of tcp/; index: the low half of its id. 0: gone. */
tls_id tls_over(const struct tls *tls, uint32_t index, tcp_id tcp);
/* What came back from the workers, what may go there now, and what is to be read on. */
unsigned tls_work(struct tls *tls);
void tls_timers(struct tls *tls, struct wheel_timer **t, unsigned n);
void tls_turn_end(struct tls *tls);

enum tls_bits {
    TLS_OPEN = 1, /* the handshake is done */
    TLS_READABLE = 2,
    TLS_WRITABLE = 4,
    TLS_PEER_CLOSED = 8, /* all data before it is readable */
    TLS_FAILED = 16,     /* and gone: the id ends with this event */
    TLS_CLOSED = 32,     /* gone: the id ends with this event */
};

struct tls_event {
    tls_id id;
    uint32_t cookie;
    uint16_t listener; /* TCP_LISTENER_NONE: opened from here */
    uint8_t bits;
    uint8_t reason; /* enum tcp_reason, with FAILED: what ended the connection below, or PROTOCOL */
};

/* Since the last call; at most one of each connection, and TLS_EVENTS_MAX: then there may be more. */
#define TLS_EVENTS_MAX 256
unsigned tls_events(struct tls *tls, const struct tls_event **e);

/* ---- a connection ---- */
#define TLS_SLICES 2
/* Plain text in order, valid until the turn's end. */
unsigned tls_peek(struct tls *tls, tls_id id, struct slice *out, unsigned max);
void tls_consume(struct tls *tls, tls_id id, uint32_t bytes);
uint32_t tls_readable(const struct tls *tls, tls_id id);
uint32_t tls_cookie(const struct tls *tls, tls_id id);
void tls_set_cookie(struct tls *tls, tls_id id, uint32_t cookie);
/* The connection below; 0: no such id. */
tcp_id tls_below(const struct tls *tls, tls_id id);
/* Takes what there is room for; returns how many bytes. */
uint32_t tls_write(struct tls *tls, tls_id id, const struct slice *s, unsigned n);
uint32_t tls_room(struct tls *tls, tls_id id);
void tls_flush(struct tls *tls, tls_id id);
void tls_shutdown(struct tls *tls, tls_id id); /* close_notify, then FIN */
void tls_close(struct tls *tls, tls_id id);    /* the same, and the id is forgotten: no more events */
void tls_abort(struct tls *tls, tls_id id);    /* forgotten, with a reset */

/* Of the handshake; valid as long as the connection. */
#define TLS_IDENTITIES 8
struct tls_peer {
    bool verified; /* it has a certificate that we trust */
    bool resumed;
    uint16_t version; /* 0x0303, 0x0304 */
    const char *cipher;
    struct slice alpn;
    struct slice sni;
    unsigned identities; /* RFC 5922 7.1: SIP domains that the certificate speaks for */
    struct slice identity[TLS_IDENTITIES];
};
bool tls_peer(struct tls *tls, tls_id id, struct tls_peer *out);
/* RFC 5922 7.2: the certificate speaks for that domain. */
bool tls_peer_is(const struct tls_peer *peer, struct slice domain);

void tls_housekeeping(struct tls *tls); /* every few hundred turns */

#endif
