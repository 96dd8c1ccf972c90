/* SPDX-License-Identifier: BSD-2-Clause */
/* Two ends of TCP in one process, joined by a wire that a test can tamper with, under a clock that only the
 * test moves. net/ is played by the rig: what an end sends is seen here before the other one gets it. */
#ifndef TESTS_TCP_RIG_H
#define TESTS_TCP_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/config.h"
#include "lib/ctx.h"
#include "lib/wheel.h"
#include "tcp/state.h"

#define RIG_STEP_US 250
#define RIG_EVENTS  512
#define RIG_WIRE    8192
#define RIG_RECORD  256

struct rig;

/* One segment on the wire, as a test reads it. */
struct seg {
    uint32_t seq, ack, len;
    uint8_t flags;
    uint16_t wnd, from_port, to_port;
    struct tcp_options o;
    const uint8_t *data; /* while the tamperer looks at it */
    unsigned n;          /* the how-manieth of its direction */
};

struct rig_end {
    struct rig *rig;
    struct ctx ctx;
    struct wheel wheel;
    uint64_t counters[HG_COUNTERS_MAX];
    struct hg_config *config;
    struct tcp *tcp;
    struct hg_endpoint ep;
    struct net *net;
    unsigned sent, up;
    bool deaf;      /* does not read */
    bool polite;    /* closes when the peer has closed */
    bool mute;      /* what it sends is only recorded */
    bool no_buffer; /* net has none */
    bool echo;
    uint8_t *got;
    uint32_t ngot, got_room;
    struct tcp_event event[RIG_EVENTS];
    unsigned nevents;
    const uint8_t *out; /* to write as there is room */
    uint32_t nout, out_at;
    tcp_id out_id;
    bool out_close;
    struct seg last; /* what it sent last */
    unsigned recorded;
    struct seg record[RIG_RECORD];
};

/* false: the segment is lost. May change the delay. */
typedef bool rig_tamper(struct rig *rig, struct rig_end *from, const struct seg *s, uint32_t *delay_us);

struct rig_flying {
    struct rte_mbuf *m;
    struct rig_end *to;
    struct hg_ip src, dst;
    uint64_t at_us, order;
};

struct rig {
    uint64_t us, order, rng;
    uint32_t delay_us;
    void *arg;
    rig_tamper *tamper;
    struct rig_end a, b;
    unsigned nflying;
    struct rig_flying flying[RIG_WIRE];
};

/* a is the client, 10.0.0.1; b listens on 10.0.0.2:5060. tweak changes the configuration; may be NULL. */
struct rig *rig_open(void (*tweak)(struct hg_config *));
struct rig *rig_open6(void (*tweak)(struct hg_config *));
/* Asserts that segments add up, and that no buffer is lost. */
void rig_close(struct rig *r);
void rig_run(struct rig *r, uint32_t ms);
bool rig_until(struct rig *r, uint32_t ms, bool (*done)(struct rig *r)); /* false: not within ms */
/* a opens to b; runs until both know. */
tcp_id rig_connect(struct rig *r, tcp_id *accepted);
uint64_t rig_count(const struct rig_end *e, unsigned id);
unsigned rig_bits(const struct rig_end *e, tcp_id id); /* of all its events so far */
unsigned rig_reason(const struct rig_end *e, tcp_id id);
void rig_turn(struct rig_end *e); /* without time passing */
const struct tcp_conn *rig_conn(const struct rig_end *e, tcp_id id);
uint32_t rig_random(struct rig *r);
struct hg_ip ip_of(const char *text);

/* A segment by hand, as if it came from the other end. */
struct hand {
    uint32_t seq, ack, len, noptions;
    uint8_t flags;
    uint16_t wnd, from_port, to_port;
    const void *data;
    const uint8_t *options;
    const char *from; /* NULL: the other end's address */
    bool bad_sum;
};
/* A segment of any bytes, its checksum good. */
void rig_raw(struct rig_end *to, uint16_t from_port, uint16_t to_port, const uint8_t *p, uint32_t len);
/* Asserts what must hold of every connection of an end between two turns. */
void rig_check(const struct rig_end *e);
/* Returns the counter of its disposition. */
unsigned rig_hand(struct rig_end *to, const struct hand *h);

#endif
