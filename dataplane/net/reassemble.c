/* SPDX-License-Identifier: BSD-2-Clause */
/* Reassembly for both families. rte_ip_frag holds at most 8 fragments of a datagram as Debian builds it, and
 * lets some overlaps pass; see docs/decisions. Here: any overlap refuses the whole datagram (RFC 5722, and so
 * for IPv4), memory is a fixed number of datagrams and of parked buffers, and the oldest datagram gives way
 * when either runs out, so that a flood of pieces cannot shut out datagrams whose pieces follow each other
 * closely. */
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define PIECES_MAX 128 /* of one datagram */

struct piece {
    struct rte_mbuf *m; /* data is the piece's payload alone */
    uint32_t start, end;
    uint32_t next;
    uint16_t l3_back; /* bytes from the IP header to the data */
    uint16_t pad;
};

struct partial {
    struct hg_ip src, dst;
    uint64_t deadline_ms;
    uint32_t id;
    uint32_t next;         /* in its hash chain or the free list */
    uint32_t older, newer; /* by age */
    uint32_t pieces;       /* sorted by start */
    uint32_t have, total;  /* bytes; total 0 = the end is not known */
    uint16_t npieces, port, iface;
    uint8_t proto, ip4_proto;
    bool refused; /* what else comes of it is dropped */
};

struct reassembly {
    struct partial *partials;
    struct piece *pieces;
    uint32_t *heads;
    uint32_t mask, free_partial, free_piece, oldest, newest, waiting;
    struct wheel_timer timer;
};

struct reassembly *reassembly_create(struct net *net, uint32_t datagrams, uint32_t pieces)
{
    struct reassembly *r = rte_zmalloc("net_reassembly", sizeof(*r), 64);
    uint32_t heads = rte_align32pow2(datagrams);
    if (!r)
        return NULL;
    net->reassembly = r;
    r->mask = heads - 1;
    r->partials = rte_zmalloc("net_partials", datagrams * sizeof(*r->partials), 64);
    r->pieces = rte_zmalloc("net_pieces", pieces * sizeof(*r->pieces), 64);
    r->heads = rte_malloc("net_partial_heads", heads * sizeof(*r->heads), 64);
    if (!r->partials || !r->pieces || !r->heads)
        return NULL;
    memset(r->heads, 0xff, heads * sizeof(*r->heads));
    for (uint32_t i = 0; i < datagrams; i++)
        r->partials[i].next = i + 1 < datagrams ? i + 1 : NET_NIL;
    for (uint32_t i = 0; i < pieces; i++)
        r->pieces[i].next = i + 1 < pieces ? i + 1 : NET_NIL;
    r->oldest = r->newest = NET_NIL;
    r->timer.kind = WHEEL_KIND(WHEEL_NET, NET_TIMER_REASSEMBLY);
    return r;
}

uint32_t reassembly_waiting(const struct net *net)
{
    return net->reassembly->waiting;
}

static uint32_t key_hash(const struct net *net, const struct hg_ip *src, const struct hg_ip *dst, uint32_t id)
{
    return net_hash(net, src, net_hash(net, dst, id));
}

/* How many buffers it gave back. */
static uint32_t pieces_free(struct net *net, struct partial *p)
{
    struct reassembly *r = net->reassembly;
    uint32_t n = 0;
    while (p->pieces != NET_NIL) {
        uint32_t i = p->pieces;
        p->pieces = r->pieces[i].next;
        rte_pktmbuf_free(r->pieces[i].m);
        r->pieces[i] = (struct piece){.next = r->free_piece};
        r->free_piece = i;
        n++;
    }
    r->waiting -= n;
    hg_gauge(net->ctx->counters, HG_C_fragments_waiting, r->waiting);
    p->npieces = 0;
    return n;
}

static void partial_release(struct net *net, uint32_t index)
{
    struct reassembly *r = net->reassembly;
    struct partial *p = &r->partials[index];
    uint32_t *link = &r->heads[key_hash(net, &p->src, &p->dst, p->id) & r->mask];
    while (*link != index)
        link = &r->partials[*link].next;
    *link = p->next;
    *(p->older == NET_NIL ? &r->oldest : &r->partials[p->older].newer) = p->newer;
    *(p->newer == NET_NIL ? &r->newest : &r->partials[p->newer].older) = p->older;
    p->next = r->free_partial;
    r->free_partial = index;
}

/* Parked pieces meet their second fate. */
static void partial_give_up(struct net *net, uint32_t index)
{
    uint32_t n = pieces_free(net, &net->reassembly->partials[index]);
    hg_count(net->ctx->counters, HG_DROP_frag_timeout, n);
    partial_release(net, index);
}

void reassembly_destroy(struct net *net)
{
    struct reassembly *r = net->reassembly;
    if (!r)
        return;
    if (r->partials && r->pieces && r->heads)
        while (r->oldest != NET_NIL)
            partial_give_up(net, r->oldest);
    wheel_cancel(net->ctx->wheel, &r->timer);
    rte_free(r->partials);
    rte_free(r->pieces);
    rte_free(r->heads);
    rte_free(r);
    net->reassembly = NULL;
}

/* RFC 792 and RFC 4443 section 3.3: the sender is told if we have the first piece. */
static void expired_tell(struct net *net, struct partial *p)
{
    struct reassembly *r = net->reassembly;
    if (p->pieces == NET_NIL || r->pieces[p->pieces].start != 0)
        return;
    struct piece *first = &r->pieces[p->pieces];
    struct rte_mbuf *m = first->m;
    struct frame f = {.m = m, .src = p->src, .dst = p->dst, .port = p->port, .iface = p->iface};
    f.l3 = rte_pktmbuf_mtod(m, uint8_t *) - first->l3_back;
    f.l3_len = m->data_len + first->l3_back;
    if (hg_ip_is4(&p->dst))
        icmp4_error(net, &f, 11, 1);
    else
        icmp6_error(net, &f, 3, 1, 0);
    first->m = f.m; /* NULL if it left as the answer; freeing NULL is nothing */
}

void reassembly_timer(struct net *net)
{
    struct reassembly *r = net->reassembly;
    while (r->oldest != NET_NIL && r->partials[r->oldest].deadline_ms <= net->ctx->ms) {
        expired_tell(net, &r->partials[r->oldest]);
        partial_give_up(net, r->oldest);
    }
    if (r->oldest != NET_NIL)
        wheel_arm(net->ctx->wheel, &r->timer, r->partials[r->oldest].deadline_ms);
}

static uint32_t partial_find(struct net *net, const struct frame *f, uint32_t id, uint32_t hash)
{
    struct reassembly *r = net->reassembly;
    /* RFC 791 has the protocol in the key, RFC 8200 has not */
    uint8_t proto = hg_ip_is4(&f->dst) ? f->proto : 0;
    uint32_t i = r->heads[hash & r->mask];
    for (; i != NET_NIL; i = r->partials[i].next) {
        const struct partial *p = &r->partials[i];
        if (p->id == id && p->ip4_proto == proto && hg_ip_eq(&p->src, &f->src) && hg_ip_eq(&p->dst, &f->dst))
            break;
    }
    return i;
}

static uint32_t partial_new(struct net *net, const struct frame *f, uint32_t id, uint32_t hash)
{
    struct reassembly *r = net->reassembly;
    if (r->free_partial == NET_NIL)
        partial_give_up(net, r->oldest);
    uint32_t index = r->free_partial;
    struct partial *p = &r->partials[index];
    r->free_partial = p->next;
    *p = (struct partial){
        .src = f->src,
        .dst = f->dst,
        .deadline_ms = net->ctx->ms + (uint64_t)net->ctx->config->dp_fragment_timeout_ms,
        .id = id,
        .next = r->heads[hash & r->mask],
        .older = r->newest,
        .newer = NET_NIL,
        .pieces = NET_NIL,
        .port = f->port,
        .iface = f->iface,
        .proto = f->proto,
        .ip4_proto = hg_ip_is4(&f->dst) ? f->proto : 0,
    };
    r->heads[hash & r->mask] = index;
    *(r->newest == NET_NIL ? &r->oldest : &r->partials[r->newest].newer) = index;
    r->newest = index;
    if (!wheel_armed(&r->timer))
        wheel_arm(net->ctx->wheel, &r->timer, r->partials[r->oldest].deadline_ms);
    return index;
}

static unsigned refuse(struct net *net, struct partial *p)
{
    hg_count(net->ctx->counters, HG_DROP_frag_timeout, pieces_free(net, p));
    p->refused = true;
    return HG_DROP_frag_bad;
}

/* HG_C_net_parked_fragments: it may be linked in at *link. */
static unsigned place_find(struct reassembly *r, struct partial *p, const struct frame *f,
                           const struct net_fragment *fragment, uint32_t **link)
{
    uint32_t start = fragment->start, end = start + f->l4_len;
    uint32_t *at = &p->pieces, last_end = 0;
    for (; *at != NET_NIL && r->pieces[*at].start < start; at = &r->pieces[*at].next)
        last_end = r->pieces[*at].end;
    if (last_end > start)
        return HG_DROP_frag_bad;
    if (*at != NET_NIL && r->pieces[*at].start < end) {
        const struct piece *q = &r->pieces[*at];
        /* an exact repeat is the network's doing, not an attack: RFC 8200 section 4.5 */
        bool repeat = q->start == start && q->end == end &&
                      memcmp(rte_pktmbuf_mtod(q->m, void *), f->l4, f->l4_len) == 0;
        return repeat ? HG_C_net_absorbed : HG_DROP_frag_bad;
    }
    bool behind = *at == NET_NIL; /* nothing starts later */
    if (fragment->more ? p->total && end > p->total : (p->total && p->total != end) || !behind)
        return HG_DROP_frag_bad;
    *link = at;
    return HG_C_net_parked_fragments;
}

static void piece_put(struct net *net, struct partial *p, struct frame *f, uint32_t start, uint32_t *link)
{
    struct reassembly *r = net->reassembly;
    uint32_t index = r->free_piece;
    struct piece *q = &r->pieces[index];
    r->free_piece = q->next;
    *q = (struct piece){.m = f->m,
                        .start = start,
                        .end = start + f->l4_len,
                        .next = *link,
                        .l3_back = (uint16_t)(f->l4 - f->l3)};
    *link = index;
    f->m->data_off = (uint16_t)(f->l4 - (uint8_t *)f->m->buf_addr);
    f->m->data_len = (uint16_t)f->l4_len;
    f->m->pkt_len = f->l4_len;
    p->npieces++;
    p->have += f->l4_len;
    hg_gauge(net->ctx->counters, HG_C_fragments_waiting, ++r->waiting);
    f->m = NULL;
}

/* All pieces and the new one, put together in one buffer. */
static unsigned whole(struct net *net, uint32_t index, struct frame *f, uint32_t start)
{
    struct reassembly *r = net->reassembly;
    struct partial *p = &r->partials[index];
    struct rte_mbuf *m = net_buffer(net, p->total);
    if (!m) {
        partial_give_up(net, index);
        return p->total > net->room_big ? HG_DROP_frag_bad : HG_DROP_no_mbuf;
    }
    uint8_t *to = rte_pktmbuf_mtod(m, uint8_t *);
    memcpy(to + start, f->l4, f->l4_len);
    for (uint32_t i = p->pieces; i != NET_NIL; i = r->pieces[i].next)
        memcpy(to + r->pieces[i].start, rte_pktmbuf_mtod(r->pieces[i].m, void *), r->pieces[i].m->data_len);
    rte_pktmbuf_free(f->m);
    f->m = m;
    f->proto = p->proto;
    f->l2 = f->l3 = NULL;
    f->l3_len = 0;
    f->l4 = to;
    f->l4_len = p->total;
    pieces_free(net, p);
    partial_release(net, index);
    return HG_C_net_up_datagrams;
}

unsigned reassemble(struct net *net, struct frame *f, const struct net_fragment *fragment)
{
    struct reassembly *r = net->reassembly;
    uint32_t end = fragment->start + f->l4_len;
    if (f->l4_len == 0 || (fragment->more && f->l4_len % 8) || end > UINT16_MAX ||
        (fragment->start == 0 && f->l4_len < 8)) /* RFC 7112: the first one shows the ports */
        return HG_DROP_frag_bad;
    uint32_t hash = key_hash(net, &f->src, &f->dst, fragment->id);
    uint32_t index = partial_find(net, f, fragment->id, hash);
    if (index == NET_NIL)
        index = partial_new(net, f, fragment->id, hash);
    struct partial *p = &r->partials[index];
    uint32_t *link = NULL;
    if (p->refused)
        return HG_DROP_frag_bad;
    unsigned verdict = place_find(r, p, f, fragment, &link);
    if (verdict == HG_DROP_frag_bad || (verdict == HG_C_net_parked_fragments && p->npieces == PIECES_MAX))
        return refuse(net, p);
    if (verdict != HG_C_net_parked_fragments)
        return verdict;
    if (fragment->start == 0)
        p->proto = f->proto;
    if (!fragment->more)
        p->total = end;
    if (p->total && p->have + f->l4_len == p->total)
        return whole(net, index, f, fragment->start);
    while (r->free_piece == NET_NIL && r->oldest != index)
        partial_give_up(net, r->oldest);
    if (r->free_piece == NET_NIL)
        return HG_DROP_frag_table_full;
    piece_put(net, p, f, fragment->start, link);
    return HG_C_net_parked_fragments;
}
