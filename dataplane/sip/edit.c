/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/edit.h"

#include <immintrin.h>
#include <string.h>

#include <rte_mbuf.h>

#include "hg/word.h"
#include "sip/proxy.h"

/* net/ writes Ethernet with VLAN, IPv6 and UDP in front of the payload */
#define NET_HEADROOM 66

void edits_insert(struct edits *e, uint32_t at, uint32_t cut, struct slice ins)
{
    unsigned i = e->n;
    if (i == EDITS_MAX) {
        e->bad = true;
        return;
    }
    for (; i > 0 && e->e[i - 1].at > at; i--)
        e->e[i] = e->e[i - 1];
    e->e[i] = (struct edit){.at = at, .cut = cut, .ins = ins};
    e->n++;
    e->grow += (int32_t)ins.len - (int32_t)cut;
}

static inline __m128i load16(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void store16(char *p, __m128i v)
{
    _mm_storeu_si128((__m128i *)(void *)p, v);
}

/* 16 to 128 bytes: the pieces at the two ends overlap instead of being counted. */
static inline void move_vectors(char *out, const char *in, uint32_t n)
{
    char *out_end = out + n;
    const char *end = in + n;
    __m128i a = load16(in), z = load16(end - 16);
    if (n > 32) {
        __m128i b = load16(in + 16), y = load16(end - 32);
        if (n > 64) {
            __m128i c = load16(in + 32), d = load16(in + 48), x = load16(end - 48), w = load16(end - 64);
            store16(out + 32, c);
            store16(out + 48, d);
            store16(out_end - 48, x);
            store16(out_end - 64, w);
        }
        store16(out + 16, b);
        store16(out_end - 32, y);
    }
    store16(out, a);
    store16(out_end - 16, z);
}

/* memmove for pieces that are mostly short: all of a piece is read before any of it is written. */
static inline void move(char *out, const char *in, uint32_t n)
{
    if (n > 128) {
        memmove(out, in, n);
    } else if (n >= 16) {
        move_vectors(out, in, n);
    } else if (n >= 8) {
        uint64_t first = hg_load64(in), last = hg_load64(in + n - 8);
        memcpy(out, &first, 8);
        memcpy(out + n - 8, &last, 8);
    } else if (n >= 4) {
        uint32_t first, last;
        memcpy(&first, in, 4);
        memcpy(&last, in + n - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + n - 4, &last, 4);
    } else if (n > 0) {
        char first = in[0], middle = in[n / 2], last = in[n - 1];
        out[0] = first;
        out[n / 2] = middle;
        out[n - 1] = last;
    }
}

uint32_t edits_copy(const struct edits *e, const char *in, uint32_t len, char *out)
{
    char *to = out;
    uint32_t from = 0;
    for (unsigned i = 0; i < e->n; i++) {
        const struct edit *x = &e->e[i];
        move(to, in + from, x->at - from);
        to += x->at - from;
        move(to, x->ins.p, x->ins.len);
        to += x->ins.len;
        from = x->at + x->cut;
    }
    move(to, in + from, len - from);
    return (uint32_t)(to - out) + len - from;
}

/* Moves the front to the left, edit by edit: what stands behind the last edit stays where it is. */
static void splice_left(const struct edits *e, char *in, char *out)
{
    uint32_t from = 0;
    for (unsigned i = 0; i < e->n; i++) {
        const struct edit *x = &e->e[i];
        move(out, in + from, x->at - from);
        out += x->at - from;
        move(out, x->ins.p, x->ins.len);
        out += x->ins.len;
        from = x->at + x->cut;
    }
}

/* The left-hand move needs every prefix of the list to have grown: otherwise bytes not yet read are written
 * over. */
static bool grows_backwards(const struct edits *e)
{
    int32_t left = e->grow;
    for (unsigned i = 0; i < e->n; i++) {
        if (left < 0)
            return false;
        left -= (int32_t)e->e[i].ins.len - (int32_t)e->e[i].cut;
    }
    return left == 0;
}

/* Moves the back to the right, last edit first; what stands in front of the first edit stays. */
static bool splice_right(const struct edits *e, char *in, uint32_t len)
{
    int32_t shift = e->grow;
    uint32_t end = len;
    int32_t left = 0;
    for (unsigned i = 0; i < e->n; i++) {
        left += (int32_t)e->e[i].ins.len - (int32_t)e->e[i].cut;
        if (left < 0)
            return false;
    }
    for (unsigned i = e->n; i-- > 0;) {
        const struct edit *x = &e->e[i];
        uint32_t tail = x->at + x->cut;
        if (shift != 0)
            move(in + tail + shift, in + tail, end - tail);
        shift -= (int32_t)x->ins.len - (int32_t)x->cut;
        move(in + (int32_t)x->at + shift, x->ins.p, x->ins.len);
        end = x->at;
    }
    return true;
}

struct rte_mbuf *edits_mbuf(struct sip *s, const struct edits *e, struct rte_mbuf *m, uint32_t len)
{
    uint32_t total = (uint32_t)((int64_t)len + e->grow);
    char *data = rte_pktmbuf_mtod(m, char *);
    struct rte_mbuf *n;
    if (rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m) && m->nb_segs == 1) {
        if ((int32_t)rte_pktmbuf_headroom(m) >= NET_HEADROOM + e->grow && (e->n == 1 || grows_backwards(e))) {
            splice_left(e, data, data - e->grow);
            m->data_off = (uint16_t)(m->data_off - e->grow);
            m->data_len = (uint16_t)total;
            m->pkt_len = total;
            return m;
        }
        if (m->data_off + total <= m->buf_len && splice_right(e, data, len)) {
            m->data_len = (uint16_t)total;
            m->pkt_len = total;
            return m;
        }
    }
    n = sip_mbuf(s, total);
    if (!n)
        return NULL;
    edits_copy(e, data, len, rte_pktmbuf_mtod(n, char *));
    n->data_len = (uint16_t)total;
    n->pkt_len = total;
    rte_pktmbuf_free(m);
    return n;
}
