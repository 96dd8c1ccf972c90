/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMPv6 (RFC 4443): echo, errors about packets for us, packet too big; neighbour discovery goes to nd.c. */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define TOO_BIG    2
#define ECHO       128
#define ECHO_REPLY 129
#define MLD_QUERY  130
#define NS         135
#define NA         136
#define QUOTE_MAX  (1280 - 40 - 8) /* RFC 4443 section 2.4 (c) */

void icmp6_error(struct net *net, struct frame *f, uint8_t type, uint8_t code, uint32_t param)
{
    if (!f->l3 || f->group || !icmp_allowed(net))
        return;
    const struct net_path_entry *path = path_get(net, &f->src, &f->dst);
    uint32_t quote = RTE_MIN(f->l3_len, QUOTE_MAX);
    if (!path || !icmp_reuse(f->m, f->l3 - 8, 8 + quote))
        return;
    uint8_t *p = rte_pktmbuf_mtod(f->m, uint8_t *);
    uint32_t be = rte_cpu_to_be_32(param);
    memset(p, 0, 8);
    p[0] = type;
    p[1] = code;
    memcpy(p + 4, &be, 4);
    uint64_t pseudo = checksum_pseudo(&f->dst, &f->src, 8 + quote, IPPROTO_ICMPV6);
    uint16_t sum = (uint16_t)~checksum_fold(net->sum(p, 8 + quote, pseudo));
    memcpy(p + 2, &sum, 2);
    ctx_count(net->ctx, HG_C_tx_icmp_errors);
    ip_send(net, f->m, &f->dst, &f->src, IPPROTO_ICMPV6, path);
    f->m = NULL;
}

/* RFC 8201 section 4: believed only about a UDP packet that one of our listeners sent. */
static void too_big_input(struct net *net, const struct frame *f)
{
    const uint8_t *q = f->l4 + 8;
    uint32_t quoted = f->l4_len - 8, mtu;
    struct hg_ip from, to;
    uint16_t port;
    if (quoted < 48 || q[0] >> 4 != 6)
        return;
    const uint8_t *udp = q + 40;
    if (q[6] == IPPROTO_FRAGMENT && udp[0] == IPPROTO_UDP && quoted >= 56)
        udp += 8;
    else if (q[6] != IPPROTO_UDP)
        return;
    memcpy(&mtu, f->l4 + 4, 4);
    memcpy(from.b, q + 8, 16);
    memcpy(to.b, q + 24, 16);
    memcpy(&port, udp, 2);
    if (listener_find(net, &from, rte_be_to_cpu_16(port)))
        path_mtu_note(net, &to, rte_be_to_cpu_32(mtu));
}

unsigned icmp6_input(struct net *net, struct frame *f)
{
    uint64_t pseudo = checksum_pseudo(&f->src, &f->dst, f->l4_len, IPPROTO_ICMPV6);
    if (f->l4_len < 8 || checksum_fold(net->sum(f->l4, f->l4_len, pseudo)) != 0xffff)
        return HG_DROP_icmp_bad;
    uint8_t type = f->l4[0];
    if (type == NS || type == NA)
        return nd_input(net, f);
    if (type == ECHO)
        return f->group ? HG_C_net_absorbed : icmp_echo(net, f, ECHO_REPLY, IPPROTO_ICMPV6);
    if (type == MLD_QUERY)
        return mld_query(net, f);
    if (type == TOO_BIG)
        too_big_input(net, f);
    icmp6_news(net, f);
    return HG_C_net_absorbed;
}
