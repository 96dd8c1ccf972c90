/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of struct tls. Private to this room (and its tests). */
#ifndef TLS_STATE_H
#define TLS_STATE_H

#include <openssl/ssl.h>

#include "hg/counters.h"
#include "lib/slab.h"
#include "lib/wheel.h"
#include "tls/store.h"
#include "tls/tls.h"

#define TLS_NIL      UINT32_MAX
#define TLS_PLAIN    (512 * 1024) /* plain text of one turn */
#define TLS_RECORD   16384
#define TLS_OVERHEAD 96 /* of a record at most, the answer to a key update among them */
#define TLS_JOB_IN   (TLS_RECORD + 2048)
#define TLS_JOB_OUT  (2 * TLS_RECORD) /* of one step: chains are shorter (context.c) */
#define TLS_PULL     65536            /* bytes of one connection in one turn, so that others get theirs */

enum tls_timer { TLS_TIMER_HANDSHAKE = 1 };

enum tls_state {
    TLS_FREE,
    TLS_WAITS,  /* in the handshake, for bytes of the other side */
    TLS_QUEUED, /* a step could be done, and waits for its turn */
    TLS_PARKED, /* a worker has it */
    TLS_UP,
};

/* Where the BIO of a connection reads and writes. */
struct tls_io {
    const struct slice *in;
    unsigned nin, at;                                            /* slices, and the one that is read */
    uint32_t off;                                                /* in it */
    uint32_t used;                                               /* bytes in all */
    bool (*out)(struct tls_io *io, const char *p, uint32_t len); /* takes all, or the connection fails */
    void *owner;
};

/* One step of a handshake: what travels. Bytes that were not used are still in tcp/. */
struct tls_job {
    struct worker_job head;
    struct tls_io io;
    struct slice in_slice;
    SSL *ssl;
    tls_id id;
    int error;                   /* of SSL_get_error(); SSL_ERROR_NONE: the handshake is done */
    unsigned why;                /* counter of a failure */
    const char *name;            /* that the certificate must have; NULL: any */
    struct tls_identities *peer; /* found by the last step */
    uint32_t out_len;
    char in[TLS_JOB_IN], out[TLS_JOB_OUT];
};

struct tls_identities { /* of the other side, as long as the connection */
    unsigned n;
    struct slice name[TLS_IDENTITIES];
    char text[];
};

struct tls_conn {
    SSL *ssl;
    tcp_id tcp;
    uint32_t cookie;
    uint32_t next_step, next_more, next_touched; /* in the lists below; own index: not in it */
    uint16_t listener, bits;
    uint8_t reason;     /* enum tcp_reason */
    uint8_t state;      /* enum tls_state */
    bool client, ready; /* ready: the first step of a client needs no bytes */
    bool peer_closed;   /* FIN */
    bool gone;          /* its place is freed when its job is back and its last event was taken */
    bool verified, resumed;
    uint32_t kept_len, kept_at;   /* plain text of earlier turns, in sized slabs */
    uint32_t fresh_len, fresh_at; /* of this turn */
    uint32_t over_len, over_at;
    char *kept, *fresh;
    char *over;              /* what the BIO wrote and tcp/ had no room for; rare */
    struct tls_store *store; /* held during the handshake */
    char *name;              /* of the other side, given by tls_connect(), during the handshake */
    struct tls_identities *peer;
    struct wheel_timer timer;
};

struct tls_list {
    uint32_t first, last;
};

struct tls {
    struct ctx *ctx;
    struct tcp *tcp;
    struct tls_setup setup;
    struct slab *conns, *jobs;
    uint32_t *generation; /* of each place for a connection; odd: there is one */
    struct sized_slabs kept;
    uint64_t kept_bytes;
    struct tls_list steps;   /* whose handshake could go on */
    struct tls_list more;    /* who have more to read than a turn gives */
    struct tls_list touched; /* who have something to tell, or plain text of this turn */
    struct tls_event events[TLS_EVENTS_MAX];
    char *plain;
    uint32_t plain_used;
    char scratch[TLS_RECORD];
};

/* ---- conn.c ---- */
struct tls_conn *tls_conn_of(const struct tls *tls, tls_id id); /* NULL: gone */
tls_id tls_conn_id(const struct tls *tls, const struct tls_conn *c);
void tls_conn_tell(struct tls *tls, struct tls_conn *c, uint16_t bits);
/* It ends here: counted, an alert may be on its way; the upper is told with FAILED. */
void tls_conn_fail(struct tls *tls, struct tls_conn *c, unsigned counter);
/* Nobody knows it any more, but for an event that waits. */
void tls_conn_drop(struct tls *tls, struct tls_conn *c);
/* The first one of a list; NULL: empty. */
struct tls_conn *list_take(struct tls *tls, struct tls_list *list);
void list_add(struct tls *tls, struct tls_list *list, struct tls_conn *c);
void list_add_first(struct tls *tls, struct tls_list *list, struct tls_conn *c);

/* ---- bio.c ---- */
void bio_use(SSL *ssl, struct tls_io *io);

/* ---- handshake.c ---- */
void handshake_want(struct tls *tls, struct tls_conn *c);
unsigned handshake_turn(struct tls *tls);

/* ---- output.c ---- */
/* To tcp/, and what it does not take is kept; false: no memory. */
bool output_put(struct tls *tls, struct tls_conn *c, const char *p, uint32_t len);
bool output_go_on(struct tls *tls, struct tls_conn *c);
bool output_from_bio(struct tls_io *io, const char *p, uint32_t len);
void output_bye(struct tls *tls, struct tls_conn *c); /* close_notify, where there is one to send */

/* ---- input.c ---- */
void input_pull(struct tls *tls, struct tls_conn *c);
void input_keep(struct tls *tls, struct tls_conn *c); /* the turn ends */
static inline uint32_t input_unread(const struct tls_conn *c)
{
    return c->kept_len - c->kept_at + c->fresh_len - c->fresh_at;
}

/* ---- why.c ---- */
/* The counter for OpenSSL's complaint, which is forgotten. */
unsigned why_failed(void);

#endif
