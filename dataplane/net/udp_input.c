/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP (RFC 768, RFC 8200 section 8.1) to a listener. */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "net/state.h"

static bool sum_ok(const struct net *net, const struct frame *f, uint32_t len, uint16_t sum)
{
    uint64_t offload = f->m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    if (sum == 0)
        return hg_ip_is4(&f->dst);
    if (offload == RTE_MBUF_F_RX_L4_CKSUM_GOOD && net->port[f->port].rx_udp_cksum)
        return true;
    return checksum_fold(net->sum(f->l4, len, checksum_pseudo(&f->src, &f->dst, len, IPPROTO_UDP))) == 0xffff;
}

/* The promise of headroom in datagram.h; ports that keep little of it pay with a copy. */
static bool headroom_ensure(struct net *net, struct frame *f, const uint8_t *payload, uint32_t len)
{
    struct rte_mbuf *m = f->m;
    m->data_off = (uint16_t)(payload - (const uint8_t *)m->buf_addr);
    m->data_len = (uint16_t)len;
    m->pkt_len = len;
    m->ol_flags = 0;
    if (likely(m->data_off >= NET_DATAGRAM_HEAD))
        return true;
    f->m = net_flatten(net, m);
    return f->m != NULL;
}

static bool is_listener(struct net *net, const struct hg_ip *ip, uint16_t port)
{
    struct net_known *known = &net->known;
    if (likely(port == known->port && hg_ip_eq(ip, &known->ip) && port != 0))
        return true;
    if (!listener_find(net, ip, port))
        return false;
    known->ip = *ip;
    known->port = port;
    return true;
}

unsigned udp_input(struct net *net, struct frame *f)
{
    const struct rte_udp_hdr *h = (const void *)f->l4;
    if (unlikely(f->l4_len < 8))
        return HG_DROP_udp_bad_length;
    uint32_t len = rte_be_to_cpu_16(h->dgram_len);
    if (unlikely(len < 8 || len > f->l4_len))
        return HG_DROP_udp_bad_length;
    if (unlikely(f->group))
        return HG_DROP_ip_not_local;
    uint16_t port = rte_be_to_cpu_16(h->dst_port);
    bool listener = is_listener(net, &f->dst, port);
    if (unlikely(listener && !net->ready))
        return HG_DROP_not_ready;
    if (unlikely(!sum_ok(net, f, len, h->dgram_cksum)))
        return HG_DROP_udp_bad_checksum;
    if (unlikely(!listener)) {
        if (control_is(net, &f->dst, port))
            return control_input(net, f, rte_be_to_cpu_16(h->src_port), len - 8);
        if (hg_ip_is4(&f->dst))
            icmp4_error(net, f, 3, 3);
        else
            icmp6_error(net, f, 1, 4, 0);
        return HG_DROP_udp_no_listener;
    }
    struct datagram *d = f->out;
    d->flow = 0;
    d->src = (struct hg_endpoint){.ip = f->src, .port = rte_be_to_cpu_16(h->src_port), .proto = HG_UDP};
    if (unlikely(!headroom_ensure(net, f, f->l4 + 8, len - 8)))
        return HG_DROP_no_mbuf;
    d->m = f->m;
    d->data = rte_pktmbuf_mtod(f->m, const char *);
    d->len = len - 8;
    d->iface = f->iface;
    d->flags = 0;
    d->ttl = f->ttl;
    d->dst = (struct hg_endpoint){.ip = f->dst, .port = port, .proto = HG_UDP};
    f->m = NULL;
    return HG_C_net_up_datagrams;
}
