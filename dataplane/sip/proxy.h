/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the SIP proxy of one core: its state and the steps that a message takes, each in the file of its
 * name. A step that ends a datagram's way returns the one counter of its disposition. */
#ifndef SIP_PROXY_H
#define SIP_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "hg/config.h"
#include "hg/counters.h"
#include "lib/ctx.h"
#include "lib/hash_lanes.h"
#include "net/net.h"
#include "route/route.h"
#include "sip/branch.h"
#include "sip/check.h"
#include "sip/decode.h"
#include "sip/index_impl.h"
#include "sip/msg.h"
#include "sip/sip.h"
#include "sip/text.h"

#define SIP_BURST       32
#define SIP_SERVICE_MAX 192      /* listeners on service addresses */
#define SIP_HOP_PARAM   "hg-hop" /* of our Via towards another node: the how manieth hop between nodes */
#define SIP_PATHS       64       /* remembered: destination -> which listener sends to it */
#define SIP_SLOT_NONE   0xffff
#define SIP_ROUTE_NONE  UINT32_MAX
#define SIP_PAYLOAD_MAX 65507 /* of UDP over IPv4 */

struct listener {
    struct hg_endpoint ep;
    bool service; /* on a service address: comes and goes */
    bool gone;
    bool quiet;     /* nobody listens there: it only sends */
    uint32_t users; /* of a service address: transactions that point here */
    uint16_t via_len, hostport_len, host_len;
    uint64_t host_word, host_mask; /* its first eight bytes, and which of them it has */
    char via[104];                 /* "Via: SIP/2.0/UDP host:port;branch=" */
    char hostport[56];             /* "host:port" */
};

struct sip_path {
    struct hg_ip dst;
    const struct listener *out; /* NULL: nothing remembered here */
};

/* One datagram on its way through the stages of a burst. */
struct work {
    struct datagram *d; /* d->m is NULL when the mbuf has a new owner; of streams, from the beginning */
    struct sip_msg *m;
    const struct listener *in;
    enum sip_result indexed;
    unsigned done;     /* counter of the disposition, HG_COUNTERS_MAX = not there yet */
    uint8_t error;     /* enum sip_error found by validation */
    bool own_domain;   /* R-URI: our domain, or this node */
    bool to_self;      /* R-URI: the address of this node */
    bool ruri_is_last; /* 16.4: the R-URI was ours, the last Route value takes its place */
    bool strict;       /* 16.6 step 6: the topmost Route value is a strict router's */
    uint8_t pops;      /* topmost Route values that are ours */
    uint8_t routes;    /* Route values that stay, without the one that moved to the R-URI */
    struct sip_core_fields c;
    int32_t max_breadth; /* -1: absent */
    uint64_t call_hash;  /* of the Call-ID, the same on every core */
    uint32_t loop_hash;
    struct slice route_element; /* topmost Route value that is not ours, len 0 = none */
    struct slice route_last;    /* last Route value, when ruri_is_last */
    struct sip_addr route;
    struct sip_uri uri;      /* the R-URI in force, after 16.4 */
    struct slice user, host; /* of the R-URI: unescaped; in any case */
    struct hg_user_key key;
    char user_buf[HG_USER_MAX];
    char ruri_buf[512];
    bool has_txn_key;
    uint64_t txn_key[2];   /* of the server transaction */
    struct slice new_ruri; /* len 0 = as received */
    struct branch branch;  /* of a response: that of our Via; of a request: that which it would get */
    enum branch_origin origin;
    uint32_t branch_mac;
    bool has_branch; /* of a request */
};

/* What is to be done with a request: answer it with status, or send it to the targets. */
struct decision {
    uint16_t status; /* 0 = forward */
    const char *reason;
    bool retry_after;
    bool stateful;
    bool fenced;        /* done for a user of this node: it leaves only while the lease lasts */
    uint16_t counter;   /* of that answer, counted when it is given; 0: none */
    struct slice extra; /* header lines of the answer */
    struct route_targets targets;
    char extra_buf[128];
};

struct edits;
struct flows;
struct guard;
struct txns;

struct batch { /* hashes that wait until the lanes are full (batch.c) */
    struct hash_lanes h;
    struct work *w[HASH_LANES];
};

struct overload {
    uint64_t busy_cycles, tsc; /* at the last look */
    uint32_t load;             /* percent, smoothed */
    uint32_t shed;             /* percent of new requests that get 503 */
    uint32_t drop;             /* percent of new requests that are dropped without an answer */
    uint32_t oc_seq;
};

struct hop_oc { /* RFC 7339: what a next hop asked for */
    uint64_t until_ms, seq;
    uint8_t loss;
};

struct sip {
    struct ctx *ctx;
    struct net *net;
    struct route *route;
    struct hg_hash_secret secret; /* of the branches and tags */
    uint64_t seed;                /* of mix.h */
    hash_lanes_fn hash_lanes;
    enum sip_isa isa; /* of the parser */
    struct batch keys, macs;
    struct work *fetch[HASH_LANES]; /* whose keys have been made last */
    unsigned fetched, fetches;
    uint8_t branch_kind;          /* of the last request that was sent on; 0: it got a transaction */
    struct hg_user_domain domain; /* cluster.domain, made ready once a burst: a reload may change it */
    uint8_t node;                 /* our index, 0 = not told yet */
    bool has_v6;                  /* some listener is IPv6: other spellings of its address exist */
    bool draining;
    bool fenced; /* what is sent now is done for a user of this node (lib/lease.h) */
    uint32_t drain_retry_s;
    uint16_t nlisteners; /* those of the configuration first */
    uint16_t oc_hops;
    struct listener listener[HG_LISTENERS_MAX + SIP_SERVICE_MAX];
    struct sip_path path[SIP_PATHS];
    struct overload overload;
    struct guard *guard;
    struct flows *flows;
    struct stream *stream; /* NULL: none is listened to, and none is opened */
    struct txns *txns;
    struct hop_oc *oc; /* [HG_HOP_SLOTS] */
    struct decision decision;
    struct work work[SIP_BURST];
    struct sip_msg msg[SIP_BURST];
    struct sip_msg kept; /* index of a kept message, for the paths that need one again */
    struct sip_msg traced;
};

/* ---- service.c ---- */
static inline void listener_hold(struct sip *s, const struct listener *l)
{
    if (__builtin_expect(l->service, 0))
        s->listener[l - s->listener].users++;
}
static inline void listener_release(struct sip *s, const struct listener *l)
{
    if (l && __builtin_expect(l->service, 0))
        s->listener[l - s->listener].users--;
}

/* The listener for one target of a request that came in on in: to a contact from the service address that its
 * user knows, if the request came to that. */
const struct listener *sip_listener_for(struct sip *s, const struct route_target *t,
                                        const struct listener *in);

/* ---- room.c ---- */
void listener_init(struct listener *l, const struct hg_endpoint *ep);
uint16_t sip_default_port(uint8_t proto);
/* The listener at exactly that endpoint. */
const struct listener *sip_listener_of(const struct sip *s, const struct hg_endpoint *ep);
/* The listener of its protocol that sends to dst; NULL: no route. like: of the same port if there is a
 * choice. */
const struct listener *sip_listener_to(struct sip *s, const struct hg_endpoint *dst,
                                       const struct listener *like);
/* host:port (0 = the usual one) is one of our listeners, of any protocol. */
bool sip_is_us(const struct sip *s, uint8_t host_kind, const struct hg_ip *ip, uint16_t port);
/* An mbuf with room for len bytes at the usual headroom; NULL: none left. */
struct rte_mbuf *sip_mbuf(struct sip *s, uint32_t len);
/* Sends what stands in m, and counts; takes m. flow: the connection to use, where there is one (sip/flow.h).
 * false: there is no way there now. */
bool sip_send(struct sip *s, struct rte_mbuf *m, const struct hg_endpoint *src, const struct hg_endpoint *dst,
              uint64_t flow);

/* ---- guard.c ---- */
struct guard *guard_create(void);
void guard_destroy(struct guard *g);
/* 0: pass; else the drop. */
unsigned guard_source(struct sip *s, const struct hg_ip *src);
unsigned guard_check(struct sip *s, struct datagram *d);

/* ---- keepalive.c, stun.c ---- */
/* HG_COUNTERS_MAX: no keepalive, go on. */
unsigned keepalive_check(struct sip *s, struct datagram *d);
unsigned stun_answer(struct sip *s, struct datagram *d);

/* ---- validate.c ---- */
/* Decodes what every request or response needs; false: w->error says why not. */
bool validate_decode(struct sip *s, struct work *w);
/* RFC 3261 16.3; HG_COUNTERS_MAX: go on. */
unsigned validate_request(struct sip *s, struct work *w);
uint32_t validate_loop_hash(const struct sip *s, const struct work *w);

/* ---- preprocess.c ---- */
void preprocess_hash(struct sip *s, struct work *w); /* keys and prefetches, before anything is looked up */
bool preprocess_request(struct sip *s, struct work *w); /* 16.4; false: Route is malformed */

/* The user part that counts: unescaped, of telephone numbers without separators. buf may hold it. */
struct slice preprocess_user(const struct sip_uri *uri, char *buf, uint32_t size);

/* ---- batch.c ---- */
void batch_init(struct sip *s);
/* w->key, at batch_done() at the latest. */
void batch_user_key(struct sip *s, struct work *w);
/* Fetches what one of the keys will ask for. */
void batch_fetch(struct sip *s);
/* The branch and its MAC, at batch_done() at the latest, where a stateless copy is expected. */
void batch_branch(struct sip *s, struct work *w);
/* n: messages of the burst; few are asked for soon, so what they need is fetched at once. */
void batch_done(struct sip *s, unsigned n);

/* ---- serve.c ---- */
void serve_user(struct sip *s, struct work *w, struct decision *out);
/* How many nodes the request came through for its user, as a node says that sent it; 0: no node did. */
unsigned serve_hops(const struct sip *s, const struct work *w);

/* ---- target.c ---- */
void target_refuse(struct decision *out, uint16_t status, const char *reason);
void target_one(struct sip *s, struct decision *out, const struct hg_endpoint *ep);
void target_find(struct sip *s, struct work *w, struct decision *out); /* 16.5 and 16.6 step 7 */
/* Unicast, and inside some access list. */
bool target_address_allowed(struct sip *s, const struct hg_ip *ip);
/* All of them are listeners of ours: what is sent there would come back, and be refused with 482 (16.3 step
 * 4). */
bool target_is_us(const struct sip *s, const struct route_targets *t);

/* ---- input.c ---- */
void work_init(struct sip *s, struct work *w, struct datagram *d, struct sip_msg *m);
/* The message, edited: in the mbuf that it came in, which is the caller's then, or in a new one. NULL: no
 * buffer. */
struct rte_mbuf *work_edit(struct sip *s, struct work *w, const struct edits *e);
/* In a new one: w stays as it is. */
struct rte_mbuf *work_copy(struct sip *s, const struct work *w, const struct edits *e);
/* Messages of streams, whose index stands in s->msg; the guard has let them pass. They have no mbuf of their
 * own.
 */
void input_indexed(struct sip *s, struct datagram *d, const enum sip_result *indexed, unsigned n);
unsigned proxy_request(struct sip *s, struct work *w);

/* ---- stateless.c ---- */
/* The branch of the copy: the same for a request, its retransmissions, its CANCEL and the ACK of its failure.
 */
void stateless_branch(const struct sip *s, const struct work *w, uint8_t kind, struct branch *b);
unsigned stateless_forward(struct sip *s, struct work *w, const struct decision *dec);
/* Hands the datagram to the core that owns its Call-ID. */
unsigned stateless_hand_over(struct sip *s, struct work *w, unsigned core);
static inline unsigned sip_owner_of(const struct sip *s, uint64_t call_hash)
{
    return (unsigned)((call_hash >> 32) * s->ctx->cores >> 32);
}
static inline unsigned sip_owner(const struct sip *s, const struct work *w)
{
    return sip_owner_of(s, w->call_hash);
}

/* ---- flow_send.c (sip/flow.h) ---- */
bool flow_send(struct sip *s, struct rte_mbuf *m, const struct hg_endpoint *src,
               const struct hg_endpoint *dst, uint64_t flow);

/* ---- response.c ---- */
/* Reads the branch of a well-formed response and fetches what it names, in two steps. */
void response_prefetch(struct sip *s, struct work *w);
void response_prefetch_more(struct sip *s, struct work *w);
unsigned response_input(struct sip *s, struct work *w);
/* 18.2.2 with RFC 3581: where an answer to a request with this top Via goes, seen from src. */
void response_destination(const struct sip *s, const struct sip_via *via, const struct hg_endpoint *src,
                          struct hg_endpoint *dst);
/* What takes our Via out of the response in w, and speaks to the next one about overload. */
void response_strip_edits(struct sip *s, struct work *w, struct edits *e);
/* Removes our Via from the message in w and sends it along the next one. */
unsigned response_by_via(struct sip *s, struct work *w, bool check_access);

/* ---- answer.c ---- */
struct answer {
    uint16_t status;
    const char *reason; /* NULL: the usual phrase */
    bool retry_after;
    struct slice extra; /* whole header lines */
};
const char *answer_phrase(unsigned status);
/* The answer to the request in w, in a new mbuf; NULL: no buffer. */
struct rte_mbuf *answer_build(struct sip *s, struct work *w, const struct answer *a);
/* Builds and sends; returns the disposition. */
unsigned answer_send(struct sip *s, struct work *w, const struct answer *a);
unsigned answer_status(struct sip *s, struct work *w, unsigned status);
/* The To tag that we would give to this request: 16 hex digits. */
void answer_tag(const struct sip *s, const struct work *w, char tag[16]);

/* ---- overload.c ---- */
void overload_measure(struct sip *s);
/* 0: take the request; else its disposition (503 sent, or dropped). */
unsigned overload_shed(struct sip *s, struct work *w);
/* RFC 7339 towards those who send to us, and what next hops ask of us. */
void overload_via_edits(struct sip *s, const struct sip_msg *m, const struct sip_via *via, struct edits *e);
void overload_heard(struct sip *s, uint16_t hop_slot, const struct sip_via *ours);
bool overload_hop_sheds(struct sip *s, uint16_t hop_slot);

/* ---- trace.c ---- */
void trace_message(struct sip *s, struct slice message, const struct hg_endpoint *src,
                   const struct hg_endpoint *dst, bool outgoing);

/* ---- count.c ---- */
void count_request(struct sip *s, unsigned method);
void count_answer(struct sip *s, unsigned status);   /* made here */
void count_response(struct sip *s, unsigned status); /* received */
/* a request sent there, when it is a contact or another node */
void count_target(struct sip *s, const struct route_target *t);

#endif
