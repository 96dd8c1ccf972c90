/* SPDX-License-Identifier: BSD-2-Clause */
/* One core's TLS room over a made-up TCP, and OpenSSL as it comes on the other side. */
#ifndef TESTS_TLS_RIG_H
#define TESTS_TLS_RIG_H

#include <openssl/ssl.h>

#include "fake_tcp.h"
#include "lib/wheel.h"
#include "tls/store.h"
#include "tls/tls.h"

struct other { /* the other side of one connection */
    SSL *ssl;
    BIO *to, *from; /* memory: what it reads, what it has written */
    struct fake_conn *conn;
    tcp_id tcp;
    tls_id id;
    uint32_t sent; /* of conn->out */
    uint16_t bits; /* of all events */
};

struct rig {
    struct ctx ctx;
    struct wheel wheel;
    uint64_t counters[HG_COUNTERS_MAX];
    struct tcp *tcp;
    struct tls_shelf *shelf;
    struct workers *workers;
    struct tls *tls;
    struct tls_store_setup store;
    SSL_CTX *client, *server; /* of the other sides */
    unsigned others;
    struct other other[FAKE_CONNS];
};

#define CERTS TEST_CERTS "/"

/* Workers: 0 = the core does it all. tweak changes what the store is made of. */
struct rig *rig_open(unsigned workers, void (*tweak)(struct tls_store_setup *, struct tls_setup *));
void rig_close(struct rig *rig); /* asserts that nothing is left over */
/* The other side as client of ours, and the other way round. */
struct other *rig_client(struct rig *rig, uint16_t listener);
struct other *rig_server(struct rig *rig, const char *name);
/* One turn: bytes both ways, stages, events. */
void rig_turn(struct rig *rig);
/* Turns until all bits were told, or nothing happens for long; tells whether they were. */
bool rig_until(struct rig *rig, struct other *o, uint16_t bits);
void rig_turns(struct rig *rig, unsigned n);
uint64_t rig_count(const struct rig *rig, unsigned id);
/* Reads and takes all plain text that is there: to has room for max; returns how much. */
uint32_t rig_read(struct rig *rig, struct other *o, char *to, uint32_t max);

#endif
