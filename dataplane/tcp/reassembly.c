/* SPDX-License-Identifier: BSD-2-Clause */
/* What came out of order (RFC 9293 section 3.10.7.4, seventh step), in the buffers it came in, sorted,
 * without overlaps: of octets that come twice the first ones are kept, whatever the second ones say. Bounded
 * for each connection and, with everything pinned, for the core. Also what is told of it (RFC 2018, RFC
 * 2883). */
#include "tcp/state.h"

struct piece { /* in the private area of its buffer */
    uint32_t seq;
    uint32_t pinned;
    bool fin;
};

static struct piece *piece_of(struct rte_mbuf *m)
{
    return rte_mbuf_to_priv(m);
}

static uint32_t end_of(struct rte_mbuf *m)
{
    return piece_of(m)->seq + m->data_len;
}

static struct tcp_reassembly *reassembly_of(struct tcp *t, struct tcp_conn *c)
{
    if (!c->reassembly && (c->reassembly = slab_get(t->reassemblies)) != NULL)
        memset(c->reassembly, 0, sizeof(*c->reassembly));
    return c->reassembly;
}

static void drop_empty(struct tcp *t, struct tcp_conn *c)
{
    if (c->reassembly && !c->reassembly->first && !c->reassembly->duplicate) {
        slab_put(t->reassemblies, c->reassembly);
        c->reassembly = NULL;
    }
}

void reassembly_twice(struct tcp *t, struct tcp_conn *c, uint32_t from, uint32_t to)
{
    if (!(c->bits & CONN_SACK) || from == to || !reassembly_of(t, c))
        return;
    c->reassembly->duplicate = true;
    c->reassembly->twice = (struct tcp_range){.from = from, .to = to};
}

/* The pieces without a gap around seq. */
static struct tcp_range range_at(const struct tcp_reassembly *r, uint32_t seq)
{
    struct tcp_range range = {.from = seq, .to = seq};
    bool in = false;
    for (struct rte_mbuf *m = r->first; m; m = m->next) {
        if (in && piece_of(m)->seq == range.to) {
            range.to = end_of(m);
        } else if (in && seq_lt(seq, range.to)) {
            return range;
        } else {
            if (seq_gt(piece_of(m)->seq, seq))
                break;
            range = (struct tcp_range){.from = piece_of(m)->seq, .to = end_of(m)};
            in = true;
        }
    }
    return in && seq_lt(seq, range.to) ? range : (struct tcp_range){.from = seq, .to = seq};
}

/* The range of the latest arrival is told first, the others as they were before. */
static void recent_add(struct tcp_reassembly *r, uint32_t seq)
{
    struct tcp_range range = range_at(r, seq);
    unsigned n = 1;
    uint32_t keep[TCP_SACKS_SENT] = {seq};
    for (unsigned i = 0; i < r->nrecent && n < TCP_SACKS_SENT; i++)
        if (seq_lt(r->recent[i], range.from) || seq_geq(r->recent[i], range.to))
            keep[n++] = r->recent[i];
    memcpy(r->recent, keep, sizeof(keep));
    r->nrecent = (uint8_t)n;
}

unsigned reassembly_ranges(struct tcp *t, struct tcp_conn *c, struct tcp_range *out, unsigned max)
{
    struct tcp_reassembly *r = c->reassembly;
    unsigned n = 0;
    if (r->duplicate) {
        out[n++] = r->twice;
        r->duplicate = false; /* is told once */
    }
    for (unsigned i = 0; i < r->nrecent && n < max; i++) {
        struct tcp_range range = range_at(r, r->recent[i]);
        if (range.from != range.to)
            out[n++] = range;
    }
    drop_empty(t, c);
    return n;
}

/* Where it belongs, and what of it is new. false: nothing. */
static bool place(struct tcp_reassembly *r, struct tcp_rx *rx, struct rte_mbuf **before)
{
    struct rte_mbuf *prev = NULL, *next = r->first;
    if (r->last && seq_leq(piece_of(r->last)->seq, rx->seq)) {
        prev = r->last;
        next = NULL;
    }
    for (; next && seq_leq(piece_of(next)->seq, rx->seq); next = next->next)
        prev = next;
    if (prev && seq_gt(end_of(prev), rx->seq)) {
        uint32_t old = end_of(prev) - rx->seq;
        if (old >= rx->len)
            return false;
        rx->seq += old;
        rx->data += old;
        rx->len -= old;
    }
    if (next && seq_gt(rx->seq + rx->len, piece_of(next)->seq)) {
        rx->len = piece_of(next)->seq - rx->seq;
        rx->flags &= (uint8_t)~TCP_FIN;
    }
    *before = prev;
    return rx->len || (rx->flags & TCP_FIN && !(prev && piece_of(prev)->fin));
}

static void insert(struct tcp_reassembly *r, struct rte_mbuf *prev, struct rte_mbuf *m)
{
    if (prev) {
        m->next = prev->next;
        prev->next = m;
    } else {
        m->next = r->first;
        r->first = m;
    }
    if (!m->next)
        r->last = m;
}

unsigned reassembly_add(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    struct tcp_reassembly *r = reassembly_of(t, c);
    struct rte_mbuf *prev;
    uint32_t size = rx->m->buf_len + (uint32_t)sizeof(*rx->m), seq = rx->seq, end = rx->seq + rx->len;
    c->bits |= CONN_ACK_NOW; /* a duplicate ACK, and what is there (RFC 5681 section 4.2) */
    conn_dirty(t, c);
    if (!r || r->pinned + size > t->limits.reassembly || t->pinned + size > t->limits.pinned) {
        drop_empty(t, c);
        return HG_DROP_tcp_reassembly_full;
    }
    if (!place(r, rx, &prev)) {
        reassembly_twice(t, c, seq, end);
        return HG_DROP_tcp_duplicate;
    }
    struct rte_mbuf *m = receive_cut(rx);
    *piece_of(m) = (struct piece){.seq = rx->seq, .pinned = size, .fin = rx->flags & TCP_FIN};
    insert(r, prev, m);
    r->pinned += size;
    r->pieces++;
    t->pinned += size;
    if (rx->len)
        recent_add(r, rx->seq);
    ctx_count(t->ctx, HG_C_tcp_out_of_order);
    return HG_C_tcp_taken;
}

/* A segment that is in order now: what is there already stays as it is. */
void reassembly_trim(const struct tcp_conn *c, struct tcp_rx *rx)
{
    struct rte_mbuf *m = c->reassembly->first;
    if (!m || seq_leq(rx->seq + rx->len, piece_of(m)->seq))
        return;
    rx->len = piece_of(m)->seq - rx->seq;
    rx->flags &= (uint8_t)~TCP_FIN;
}

static void unlink_first(struct tcp *t, struct tcp_reassembly *r)
{
    struct rte_mbuf *m = r->first;
    r->first = m->next;
    if (!r->first)
        r->last = NULL;
    r->pinned -= piece_of(m)->pinned;
    t->pinned -= piece_of(m)->pinned;
    r->pieces--;
    m->next = NULL;
}

bool reassembly_take(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_reassembly *r = c->reassembly;
    struct rte_mbuf *m;
    bool fin = false;
    while ((m = r->first) != NULL && seq_leq(piece_of(m)->seq, c->rcv_nxt)) {
        uint32_t old = c->rcv_nxt - piece_of(m)->seq;
        fin |= piece_of(m)->fin && old <= m->data_len;
        unlink_first(t, r);
        if (old >= m->data_len) {
            rte_pktmbuf_free(m);
            continue;
        }
        m->data_off = (uint16_t)(m->data_off + old);
        m->data_len = (uint16_t)(m->data_len - old);
        m->pkt_len = m->data_len;
        receive_append(t, c, m);
    }
    drop_empty(t, c);
    return fin;
}

void reassembly_free(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_reassembly *r = c->reassembly;
    if (!r)
        return;
    while (r->first) {
        struct rte_mbuf *m = r->first;
        unlink_first(t, r);
        rte_pktmbuf_free(m);
    }
    slab_put(t->reassemblies, r);
    c->reassembly = NULL;
}
