/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/edit.h"

#include <rte_mbuf.h>

#include "sip/proxy.h"

/* net/ writes Ethernet with VLAN, IPv6 and UDP in front of the payload */
#define NET_HEADROOM 66

void edits_add(struct edits *e, uint32_t at, uint32_t cut, struct slice ins)
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

void edits_add_text(struct edits *e, uint32_t at, uint32_t cut, const struct text *t)
{
    struct slice done = text_done(t);
    if (t->over) {
        e->bad = true;
        return;
    }
    e->used += done.len;
    edits_add(e, at, cut, done);
}

uint32_t edits_copy(const struct edits *e, const char *in, uint32_t len, char *out)
{
    char *to = out;
    uint32_t from = 0;
    for (unsigned i = 0; i < e->n; i++) {
        const struct edit *x = &e->e[i];
        memcpy(to, in + from, x->at - from);
        to += x->at - from;
        memcpy(to, x->ins.p, x->ins.len);
        to += x->ins.len;
        from = x->at + x->cut;
    }
    memcpy(to, in + from, len - from);
    return (uint32_t)(to - out) + len - from;
}

/* Moves the front to the left, edit by edit: what stands behind the last edit stays where it is. */
static void splice_left(const struct edits *e, char *in, char *out)
{
    uint32_t from = 0;
    for (unsigned i = 0; i < e->n; i++) {
        const struct edit *x = &e->e[i];
        memmove(out, in + from, x->at - from);
        out += x->at - from;
        memcpy(out, x->ins.p, x->ins.len);
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
        memmove(in + tail + shift, in + tail, end - tail);
        shift -= (int32_t)x->ins.len - (int32_t)x->cut;
        memcpy(in + (int32_t)x->at + shift, x->ins.p, x->ins.len);
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
