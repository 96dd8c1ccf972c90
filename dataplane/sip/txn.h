/* SPDX-License-Identifier: BSD-2-Clause */
/* Transactions of RFC 3261 section 17 with RFC 6026 and RFC 4320, and the response context of section 16.7
 * that joins one server transaction with the client transactions of its branches. All of it belongs to the
 * core that owns the Call-ID; memory is fixed at start. */
#ifndef SIP_TXN_H
#define SIP_TXN_H

#include <stddef.h>

#include "lib/slab.h"
#include "lib/wheel.h"
#include "sip/proxy.h"

#define TXN_OF(timer, type, member) ((struct type *)(void *)((char *)(timer)-offsetof(struct type, member)))

/* low byte of the wheel's kind */
enum sip_timer { TIMER_SERVER_AGAIN = 1, TIMER_SERVER_END, TIMER_CLIENT_AGAIN, TIMER_CLIENT_END };

enum server_state {
    SERVER_TRYING, /* not INVITE only */
    SERVER_PROCEEDING,
    SERVER_COMPLETED,
    SERVER_CONFIRMED,
    SERVER_ACCEPTED, /* RFC 6026 */
    SERVER_GONE,
    SERVER_STATES
};

enum client_state {
    CLIENT_CALLING, /* Trying, for what is not INVITE */
    CLIENT_PROCEEDING,
    CLIENT_COMPLETED,
    CLIENT_ACCEPTED, /* RFC 6026 */
    CLIENT_GONE,
    CLIENT_STATES
};

enum cancel_state {
    CANCEL_NONE,
    CANCEL_WANTED, /* RFC 3261 9.1: not before a provisional response */
    CANCEL_SENT,
    CANCEL_ANSWERED,
};

/* What has answered and waits for stragglers, oldest first: what has no branches any more apart, so that
 * whoever needs a branch need not look for one there. What had waited long enough to give way when it lost
 * its last branch stands in a list of its own, where order is of no account: behind younger ones it would be
 * found late. */
enum linger { LINGER_NOT, LINGER_ALONE, LINGER_BRANCHES, LINGER_WAITED, LINGER_LISTS };

struct message { /* a message kept in the sized slabs */
    char *p;
    uint32_t len;
};

struct server {
    struct wheel_timer again; /* G; before a non-INVITE is answered: the 100 of RFC 4320 */
    struct wheel_timer end;   /* H, I, J, L */
    uint64_t key[2];
    uint32_t generation;
    uint32_t hash_next;    /* index + 1 */
    uint32_t first;        /* client: index + 1 */
    uint32_t older, newer; /* lingering list: index + 1 */
    uint32_t interval_ms;
    uint64_t since_ms; /* of lingering */
    uint64_t flow;     /* that the request came by; 0: UDP */
    const struct listener *in;
    struct hg_endpoint src, reply;
    struct message request, response, best, auth;
    struct message targets; /* struct route_targets, as far as they are more than one */
    uint32_t breadth;
    uint16_t best_status; /* 0 = none yet; may stand without a message: made here */
    uint16_t pending;     /* branches without a final answer */
    uint8_t next_target;
    uint8_t best_rank;
    uint8_t auth_branches; /* how many answered 401 or 407 */
    uint8_t state;
    uint8_t method;
    uint8_t lingers; /* enum linger */
    bool invite, final_sent, cancelled, no_more, fenced;
};

struct client {
    struct wheel_timer again; /* A, E; while a CANCEL waits for its answer: that one's E */
    struct wheel_timer end;   /* B, F, C, D, K, M */
    uint32_t generation;      /* part of the branch */
    uint32_t server;          /* index + 1, 0 = none: a probe, or the server is gone */
    uint32_t sibling;         /* index + 1 */
    uint32_t interval_ms;
    uint64_t give_up_ms; /* B or F, when end is armed for an earlier fail-over */
    uint64_t flow;       /* that the request has to go by; 0: any that leads to dst */
    const struct listener *out;
    struct hg_endpoint dst;
    struct message request;
    uint32_t route_slot;
    uint16_t hop_slot;
    uint8_t state;
    uint8_t method;
    uint8_t cancel;
    bool invite, probe, finished, heard, fenced;
};

struct txns {
    struct slab *servers, *clients;
    struct sized_slabs messages;
    uint32_t *bucket; /* server: index + 1 */
    uint32_t *alive;  /* generation of each client slot, 0 = free: asked about by what the wire says */
    struct wheel_timer **batch; /* the timers that are being run: what is freed is taken out */
    unsigned nbatch;
    uint32_t mask, max, generation;
    struct {
        uint32_t oldest, newest; /* server: index + 1 */
    } linger[LINGER_LISTS];
    uint32_t lingering; /* in all of them */
    struct route_targets scratch;
};

struct txns *txns_create(const struct hg_config *config);
void txns_destroy(struct txns *t);
void txns_gauges(struct sip *s);
bool txns_busy(const struct txns *t);
uint32_t
txns_load(const struct txns *t); /* percent of the pool that is at work; what lingers does not count */

bool message_keep(struct sip *s, struct message *m, const char *p, uint32_t len);
bool message_room(struct sip *s, struct message *m, uint32_t len);
void message_drop(struct sip *s, struct message *m);
/* A copy on its way; the message stays. */
bool message_send(struct sip *s, const struct message *m, const struct hg_endpoint *src,
                  const struct hg_endpoint *dst, uint64_t flow);

struct server *server_new(struct sip *s);
void server_free(struct sip *s, struct server *sv);
void server_insert(struct sip *s, struct server *sv);
struct server *server_lookup(struct sip *s, const uint64_t key[2]);
static inline void server_bucket_prefetch(const struct sip *s, const uint64_t key[2])
{
    __builtin_prefetch(&s->txns->bucket[key[0] & s->txns->mask]);
}
void server_lingers(struct sip *s, struct server *sv);
struct client *client_new(struct sip *s, struct server *sv);
void client_free(struct sip *s, struct client *c);
struct server *client_server(struct sip *s, const struct client *c);
struct client *server_client(struct sip *s, uint32_t link); /* link: index + 1 */
uint64_t client_id(struct sip *s, const struct client *c);
/* NULL: there is no such client any more. */
struct client *client_by_id(struct sip *s, uint64_t id);

/* A work over a kept request, for what has to be made from it again. false: cannot be (it could once). */
struct kept {
    struct work w;
    struct datagram d;
};
bool kept_work(struct sip *s, struct kept *k, const struct server *sv);

/* ---- server_txn.c ---- */
void server_prefetch(struct sip *s,
                     struct work *w); /* the key of w, and its bucket on the way into the cache */
unsigned server_match(struct sip *s, struct work *w); /* HG_COUNTERS_MAX: belongs to no transaction */
unsigned server_start(struct sip *s, struct work *w, const struct decision *dec);
/* Sends a response of that status (m is taken) and moves the state. */
void server_respond(struct sip *s, struct server *sv, struct rte_mbuf *m, unsigned status);
/* A response made here from the kept request. */
void server_answer(struct sip *s, struct server *sv, unsigned status);
void server_again(struct sip *s, struct server *sv);
void server_end(struct sip *s, struct server *sv);

/* ---- client_txn.c ---- */
/* A branch of sv (NULL: a probe) towards t with the request in w. */
bool client_start(struct sip *s, struct server *sv, struct work *w, const struct route_target *t,
                  uint32_t breadth, bool more);
unsigned client_response(struct sip *s, struct work *w, const struct branch *b);
/* The client that b, our branch, names; then, once that has come, its server. */
void client_prefetch(struct sip *s, const struct branch *b);
void client_prefetch_server(struct sip *s, const struct branch *b);
void client_again(struct sip *s, struct client *c);
void client_end(struct sip *s, struct client *c);
/* The connection that carried its request is gone, or never came: a transport error (17.1.4). */
void client_unsent(struct sip *s, struct client *c);

/* ---- cancel.c ---- */
void cancel_client(struct sip *s, struct client *c);
void cancel_others(struct sip *s, struct server *sv, const struct client *but);
void cancel_again(struct sip *s, struct client *c);
void cancel_answered(struct sip *s, struct client *c);
/* ACK of a failure, hop by hop (17.1.1.3). */
void ack_failure(struct sip *s, struct client *c, const struct work *response);

/* ---- context.c ---- */
/* The next set of targets; false: there is none that could be tried. */
bool context_next(struct sip *s, struct server *sv, struct work *w);
/* A response of a branch; returns its disposition. */
unsigned context_response(struct sip *s, struct server *sv, struct client *c, struct work *w);
/* A branch ended without an answer: counts as status. */
void context_failed(struct sip *s, struct server *sv, struct client *c, unsigned status);
uint8_t context_rank(unsigned status);
bool context_more(const struct server *sv);

#endif
