/* SPDX-License-Identifier: BSD-2-Clause */
/* Received octets in order: handed up where they lie, in the buffers they came in. What outlives its turn
 * stays there within a budget of pinned buffers, and is copied into sized slabs beyond it (DESIGN section 4).
 */
#include "tcp/state.h"

#define PIN_MAX     4u /* buffers that one connection may pin */
#define NEARLY      8u
#define KEPT_MAX    16000u
#define PIN_WORTH   2u /* ... as long as at least one in so many of their bytes are data */
#define READ_FLIGHT 2u /* full segments that may go without an ACK (RFC 9293 section 3.8.6.3) */

static uint32_t pin_size(const struct rte_mbuf *m)
{
    return m->buf_len + (uint32_t)sizeof(*m);
}

/* The largest window that can be told. */
static uint32_t window_max(const struct tcp *t, const struct tcp_conn *c)
{
    uint32_t field = (uint32_t)UINT16_MAX << c->rcv_scale;
    return t->limits.window < field ? t->limits.window : field;
}

uint32_t receive_edge(const struct tcp *t, const struct tcp_conn *c)
{
    uint32_t window = window_max(t, c), used = c->readable;
    uint32_t edge = c->rcv_nxt + (used < window ? window - used : 0);
    uint32_t step = window / 2 < c->rcv_mss ? window / 2 : c->rcv_mss;
    /* never drawn back, and not moved by little: RFC 9293 section 3.8.6.2.2 */
    return seq_geq(edge, c->rcv_adv + step) || (c->rcv_adv == c->rcv_nxt && used == 0) ? edge : c->rcv_adv;
}

void receive_append(struct tcp *t, struct tcp_conn *c, struct rte_mbuf *m)
{
    uint32_t len = m->data_len;
    m->next = NULL;
    if (c->rcv_last)
        c->rcv_last->next = m;
    else
        c->rcv_first = m;
    c->rcv_last = m;
    c->readable += len;
    c->rcv_nxt += len;
    c->bytes_in += len;
    if (len > c->rcv_mss)
        c->rcv_mss = (uint16_t)len;
    conn_event(t, c, TCP_EVENT_READABLE);
    conn_dirty(t, c);
}

/* The buffer becomes its data alone. */
struct rte_mbuf *receive_cut(struct tcp_rx *rx)
{
    struct rte_mbuf *m = rx->m;
    m->data_off = (uint16_t)(rx->data - (const uint8_t *)m->buf_addr);
    m->data_len = (uint16_t)rx->len;
    m->pkt_len = rx->len;
    rx->m = NULL;
    return m;
}

static void ack_due(struct tcp *t, struct tcp_conn *c)
{
    if (c->rcv_nxt - c->ack_sent >= READ_FLIGHT * c->rcv_mss)
        c->bits |= CONN_ACK_NOW;
    else
        c->bits |= CONN_ACK_LATER;
    conn_dirty(t, c);
}

unsigned receive_data(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    if (rx->seq != c->rcv_nxt)
        return reassembly_add(t, rx, c);
    if (unlikely(rx->len && c->readable && t->pinned > t->limits.pinned)) {
        c->bits |= CONN_ACK_NOW;
        conn_dirty(t, c);
        return HG_DROP_tcp_no_memory; /* it comes again when the upper has read something */
    }
    if (unlikely(c->reassembly != NULL))
        reassembly_trim(c, rx);
    bool fin = rx->flags & TCP_FIN;
    if (rx->len)
        receive_append(t, c, receive_cut(rx));
    if (unlikely(c->reassembly != NULL)) {
        fin |= reassembly_take(t, c);
        c->bits |= CONN_ACK_NOW; /* a hole was filled (RFC 5681 section 4.2) */
    }
    if (fin)
        fin_came(t, c);
    ack_due(t, c);
    return HG_C_tcp_taken;
}

/* ---- the reader ---- */

unsigned tcp_peek(struct tcp *t, tcp_id id, struct slice *out, unsigned max)
{
    const struct tcp_conn *c = conn_of(t, id);
    unsigned n = 0;
    if (!c)
        return 0;
    for (const struct tcp_chunk *k = c->kept; k && n < max; k = k->next)
        out[n++] = slice_of((const char *)k->data + k->from, k->to - k->from);
    for (const struct rte_mbuf *m = c->rcv_first; m && n < max; m = m->next)
        out[n++] = slice_of(rte_pktmbuf_mtod(m, const char *), m->data_len);
    return n;
}

static uint32_t consume_kept(struct tcp *t, struct tcp_conn *c, uint32_t bytes)
{
    struct tcp_chunk *k;
    while (bytes && (k = c->kept) != NULL) {
        uint32_t here = k->to - k->from;
        if (here > bytes) {
            k->from += bytes;
            return 0;
        }
        bytes -= here;
        c->kept = k->next;
        sized_put(&t->receive_memory, k);
    }
    return bytes;
}

static void unpin(struct tcp *t, struct tcp_conn *c, const struct rte_mbuf *m)
{
    uint32_t size = pin_size(m);
    if (c->pinned >= size) { /* the oldest are the pinned ones */
        c->pinned -= size;
        t->pinned -= size;
    }
}

static void consume_buffers(struct tcp *t, struct tcp_conn *c, uint32_t bytes)
{
    struct rte_mbuf *m;
    while (bytes && (m = c->rcv_first) != NULL) {
        if (m->data_len > bytes) {
            m->data_off = (uint16_t)(m->data_off + bytes);
            m->data_len = (uint16_t)(m->data_len - bytes);
            m->pkt_len = m->data_len;
            return;
        }
        bytes -= m->data_len;
        c->rcv_first = m->next;
        if (!c->rcv_first)
            c->rcv_last = NULL;
        unpin(t, c, m);
        m->next = NULL;
        rte_pktmbuf_free(m);
    }
}

void tcp_consume(struct tcp *t, tcp_id id, uint32_t bytes)
{
    struct tcp_conn *c = conn_of(t, id);
    if (!c)
        return;
    if (bytes > c->readable)
        bytes = c->readable;
    c->readable -= bytes;
    consume_buffers(t, c, consume_kept(t, c, bytes));
    if (c->bits & CONN_GONE) {
        if (!c->readable)
            conn_event(t, c, TCP_EVENT_CLOSED);
        return;
    }
    if (c->rcv_adv - c->rcv_nxt < window_max(t, c) / NEARLY && receive_edge(t, c) != c->rcv_adv)
        c->bits |= CONN_ACK_NOW; /* the window was nearly closed, and opens again */
    conn_dirty(t, c);
}

uint32_t tcp_readable(const struct tcp *t, tcp_id id)
{
    const struct tcp_conn *c = conn_of(t, id);
    return c ? c->readable : 0;
}

/* ---- the end of the turn ---- */

static bool copy_kept(struct tcp *t, struct tcp_conn *c, const uint8_t *p, uint32_t len)
{
    while (len) {
        struct tcp_chunk *k = c->kept ? c->kept_last : NULL;
        if (!k || k->to == k->cap) {
            /* what is long already grows in larger pieces: a reader sees few slices, however small they came
             */
            uint32_t want = len > c->readable ? len : c->readable;
            k = chunk_new(&t->receive_memory, want < KEPT_MAX ? want : KEPT_MAX);
            if (!k)
                return false;
            if (c->kept)
                c->kept_last->next = k;
            else
                c->kept = k;
            c->kept_last = k;
        }
        uint32_t room = k->cap - k->to, n = len < room ? len : room;
        memcpy(k->data + k->to, p, n);
        k->to += n;
        p += n;
        len -= n;
    }
    return true;
}

static bool compact(struct tcp *t, struct tcp_conn *c)
{
    struct rte_mbuf *m;
    ctx_count(t->ctx, HG_C_tcp_compactions);
    while ((m = c->rcv_first) != NULL) {
        if (!copy_kept(t, c, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len))
            return false;
        c->rcv_first = m->next;
        unpin(t, c, m);
        m->next = NULL;
        rte_pktmbuf_free(m);
    }
    c->rcv_last = NULL;
    return true;
}

/* What is left in buffers stays there if it is worth it. */
void receive_keep(struct tcp *t, struct tcp_conn *c)
{
    uint32_t size = 0, data = 0, n = 0;
    if (!c->rcv_first)
        return;
    for (const struct rte_mbuf *m = c->rcv_first; m; m = m->next, n++) {
        size += pin_size(m);
        data += m->data_len;
    }
    uint64_t others = t->pinned - c->pinned;
    if (!c->kept && n <= PIN_MAX && size <= data * PIN_WORTH && others + size <= t->limits.pinned) {
        t->pinned = others + size;
        c->pinned = size;
        return;
    }
    if (!compact(t, c)) {
        reset_conn(t, c);
        conn_fail(t, c, TCP_REASON_MEMORY, HG_C_tcp_receive_memory_short);
    }
}

void receive_free(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_chunk *k;
    struct rte_mbuf *m;
    while ((k = c->kept) != NULL) {
        c->kept = k->next;
        sized_put(&t->receive_memory, k);
    }
    while ((m = c->rcv_first) != NULL) {
        c->rcv_first = m->next;
        m->next = NULL;
        rte_pktmbuf_free(m);
    }
    c->rcv_last = NULL;
    t->pinned -= c->pinned;
    c->pinned = 0;
    c->readable = 0;
}
