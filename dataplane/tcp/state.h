/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of struct tcp and the calls between its steps. Private to this room (and its tests). */
#ifndef TCP_STATE_H
#define TCP_STATE_H

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "hg/user_key.h"
#include "lib/slab.h"
#include "lib/wheel.h"
#include "net/checksum.h"
#include "tcp/options.h"
#include "tcp/seq.h"
#include "tcp/table.h"
#include "tcp/tcp.h"

#define TCP_NIL            UINT32_MAX
#define TCP_BURST          64
#define TCP_LISTENERS_MAX  192 /* those of the configuration, and as many places on service addresses */
#define TCP_LISTENER_SLOTS 512
#define TCP_MSS_MIN                                                                                          \
    64 /* a peer that offers less is held to this (RFC 9293 allows any; tiny ones are an attack) */
#define TCP_MSS_DEFAULT4       536 /* RFC 9293 section 3.7.1 */
#define TCP_MSS_DEFAULT6       1220
#define TCP_RTO_MAX_MS         120000
#define TCP_RTO_FIRST_MS       1000 /* RFC 6298 section 2 */
#define TCP_DUP_THRESH         3
#define TCP_ROOM_MS            20  /* until a write is tried again that memory was short for */
#define TCP_DELAYED_ACK_MAX_MS 200 /* of peers */

#define TCP_OPTIONS_SACK 28 /* three ranges: as many as there is room for beside timestamps */
#define TCP_SACKS_SENT   3

enum tcp_flags { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

/* Who talks to whom. First in everything that the table leads to. */
struct tcp_key {
    struct hg_ip local, remote;
    uint16_t local_port, remote_port;
};
static_assert(sizeof(struct tcp_key) == 36, "no padding: it is hashed and compared as bytes");

/* What the table leads to: the upper two bits of a value. */
enum tcp_kind { TCP_KIND_CONN = 1, TCP_KIND_HALF = 2, TCP_KIND_WAIT = 3 };
#define TCP_VALUE(kind, index) ((uint32_t)(kind) << 30 | (index))
#define TCP_VALUE_KIND(value)  ((value) >> 30)
#define TCP_VALUE_INDEX(value) ((value)&0x3fffffff)

enum tcp_conn_bits {
    CONN_TS = 1u << 0, /* agreed in the handshake */
    CONN_SACK = 1u << 1,
    CONN_SCALE = 1u << 2,
    CONN_FENCED = 1u << 3,
    CONN_ORPHAN = 1u << 4,      /* the upper has closed it, and hears nothing more */
    CONN_ATTACHED = 1u << 5,    /* stands in the table */
    CONN_DIRTY = 1u << 6,       /* to be looked at when the turn ends */
    CONN_EVENT = 1u << 7,       /* in the list of events */
    CONN_ACK_NOW = 1u << 8,     /* an ACK leaves at the end of this turn */
    CONN_ACK_LATER = 1u << 9,   /* ... or with the delayed ACK */
    CONN_FIN_WANTED = 1u << 10, /* the upper has written all */
    CONN_FIN_SENT = 1u << 11,
    CONN_FIN_CAME = 1u << 12,
    CONN_WANT_ROOM = 1u << 13, /* a write was short */
    CONN_RECOVERY = 1u << 14,  /* fast recovery, until flight->recover is acknowledged */
    CONN_LOSS = 1u << 15,      /* the same after a time-out */
    CONN_LIMITED = 1u << 16,   /* the congestion window held something back */
    CONN_PROBED = 1u << 17,    /* an octet beyond snd_nxt is out as a window probe */
    CONN_REORDERS = 1u << 18,  /* its path was seen to reorder */
    CONN_TAIL = 1u << 19,      /* a tail loss probe is out */
    CONN_COUNTED = 1u << 20,   /* in its source's number */
    CONN_ACTIVE = 1u << 21,    /* opened by us */
    CONN_GONE = 1u << 22,      /* closed, but not all is read yet */
    CONN_KEPT_FLIGHT = 1u << 23,
    CONN_PUSH = 1u << 24, /* an ACK must leave even if data could carry it later: in reserve */
};

enum tcp_deadline { TCP_AT_SEND, TCP_AT_ACK, TCP_AT_IDLE, TCP_AT_END, TCP_AT_ROOM, TCP_DEADLINES };
enum tcp_send_timer { TCP_SEND_NONE, TCP_SEND_RTO, TCP_SEND_TAIL, TCP_SEND_REORDER, TCP_SEND_PERSIST };

/* A piece of a buffer, sent or received, in a sized slab. */
struct tcp_chunk {
    struct tcp_chunk *next;
    uint32_t from, to, cap; /* what is used of data */
    uint32_t spare;
    uint8_t data[];
};

/* One segment on its way. */
enum tcp_sent_bits { SENT_SACKED = 1, SENT_LOST = 2, SENT_AGAIN = 4 };
struct tcp_sent {
    uint32_t seq;
    uint32_t us;  /* when it left last */
    uint16_t len; /* of sequence space: a FIN counts */
    uint8_t bits;
    uint8_t spare;
};

/* All that is on its way, and what recovery needs: only while there is something. Oldest first, without gaps.
 */
struct tcp_flight {
    uint32_t cap, first, n;
    uint32_t sacked, lost; /* octets; lost and not sent again since */
    uint32_t sacked_n;     /* segments */
    uint32_t dups;         /* duplicate ACKs in a row, for peers without SACK */
    uint32_t fack;         /* the highest octet known to have arrived */
    /* RACK (RFC 8985): the latest sent of all that is known to have arrived */
    uint32_t rack_us, rack_end, rack_rtt;
    bool rack_set;
    uint8_t reo_mult;
    bool tail_again; /* the tail loss probe was a retransmission */
    bool undo;       /* what was lost may prove not to be */
    uint32_t tail_end;
    uint32_t recover;                             /* recovery ends when this is acknowledged */
    uint32_t prr_delivered, prr_out, prr_flight;  /* RFC 6937 */
    uint32_t prior_cwnd, prior_ssthresh, undo_ts; /* before the loss that undo is about */
    struct tcp_sent s[];
};

/* What came out of order, and what is told of it: only while there is something. */
struct tcp_reassembly {
    struct rte_mbuf *first, *last;
    uint32_t pinned; /* bytes of buffers */
    uint32_t pieces;
    uint32_t recent[TCP_SACKS_SENT]; /* where the latest arrivals begin, the last one first */
    uint8_t nrecent;
    bool duplicate; /* a range came twice (RFC 2883) */
    struct tcp_range twice;
};

struct tcp_conn {
    /* -- line 0: whose it is, and what every segment asks first -- */
    alignas(64) struct tcp_key key;
    uint32_t bits; /* enum tcp_conn_bits */
    uint32_t rcv_nxt;
    uint32_t rcv_adv;  /* right edge of the window that was told */
    uint32_t ack_sent; /* rcv_nxt when an ACK left last */
    uint32_t ts_recent;
    uint32_t last_ms; /* when something came last */
    uint8_t state;
    uint8_t rcv_scale, snd_scale;
    uint8_t backoff; /* time-outs in a row */
    /* -- line 1: sending -- */
    uint32_t snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2;
    uint32_t queued; /* octets in the send buffer, from snd_una on; a FIN does not count */
    struct tcp_chunk *snd_first, *snd_last;
    struct tcp_flight *flight;
    uint32_t cwnd, ssthresh;
    uint16_t mss;     /* of the peer and the path, options not subtracted */
    uint16_t rcv_mss; /* the largest that came */
    uint32_t ts_offset;
    /* -- line 2: time -- */
    struct wheel_timer timer;
    uint32_t at[TCP_DEADLINES]; /* low 32 bits of ms; 0: none */
    uint32_t srtt_us, rttvar_us;
    uint8_t send_timer; /* enum tcp_send_timer: what TCP_AT_SEND means */
    uint8_t probes;     /* keepalive probes without an answer */
    uint8_t events;     /* pending */
    uint8_t reason;
    /* -- line 3: receiving, and its owner -- */
    struct rte_mbuf *rcv_first, *rcv_last; /* in order, not consumed */
    struct tcp_chunk *kept, *kept_last;    /* older than those: copied at the end of a turn */
    struct tcp_reassembly *reassembly;
    uint32_t readable;
    uint32_t pinned; /* bytes of buffers that outlived a turn */
    uint32_t generation;
    uint32_t cookie;
    uint32_t next_dirty, next_event;
    /* -- line 4: per message, too -- */
    struct net_hint hint;
    uint64_t bytes_in, bytes_out;
    uint32_t stuck_ms; /* since when nothing has been acknowledged, or the window is closed; 0: not */
    uint32_t sent_ms;  /* when data left last */
    uint32_t snd_wnd_max, rtt_min_us;
    float cubic_max, cubic_k, cubic_est; /* in octets, seconds, octets */
    uint32_t cubic_epoch;                /* ms; 0: none */
    uint16_t listener;                   /* as the upper calls it */
    uint8_t slot;                        /* of tcp->listener, or TCP_LISTENERS_MAX */
    uint8_t challenges;
    uint32_t challenge_s;
    /* -- line 5: hardly ever -- */
    uint32_t opened_ms;
    uint32_t retransmits;
    uint32_t next_free;
};
static_assert(offsetof(struct tcp_conn, snd_una) == 64, "line 1");
static_assert(offsetof(struct tcp_conn, timer) == 128, "line 2");
static_assert(offsetof(struct tcp_conn, rcv_first) == 192, "line 3");
static_assert(offsetof(struct tcp_conn, hint) == 256, "line 4");
static_assert(offsetof(struct tcp_conn, opened_ms) == 320, "line 5");
static_assert(sizeof(struct tcp_conn) == 384, "an idle connection");

/* A SYN that was answered. */
struct tcp_half {
    struct tcp_key key;
    uint32_t irs, iss, ts_recent, ts_offset, wnd;
    uint16_t mss;
    uint8_t has; /* enum tcp_option_bits of both sides */
    uint8_t scale, slot, tries;
    bool fenced;
    uint32_t next_free;
    struct wheel_timer timer;
};

struct tcp_wait {
    struct tcp_key key;
    uint32_t snd_nxt, rcv_nxt, ts_recent;
    uint32_t end_ms;
    uint32_t next, prev; /* in the order of their end */
    uint32_t bits;       /* CONN_TS, CONN_FENCED, ... */
};
static_assert(sizeof(struct tcp_wait) == 64, "one line");

struct tcp_listener {
    struct hg_endpoint ep;
    bool used;
    struct tcp_listen_options options;
    uint16_t name;
    uint32_t connections;
};

struct tcp_limits { /* of the configuration, read at creation and in housekeeping */
    uint32_t connections, half_open, waits, per_source;
    uint32_t window, send_buffer, pinned, reassembly;
    uint32_t keepalive_ms, keepalive_interval_ms, keepalive_probes;
    uint32_t user_timeout_ms, time_wait_ms, rto_min_ms, syn_retries, linger_ms, delayed_ack_ms;
    uint8_t scale;
};

struct tcp {
    struct ctx *ctx;
    struct net *net;
    checksum_fn sum;
    uint64_t secret[4];           /* of the tables */
    struct hg_hash_secret isn;    /* of initial sequence numbers, timestamps and ports */
    struct hg_hash_secret cookie; /* of SYN cookies */
    struct tcp_limits limits;
    struct tcp_table table, sources;
    uint32_t now_us;
    uint64_t us_scale; /* microseconds a tick, 32 bits behind the point */
    struct tcp_conn *conn;
    uint32_t conn_fresh, conn_free, conns, orphans;
    uint32_t dirty_first, dirty_last, event_first, event_last;
    struct slab *halves, *waits, *reassemblies;
    uint32_t wait_first, wait_last;
    struct wheel_timer wait_timer;
    struct sized_slabs send_memory, receive_memory;
    uint64_t pinned;
    uint64_t cookies_until_ms; /* ACKs are looked at as cookies until then */
    uint64_t reset_ms;
    uint32_t reset_tokens, port_next;
    unsigned nlisteners;
    uint8_t listener_slot[TCP_LISTENER_SLOTS]; /* by address and port: index + 1; 0: none */
    struct tcp_listener listener[TCP_LISTENERS_MAX];
    struct tcp_event event[TCP_EVENTS_MAX];
};

/* A segment on its way through the steps. */
struct tcp_rx {
    struct rte_mbuf *m; /* NULL: kept by a step */
    const struct segment *segment;
    const uint8_t *data;
    uint64_t hash;
    uint32_t seq, ack, wnd; /* wnd as on the wire */
    uint32_t len;           /* of the data */
    uint8_t flags;
    struct tcp_key key;
    struct tcp_options o;
};
/* Octets of sequence space. */
static inline uint32_t rx_space(const struct tcp_rx *rx)
{
    return rx->len + ((rx->flags & TCP_SYN) != 0) + ((rx->flags & TCP_FIN) != 0);
}

/* Each step of input returns the counter of the segment's disposition; RX_GO_ON: the next step. */
#define RX_GO_ON HG_COUNTERS_MAX

static inline uint64_t tcp_mix(uint64_t a, uint64_t b)
{
    __uint128_t r = (__uint128_t)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* Keyed, so that nobody outside can aim at one line. */
static inline uint64_t tcp_hash(const struct tcp *t, const struct tcp_key *k)
{
    uint64_t w[4];
    uint32_t ports;
    memcpy(w, k, sizeof(w));
    memcpy(&ports, &k->local_port, 4);
    uint64_t a = tcp_mix(w[0] ^ t->secret[0], w[1] ^ t->secret[1] ^ (uint64_t)ports << 32);
    uint64_t b = tcp_mix(w[2] ^ t->secret[2], w[3] ^ t->secret[3] ^ ports);
    return tcp_mix(a ^ t->secret[1], b ^ t->secret[2]);
}

static inline bool key_eq(const struct tcp_key *a, const struct tcp_key *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static inline uint32_t conn_index(const struct tcp *t, const struct tcp_conn *c)
{
    return (uint32_t)(c - t->conn);
}

static inline tcp_id conn_id(const struct tcp *t, const struct tcp_conn *c)
{
    return (uint64_t)c->generation << 32 | conn_index(t, c);
}

static inline uint32_t tcp_ms(const struct tcp *t)
{
    return (uint32_t)t->ctx->ms;
}

/* Our clock of timestamps (RFC 7323 section 5.4: milliseconds, another beginning for each pair of endpoints).
 */
static inline uint32_t ts_now(const struct tcp *t, uint32_t offset)
{
    return tcp_ms(t) + offset;
}

/* Microseconds since some moment, as of this turn. */
static inline void clock_look(struct tcp *t)
{
    t->now_us = t->us_scale ? (uint32_t)((__uint128_t)t->ctx->tsc * t->us_scale >> 32) : tcp_ms(t) * 1000;
}

static inline bool conn_open(const struct tcp_conn *c)
{
    return c->state >= TCP_ESTABLISHED && c->state < TCP_TIME_WAIT;
}

/* What is on its way and not known to have arrived or to be lost. */
static inline uint32_t conn_pipe(const struct tcp_conn *c)
{
    uint32_t flight = c->snd_nxt - c->snd_una, out = c->flight ? c->flight->sacked + c->flight->lost : 0;
    return flight > out ? flight - out : 0;
}

/* Octets of data that a full segment has. */
static inline uint32_t conn_payload(const struct tcp_conn *c)
{
    return c->mss - (c->bits & CONN_TS ? TCP_OPTIONS_TS : 0u) - (c->reassembly ? TCP_OPTIONS_SACK : 0u);
}

/* conn.c: taking and giving back; ends */
struct tcp_conn *conn_new(struct tcp *t, const struct tcp_key *key);
struct tcp_conn *conn_of(const struct tcp *t, tcp_id id); /* NULL: stale, or forgotten by the upper */
bool conn_attach(struct tcp *t, struct tcp_conn *c, uint64_t hash);
void conn_detach(struct tcp *t, struct tcp_conn *c);
void conn_dirty(struct tcp *t, struct tcp_conn *c);
void conn_event(struct tcp *t, struct tcp_conn *c, uint8_t bits);
/* The end in good order: CLOSED follows when all is read. */
void conn_gone(struct tcp *t, struct tcp_conn *c);
void conn_fail(struct tcp *t, struct tcp_conn *c, enum tcp_reason reason, unsigned counter);
void conn_free(struct tcp *t, struct tcp_conn *c);
void conn_forget(struct tcp *t, struct tcp_conn *c); /* by the upper; frees what is closed and in no list */
void conn_options(struct tcp *t, struct tcp_conn *c,
                  const struct tcp_options *o);                    /* the peer's, of its SYN */
uint16_t mss_ours(const struct tcp *t, const struct tcp_key *key); /* what we offer */
uint16_t mss_towards(const struct tcp_options *o, const struct tcp_key *key, uint16_t ours);
/* listen.c */
struct tcp_listener *listener_at(struct tcp *t, const struct hg_ip *ip, uint16_t port);
unsigned listen_input(struct tcp *t, struct tcp_rx *rx); /* a segment that belongs to nothing */
/* syn.c: half-open connections */
unsigned syn_input(struct tcp *t, struct tcp_rx *rx, struct tcp_listener *l, uint32_t iss_above);
unsigned half_input(struct tcp *t, struct tcp_rx *rx, struct tcp_half *h);
void half_timer(struct tcp *t, struct tcp_half *h);
void half_free(struct tcp *t, struct tcp_half *h);
/* The third segment of a handshake: a connection, ready for the rest of the steps. NULL: refused, *why. */
struct tcp_conn *syn_accept(struct tcp *t, const struct tcp_rx *rx, const struct tcp_half *h, unsigned *why);
/* cookie.c */
uint32_t cookie_make(struct tcp *t, const struct tcp_rx *rx, uint16_t *mss);
uint32_t cookie_ts(uint32_t now, const struct tcp_options *o);
bool cookie_check(struct tcp *t, const struct tcp_rx *rx, struct tcp_half *out);
/* input.c */
const struct tcp_key *table_key(const struct tcp *t, uint32_t value);
/* isn.c */
void isn_make(const struct tcp *t, const struct tcp_key *key, uint32_t *isn, uint32_t *ts_offset);
/* connect.c */
unsigned syn_sent_input(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c);
void connect_timer(struct tcp *t, struct tcp_conn *c); /* SYN, or SYN and ACK, once more */
/* segment.c: RFC 9293 section 3.10.7.4 */
unsigned segment_input(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c);
bool challenge_allowed(struct tcp *t, struct tcp_conn *c);
void fin_came(struct tcp *t, struct tcp_conn *c);
/* ack.c */
unsigned ack_input(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c);
/* flight.c */
bool flight_room(struct tcp *t, struct tcp_conn *c); /* for one more */
void flight_add(struct tcp *t, struct tcp_conn *c, uint32_t seq, uint32_t len);
void flight_split(struct tcp_flight *f, struct tcp_sent *s, uint32_t len);
void flight_drop(struct tcp *t, struct tcp_conn *c);
void flight_resent(struct tcp *t, struct tcp_conn *c, struct tcp_sent *s);
struct tcp_sent *flight_lost(struct tcp_flight *f); /* the first that is lost; NULL */
void flight_mark_lost(struct tcp_flight *f, struct tcp_sent *s);
struct flight_news {
    uint32_t delivered; /* octets newly known to have arrived */
    uint32_t rtt_us;    /* a sample; 0: none */
    bool sacked;        /* something above snd_una */
    bool again;         /* of what arrived, something was a retransmission */
    bool duplicate;     /* the peer says that something came twice */
};
void flight_acked(struct tcp *t, struct tcp_conn *c, const struct tcp_rx *rx, struct flight_news *news);
void flight_sacked(struct tcp *t, struct tcp_conn *c, const struct tcp_rx *rx, struct flight_news *news);
/* rack.c */
void rack_arrived(const struct tcp *t, struct tcp_conn *c, const struct tcp_sent *s);
void rack_detect(struct tcp *t, struct tcp_conn *c);
/* recovery.c */
void recovery_ack(struct tcp *t, struct tcp_conn *c, uint32_t acked, bool dup, const struct tcp_rx *rx,
                  const struct flight_news *news);
void recovery_timeout(struct tcp *t, struct tcp_conn *c);
void recovery_enter(struct tcp *t, struct tcp_conn *c);
void recovery_reorder(struct tcp *t, struct tcp_conn *c);
void tail_probe(struct tcp *t, struct tcp_conn *c);
/* cubic.c */
void cubic_start(struct tcp_conn *c);
void cubic_acked(const struct tcp *t, struct tcp_conn *c, uint32_t octets);
void cubic_lost(struct tcp_conn *c); /* sets ssthresh */
/* rto.c */
void rtt_sample(struct tcp_conn *c, uint32_t us);
uint32_t rto_ms(const struct tcp *t, const struct tcp_conn *c); /* backed off */
uint32_t rto_plain_ms(const struct tcp *t, const struct tcp_conn *c);
/* output.c */
uint32_t conn_unsent(const struct tcp_conn *c);
uint32_t conn_window(const struct tcp_conn *c);
void conn_output(struct tcp *t, struct tcp_conn *c);
void ack_output(struct tcp *t, struct tcp_conn *c);
void probe_output(struct tcp *t, struct tcp_conn *c,
                  bool data); /* keepalive, or one octet into a closed window */
void syn_output(struct tcp *t, struct tcp_conn *c);
bool segment_again(struct tcp *t, struct tcp_conn *c, struct tcp_sent *s);
bool segment_new(struct tcp *t, struct tcp_conn *c, uint32_t len, bool fin);
/* build.c: one segment into a buffer and down */
struct tcp_out {
    const struct tcp_key *key;
    struct net_hint *hint; /* NULL: nobody keeps one */
    uint32_t seq, ack;
    uint16_t wnd;
    uint8_t flags;
    bool fenced;
    uint8_t options; /* bytes */
    uint8_t option[40];
};
bool build_send(struct tcp *t, const struct tcp_out *o, const struct tcp_chunk *chunk, uint32_t skip,
                uint32_t len);
/* reset.c */
unsigned reset_answer(struct tcp *t, const struct tcp_rx *rx,
                      unsigned counter); /* RFC 9293 section 3.10.7.1 */
void reset_send(struct tcp *t, const struct tcp_key *key, uint32_t seq, uint32_t ack, bool with_ack,
                bool fenced);
void reset_conn(struct tcp *t, struct tcp_conn *c);
/* send.c */
void send_release(struct tcp *t, struct tcp_conn *c, uint32_t octets);
void send_free(struct tcp *t, struct tcp_conn *c);
void send_room(struct tcp *t, struct tcp_conn *c); /* WRITABLE when somebody waits for it */
struct tcp_chunk *chunk_new(struct sized_slabs *memory, uint32_t len);
/* receive.c */
unsigned receive_data(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c);
struct rte_mbuf *receive_cut(struct tcp_rx *rx); /* the buffer, its data alone; rx has it no more */
void receive_append(struct tcp *t, struct tcp_conn *c, struct rte_mbuf *m);
void receive_keep(struct tcp *t, struct tcp_conn *c);
void receive_free(struct tcp *t, struct tcp_conn *c);
uint32_t receive_edge(const struct tcp *t, const struct tcp_conn *c); /* right edge of the window to tell */
/* reassembly.c */
unsigned reassembly_add(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c);
void reassembly_trim(const struct tcp_conn *c, struct tcp_rx *rx);
bool reassembly_take(struct tcp *t, struct tcp_conn *c); /* what has become in order; true: a FIN among it */
void reassembly_free(struct tcp *t, struct tcp_conn *c);
void reassembly_twice(struct tcp *t, struct tcp_conn *c, uint32_t from, uint32_t to);
unsigned reassembly_ranges(struct tcp *t, struct tcp_conn *c, struct tcp_range *out, unsigned max);
/* timer.c */
void timer_set(struct tcp *t, struct tcp_conn *c, enum tcp_deadline which, uint32_t in_ms);
void timer_clear(struct tcp_conn *c, enum tcp_deadline which);
void timer_send_set(struct tcp *t, struct tcp_conn *c,
                    bool again); /* what TCP_AT_SEND should be; again: from now */
void timer_idle_set(struct tcp *t, struct tcp_conn *c);
enum tcp_timer_kind { TCP_TIMER_CONN = 1, TCP_TIMER_HALF = 2, TCP_TIMER_WAIT = 3 };
/* timewait.c */
void wait_enter(struct tcp *t, struct tcp_conn *c);
unsigned wait_input(struct tcp *t, struct tcp_rx *rx, struct tcp_wait *w);
void wait_timer(struct tcp *t);
/* limits.c */
void limits_read(struct tcp *t);
bool source_full(struct tcp *t, const struct hg_ip *ip);
bool source_add(struct tcp *t, const struct hg_ip *ip);
void source_remove(struct tcp *t, const struct hg_ip *ip);
/* pmtu.c */
void pmtu_blackhole(struct tcp *t, struct tcp_conn *c);

#endif
