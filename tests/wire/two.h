/* SPDX-License-Identifier: BSD-2-Clause */
/* Two whole endpoints, each with its network room, its TCP, its wheel and its clock, joined by a wire that
 * does what a case asks: in one process, without waiting, the same every time. Or one endpoint against
 * segments made by hand. README.md shows how a case is written. */
#ifndef TESTS_WIRE_TWO_H
#define TESTS_WIRE_TWO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "hg/config.h"
#include "lib/ctx.h"
#include "lib/wheel.h"
#include "net/stage.h"
#include "tcp/tcp.h"

enum side { A = 0, B = 1 };

/* ---- the wire ---- */
enum wire_action {
    WIRE_DROP = 1,
    WIRE_DUPLICATE, /* arg: microseconds after which the copy follows */
    WIRE_DELAY,     /* arg: more microseconds; later ones overtake it */
    WIRE_CORRUPT,   /* arg: byte of the TCP segment in which a bit is turned */
    WIRE_TRUNCATE,  /* arg: bytes of the TCP segment that arrive */
};

/* Which frames: all that is set must hold. */
struct wire_rule {
    enum side from;
    enum wire_action action;
    uint32_t arg;
    uint8_t flags, no_flags; /* TCP flags it has, and has not */
    bool data, pure;         /* carries data; carries none, nor SYN, FIN or RST */
    bool has_seq;            /* carries the octet seq (the SYN is 0, data begin with 1) */
    uint32_t seq;
    uint32_t first, count; /* of those that fit so far, from first on (0: the first) count of them (0: all) */
    double chance;         /* 0: always; otherwise by the seed */
    /* kept by the wire */
    uint32_t fitted, done;
};

struct link { /* one direction */
    uint32_t delay_us, jitter_us;
    uint64_t bytes_per_s; /* 0: without bounds */
    uint32_t queue_bytes; /* in front of that; 0: without bounds */
    double loss;          /* by the seed */
    double duplicate, reorder, corrupt;
    uint32_t reorder_us;
};

/* ---- what was seen ---- */
enum { SEEN_FIN = 1, SEEN_SYN = 2, SEEN_RST = 4, SEEN_PSH = 8, SEEN_ACK = 16, SEEN_URG = 32 };

struct seen {
    uint64_t us;
    enum side from;
    uint16_t sport, dport;
    uint32_t seq, ack; /* relative to the SYNs seen, if any was */
    uint32_t raw_seq, raw_ack;
    uint32_t len; /* of the data */
    uint16_t wnd; /* as on the wire */
    uint8_t flags;
    uint8_t tcp_header; /* bytes */
    bool sum_ok;
    bool is4;
    uint16_t mss; /* 0: not said */
    int wscale;   /* -1: not said */
    bool sack_ok, has_ts;
    uint32_t ts_val, ts_ecr;
    unsigned nsacks;
    uint32_t sack[4][2]; /* relative */
    uint8_t fate;        /* enum wire_action that met it; 0: delivered */
    uint8_t head[64];    /* first bytes of the data */
};

/* ---- the application ---- */
struct sock {
    struct two *two;
    enum side side;
    tcp_id id;
    uint16_t listener;
    uint8_t bits;           /* of all events so far (enum tcp_event_bits) */
    uint8_t reason;         /* of a failure */
    bool used, closed;      /* its id is gone */
    bool paused;            /* does not read */
    bool echo;              /* writes what it reads */
    bool close_when_done;   /* tcp_close() once the peer has closed, or its own queue is empty */
    bool shut_when_sent;    /* tcp_shutdown() once all is written */
    uint64_t to_send, sent; /* octets of the pattern: wanted, and taken by tcp_write() */
    uint64_t received;
    bool bad; /* something came that is not the pattern */
};

struct end {
    enum side side;
    struct ctx ctx;
    struct hg_config *config;
    struct net *net;
    struct tcp *tcp;
    struct wheel wheel;
    uint64_t counters[HG_COUNTERS_MAX];
    struct hg_ip ip4, ip6;
    uint8_t mac[6];
    struct rte_mempool *pool, *pool_big;
    uint64_t turns;
    unsigned in; /* frames that wait for the turn */
    struct rte_mbuf *queue[64];
};

#define TWO_SOCKS 512
#define TWO_RULES 64

struct flying;
struct two {
    uint64_t us, start_us; /* now */
    uint64_t seed, first_seed;
    bool in_arrive, paired;
    bool lone; /* B is the test itself */
    bool v6;
    bool busy; /* something happened in the last turns */
    struct end end[2];
    struct link link[2]; /* by the side that sends */
    uint64_t busy_until[2];
    unsigned nrules;
    struct wire_rule rule[TWO_RULES];
    struct flying *flying; /* in the order of their arrival */
    uint64_t flown;
    struct seen *seen; /* every TCP segment that was put on the wire */
    unsigned nseen, room, looked;
    struct { /* by ports: where the sequence numbers begin */
        uint16_t port[2];
        bool set[2];
        uint32_t isn[2];
    } flow[64];
    unsigned nflows;
    FILE *pcap;
    struct sock sock[TWO_SOCKS];
    unsigned nsocks;
    void (*on_turn)(struct two *w, enum side side); /* of the case; after the application's own */
    void *arg;
    /* lone: */
    uint16_t peer_port, our_port;
    uint32_t snd, rcv; /* what the test sends next, and expects next */
};

struct two_options {
    uint32_t delay_us; /* each way; 0: 10,000 */
    uint64_t seed;     /* 0: 1, or what WIRE_SEED says */
    bool v6;
    bool lone;
    void (*tweak)(struct hg_config *config, enum side side);
};

/* Aborts the test with a message if it cannot. Each side listens on nothing yet. */
struct two *two_open(const struct two_options *options);
/* Every connection is dropped without a word; fails the test if a buffer or timer is lost. */
void two_close(struct two *w);
/* Time passes. */
void two_run(struct two *w, uint64_t ms);
/* ... until there is nothing on the wire and nobody had anything to do for quiet ms; at most max. */
void two_settle(struct two *w, uint64_t quiet_ms, uint64_t max_ms);
/* ... until done says so, at most max. Returns whether it did. */
bool two_until(struct two *w, bool (*done)(struct two *), uint64_t max_ms);
/* What is due now, without time passing. */
void two_turn(struct two *w, enum side side);
uint64_t two_random(struct two *w);
uint64_t two_count(const struct two *w, enum side side, unsigned id);
struct hg_endpoint two_at(const struct two *w, enum side side, uint16_t port);

void wire_add(struct two *w, struct wire_rule rule);
void wire_clear(struct two *w); /* no rules */
/* A frame of whatever kind arrives at a side, after delay. */
void wire_deliver(struct two *w, enum side to, const uint8_t *frame, uint32_t len, uint64_t delay_us);

/* ---- sockets ---- */
void sock_listen(struct two *w, enum side side, uint16_t port, uint16_t listener);
struct sock *sock_connect(struct two *w, enum side side, uint16_t local_port, uint16_t port);
/* The newest that side has accepted; NULL: none. */
struct sock *sock_accepted(struct two *w, enum side side);
/* A listens on 5060 and B connects, or the other way round; settled and open on both sides. */
void sock_pair(struct two *w, enum side client, struct sock **of_client, struct sock **of_server);
/* The next n octets of the pattern; what there is no room for follows by itself. */
void sock_send(struct sock *s, uint64_t n);
void sock_pause(struct sock *s, bool paused);
uint8_t sock_pattern(uint64_t at);

/* ---- looking ---- */
/* The next segment that this side has sent and nobody has looked at; NULL: none. Forgets those of the other.
 */
const struct seen *wire_next(struct two *w, enum side from);
void wire_forget(struct two *w); /* what was seen so far */
/* The segments from here on are these, and no others if the last is "end". A line is
 *   SIDE FLAGS [seq N] [end N] [ack N] [len N] [win N] [sack N:N] [mss N]
 * flags of S F R U . and P, which counts only if it is written; "-" for none. */
#define WIRE_EXPECT(w, ...) wire_expect_(w, __FILE__, __LINE__, (const char *const[]){__VA_ARGS__, NULL})
void wire_expect_(struct two *w, const char *file, int line, const char *const *lines);
void wire_trace(const struct two *w, FILE *out);
unsigned wire_sent(const struct two *w, enum side from, uint8_t flags); /* segments with all of these flags */

/* ---- segments by hand ---- */
struct made {
    uint8_t flags;
    uint32_t seq, ack; /* raw */
    uint16_t wnd;      /* 0: 65535; for none, no_wnd */
    bool no_wnd;
    const void *data;
    uint32_t len;
    const uint8_t *options; /* padded here to a multiple of 4 */
    unsigned noptions;
    bool bad_sum;
    uint8_t offset;        /* data offset in words; 0: the right one */
    uint16_t sport, dport; /* 0: the case's */
    uint16_t urgent;
};
/* Sends it to A at once and lets A have its turn. */
void lone_send(struct two *w, struct made made);
/* Builds without sending; returns the length of the frame. */
uint32_t lone_build(const struct two *w, const struct made *made, uint8_t *frame);
/* We open a connection to A's listener on port 5060: w->snd and w->rcv then stand behind the SYNs. options:
 * of our SYN. */
void lone_handshake(struct two *w, const uint8_t *options, unsigned noptions);

/* ---- failing ---- */
/* Prints the trace, writes it to $WIRE_PCAP/NAME.pcap if that is set, and fails the test. */
void two_fail(struct two *w, const char *file, int line, const char *form, ...)
    __attribute__((format(printf, 4, 5)));
#define TWO_CHECK(w, condition)                                                                              \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            two_fail(w, __FILE__, __LINE__, "%s", #condition);                                               \
    } while (0)
#define TWO_EQUAL(w, a, b)                                                                                   \
    do {                                                                                                     \
        long long a_ = (long long)(a), b_ = (long long)(b);                                                  \
        if (a_ != b_)                                                                                        \
            two_fail(w, __FILE__, __LINE__, "%s is %lld, not %lld", #a, a_, b_);                             \
    } while (0)

#endif
