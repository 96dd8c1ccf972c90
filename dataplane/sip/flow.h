/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections that carry SIP. A flow belongs to the core of its connection; others name it by its id, and
 * mail what should go there. Requests look for a flow by where it leads, and open one; answers go back by the
 * flow of their request. What is sent while a connection is being opened waits, bounded in number and time.
 */
#ifndef SIP_FLOW_H
#define SIP_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/slab.h"
#include "lib/wheel.h"
#include "sip/frame.h"
#include "sip/proxy.h"
#include "stream/stream.h"

#define FLOW_NONE       UINT32_MAX
#define FLOW_INDEX_BITS 28
#define FLOW_INDEX_MASK ((1u << FLOW_INDEX_BITS) - 1)
#define FLOW_PARAM      "hg-flow"    /* of our Via: the flow that the request came by */
#define FLOW_TOKEN      24           /* hex digits: the id and its MAC */
#define FLOW_ARENA      (256 * 1024) /* of messages in pieces, in one burst */

enum flow_timer { TIMER_FLOW = 0x10 }; /* beside enum sip_timer */

enum flow_state {
    FLOW_OPENING, /* messages wait */
    FLOW_OPEN,
    FLOW_REFUSED, /* could not be opened: not tried again before its timer */
    FLOW_SPENT,   /* may be tried again, and remembers how often it was */
};

struct flow {
    stream_id stream;
    struct hg_endpoint remote;     /* with the protocol */
    struct hg_endpoint local;      /* ours towards it: what our Via says, where others may connect to */
    uint32_t next;                 /* in its bucket, of those that requests may use; FLOW_NONE: the last */
    uint32_t next_more, prev_more; /* in the list of those with more to read, with more */
    uint32_t ahead;                /* bytes of it in the burst that is being gathered */
    struct sip_frame frame;
    uint8_t state;
    bool listed; /* requests for its remote endpoint may use it */
    bool more;
    bool broken; /* framing is lost: closed when the burst has run */
    bool deaf;   /* the other side has closed: it still gets what it waits for, but not for ever */
    uint8_t failures;
    uint16_t queued;
    uint32_t queued_bytes;
    struct rte_mbuf *first, *last; /* that wait, chained */
    struct wheel_timer timer;      /* connecting: the limit; refused: until when; open: idle */
};

struct flow_burst { /* messages of flows, as they go through the stages; s->msg holds their indexes */
    unsigned n, flows;
    struct datagram d[SIP_BURST];
    enum sip_result indexed[SIP_BURST];
    uint64_t flow[SIP_BURST]; /* each once, with bytes to consume in struct flow */
};

struct flows {
    struct slab *slab;
    uint32_t max, mask;
    uint32_t *generation; /* of each place, odd: there is one */
    uint32_t *bucket;
    uint32_t first_more, last_more;
    char *arena;
    uint32_t arena_used;
    struct flow_burst burst;
    struct sip_msg scratch;
};

/* ---- flow.c ---- */
struct flows *flows_create(const struct hg_config *config);
void flows_destroy(struct flows *f);
uint64_t flow_id(const struct sip *s, const struct flow *f);
static inline unsigned flow_core(uint64_t id)
{
    return (unsigned)(id >> 56);
}
/* Of this core; NULL: gone. */
struct flow *flow_of(const struct sip *s, uint64_t id);
struct flow *flow_at(const struct sip *s, uint32_t index);
/* A place for a connection; NULL: no room (counted). */
struct flow *flow_new(struct sip *s, const struct hg_endpoint *local, const struct hg_endpoint *remote);
/* It is no more: what waited has failed. */
void flow_free(struct sip *s, struct flow *f);
/* Requests to its remote endpoint may use it from now on. */
void flow_list(struct sip *s, struct flow *f);
/* The one that requests to dst use; NULL: none. */
struct flow *flow_to(const struct sip *s, const struct hg_endpoint *dst);
void flow_more(struct sip *s, struct flow *f, bool more);
void flow_touch(struct sip *s, struct flow *f); /* the idle timer begins anew */

/* ---- flow_token.c ---- */
void flow_token_write(const struct sip *s, uint64_t flow, char out[FLOW_TOKEN]);
/* 0: not of our making, in this life. */
uint64_t flow_token_read(const struct sip *s, struct slice text);

/* ---- flow_send.c ---- */
/* Takes m. flow 0: any that leads to dst, or a new one from src. false: there is no way now. */
bool flow_send(struct sip *s, struct rte_mbuf *m, const struct hg_endpoint *src,
               const struct hg_endpoint *dst, uint64_t flow);
/* There is an open connection, here, and nobody has to wait. */
bool flow_is_open(const struct sip *s, const struct hg_endpoint *dst);
void flow_opened(struct sip *s, struct flow *f);
/* It did not come about, or broke; told with what waited. */
void flow_lost(struct sip *s, struct flow *f);
void flow_timer(struct sip *s, struct flow *f);

/* ---- flow_input.c ---- */
void flow_readable(struct sip *s, struct flow *f);

#endif
