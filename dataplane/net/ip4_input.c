/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 (RFC 791, RFC 1122 section 3.2). */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "hg/word.h"
#include "net/state.h"

#define OPT_END  0
#define OPT_NOP  1
#define OPT_LSRR 131
#define OPT_SSRR 137

/* Options are accepted unread, but a source route would make a relay of whoever honours it. */
static bool options_ok(const uint8_t *p, uint32_t len)
{
    while (len && *p != OPT_END) {
        if (*p == OPT_NOP) {
            p++;
            len--;
            continue;
        }
        if (len < 2 || p[1] < 2 || p[1] > len || *p == OPT_LSRR || *p == OPT_SSRR)
            return false;
        len -= p[1];
        p += p[1];
    }
    return true;
}

static bool header_sum_ok(const struct net *net, const struct frame *f, uint32_t header)
{
    uint64_t mask = f->m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    if (mask == RTE_MBUF_F_RX_IP_CKSUM_GOOD && net->port[f->port].rx_ip_cksum)
        return true;
    if (likely(header == 20))
        return checksum_ip4_header(f->l3) == 0;
    return checksum_fold(checksum_plain(f->l3, header, 0)) == 0xffff;
}

static unsigned fragment_input(struct net *net, struct frame *f, uint16_t bits, uint16_t id)
{
    struct net_fragment fragment = {
        .id = id,
        .start = (uint32_t)(bits & RTE_IPV4_HDR_OFFSET_MASK) * 8,
        .more = bits & RTE_IPV4_HDR_MF_FLAG,
    };
    unsigned verdict = reassemble(net, f, &fragment);
    return verdict == HG_C_net_up_datagrams ? ip_deliver(net, f) : verdict;
}

#define ADDRESSES_GOOD HG_COUNTERS_MAX

static unsigned addresses_check(struct net *net, const struct frame *f)
{
    uint64_t pair = hg_load64(f->l3 + 12);
    uint8_t first = (uint8_t)pair;
    if (likely(pair == net->known.pair4 && !f->group))
        return ADDRESSES_GOOD;
    if (unlikely(first == 0 || first == 127 || first >= 224 || net_is_local(net, &f->src)))
        return HG_DROP_ip_martian;
    if (unlikely(f->group || !net_is_local(net, &f->dst)))
        return HG_DROP_ip_not_local;
    net->known.pair4 = pair;
    return ADDRESSES_GOOD;
}

unsigned ip4_input(struct net *net, struct frame *f)
{
    const struct rte_ipv4_hdr *h = (const void *)f->l3;
    if (unlikely(f->l3_len < 20 || h->version_ihl >> 4 != 4))
        return HG_DROP_ip_bad_header;
    uint32_t header = (h->version_ihl & 15u) * 4;
    uint32_t total = rte_be_to_cpu_16(h->total_length);
    if (unlikely(header < 20 || total < header || total > f->l3_len))
        return HG_DROP_ip_bad_header;
    if (unlikely(!header_sum_ok(net, f, header)))
        return HG_DROP_ip_bad_checksum;
    if (unlikely(header > 20 && !options_ok(f->l3 + 20, header - 20)))
        return HG_DROP_ip_bad_header;
    f->src = hg_ip_from4(h->src_addr);
    f->dst = hg_ip_from4(h->dst_addr);
    unsigned verdict = addresses_check(net, f);
    if (unlikely(verdict != ADDRESSES_GOOD))
        return verdict;
    f->l3_len = total; /* Ethernet padding goes */
    f->l4 = f->l3 + header;
    f->l4_len = total - header;
    f->proto = h->next_proto_id;
    f->ttl = h->time_to_live;
    uint16_t bits = rte_be_to_cpu_16(h->fragment_offset);
    if (unlikely(bits & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
        return fragment_input(net, f, bits, rte_be_to_cpu_16(h->packet_id));
    return ip_deliver(net, f);
}

unsigned ip_deliver(struct net *net, struct frame *f)
{
    bool is4 = hg_ip_is4(&f->dst);
    if (likely(f->proto == IPPROTO_UDP))
        return udp_input(net, f);
    if (likely(f->proto == IPPROTO_TCP))
        return tcp_input_net(net, f);
    if (is4 && f->proto == IPPROTO_ICMP)
        return icmp4_input(net, f);
    if (!is4 && f->proto == IPPROTO_ICMPV6)
        return icmp6_input(net, f);
    if (is4)
        icmp4_error(net, f, 3, 2);
    else if (f->proto != IPPROTO_NONE && f->l3) /* RFC 8200 section 4: where the next header is named */
        icmp6_error(net, f, 4, 1, f->next_at);
    return HG_DROP_ip_unknown_protocol;
}
