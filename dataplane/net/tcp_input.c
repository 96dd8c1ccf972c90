/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP on its way up: only what the network layer knows of it. */
#include <netinet/in.h>

#include <rte_mbuf.h>

#include "net/state.h"

#define TCP_FLAGS_AT 13
#define TCP_SYN      0x02
#define TCP_ACK      0x10

/* The first segment of a connection that somebody else opens: while we are closed it gets no answer, so that
 * the peer tries again soon. All others get up: what belongs to nothing is reset there. */
static bool is_opening(const struct frame *f)
{
    return f->l4_len > TCP_FLAGS_AT && (f->l4[TCP_FLAGS_AT] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static uint8_t flags_of(const struct net *net, const struct frame *f)
{
    uint8_t flags = 0;
    if ((f->m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD &&
        net->port[f->port].rx_tcp_cksum && f->l3)
        flags |= SEGMENT_SUM_GOOD;
    if (!f->l3)
        flags |= SEGMENT_REASSEMBLED;
    if (unlikely(net->nservice != 0) && service_local(net, &f->dst))
        flags |= SEGMENT_SERVICE;
    return flags;
}

static uint8_t ecn_of(const struct frame *f)
{
    if (!f->l3)
        return 0;
    return f->l3[0] >> 4 == 4 ? f->l3[1] & 3 : f->l3[1] >> 4 & 3;
}

unsigned tcp_input_net(struct net *net, struct frame *f)
{
    if (unlikely(f->group))
        return HG_DROP_ip_not_local;
    if (unlikely(!net->ready) && is_opening(f))
        return HG_DROP_not_ready;
    struct segment *s = net->segment++;
    s->m = f->m;
    s->tcp = f->l4;
    s->len = f->l4_len;
    s->iface = f->iface;
    s->ecn = ecn_of(f);
    s->flags = flags_of(net, f);
    s->src = f->src;
    s->dst = f->dst;
    f->m->data_off = (uint16_t)(f->l4 - (const uint8_t *)f->m->buf_addr);
    f->m->data_len = (uint16_t)f->l4_len;
    f->m->pkt_len = f->l4_len;
    f->m->ol_flags = 0;
    f->m = NULL;
    return HG_C_net_up_segments;
}
