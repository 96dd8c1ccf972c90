/* SPDX-License-Identifier: BSD-2-Clause */
/* One segment: header from values, payload from the send buffer, and down to net/. */
#include <rte_byteorder.h>

#include "tcp/state.h"

#define HEADER 20

static void copy_payload(uint8_t *to, const struct tcp_chunk *chunk, uint32_t skip, uint32_t len)
{
    while (len && chunk) {
        uint32_t here = chunk->to - chunk->from - skip;
        uint32_t n = here < len ? here : len;
        memcpy(to, chunk->data + chunk->from + skip, n);
        to += n;
        len -= n;
        skip = 0;
        chunk = chunk->next;
    }
}

/* Payload: len octets from skip octets behind the beginning of chunk. false: no buffer. */
bool build_send(struct tcp *t, const struct tcp_out *o, const struct tcp_chunk *chunk, uint32_t skip,
                uint32_t len)
{
    uint32_t header = HEADER + o->options;
    struct rte_mbuf *m = net_tcp_buffer(t->net, header + len);
    if (unlikely(!m)) {
        ctx_count(t->ctx, HG_C_tx_no_mbuf);
        return false;
    }
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    uint32_t w[5] = {rte_cpu_to_be_16(o->key->local_port) | (uint32_t)rte_cpu_to_be_16(o->key->remote_port)
                                                                << 16,
                     rte_cpu_to_be_32(o->seq), o->flags & TCP_ACK ? rte_cpu_to_be_32(o->ack) : 0,
                     header / 4 << 4 | (uint32_t)o->flags << 8 | (uint32_t)rte_cpu_to_be_16(o->wnd) << 16, 0};
    memcpy(p, w, HEADER);
    memcpy(p + HEADER, o->option, o->options);
    copy_payload(p + header, chunk, skip, len);
    ctx_count(t->ctx, HG_C_tcp_segments_out);
    struct net_hint none = {0};
    (void)net_tcp_send(t->net, m, &o->key->local, &o->key->remote, o->hint ? o->hint : &none, 0, o->fenced);
    return true;
}
