/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP (RFC 792, RFC 1122 section 3.2.2): echo, errors about packets for us, path MTU news. */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define ECHO_REPLY  0
#define UNREACHABLE 3
#define ECHO        8
#define QUOTE_MAX   548 /* RFC 1812 section 4.3.2.3: as much as fits 576 bytes */

bool icmp_allowed(struct net *net)
{
    uint32_t rate = (uint32_t)net->ctx->config->dp_icmp_rate;
    return rate && bucket_take(&net->icmp_bucket, net->ctx->ms, rate, rate);
}

/* The buffer's data becomes what it holds between from and from + len, if the headers still fit in front. */
bool icmp_reuse(struct rte_mbuf *m, const uint8_t *from, uint32_t len)
{
    ptrdiff_t off = from - (const uint8_t *)m->buf_addr;
    if (off < 40 + NET_L2_MAX || off + len > m->buf_len)
        return false;
    m->data_off = (uint16_t)off;
    m->data_len = (uint16_t)len;
    m->pkt_len = len;
    m->ol_flags = 0;
    return true;
}

/* In place; both families answer an echo by its type alone. */
unsigned icmp_echo(struct net *net, struct frame *f, uint8_t reply_type, uint8_t proto)
{
    if (!icmp_allowed(net))
        return HG_DROP_icmp_rate;
    const struct net_path_entry *path = path_get(net, &f->src, &f->dst);
    if (!path || !icmp_reuse(f->m, f->l4, f->l4_len))
        return HG_C_net_absorbed;
    uint8_t *p = f->l4;
    p[0] = reply_type;
    p[2] = p[3] = 0;
    uint64_t pseudo = proto == IPPROTO_ICMPV6 ? checksum_pseudo(&f->dst, &f->src, f->l4_len, proto) : 0;
    uint16_t sum = (uint16_t)~checksum_fold(net->sum(p, f->l4_len, pseudo));
    memcpy(p + 2, &sum, 2);
    ip_send(net, f->m, &f->dst, &f->src, proto, path);
    f->m = NULL;
    return HG_C_net_answered;
}

void icmp4_error(struct net *net, struct frame *f, uint8_t type, uint8_t code)
{
    if (!f->l3 || f->group || !icmp_allowed(net))
        return;
    const struct net_path_entry *path = path_get(net, &f->src, &f->dst);
    uint32_t quote = RTE_MIN(f->l3_len, QUOTE_MAX);
    if (!path || !icmp_reuse(f->m, f->l3 - 8, 8 + quote))
        return;
    uint8_t *p = rte_pktmbuf_mtod(f->m, uint8_t *);
    memset(p, 0, 8);
    p[0] = type;
    p[1] = code;
    uint16_t sum = (uint16_t)~checksum_fold(net->sum(p, 8 + quote, 0));
    memcpy(p + 2, &sum, 2);
    ctx_count(net->ctx, HG_C_tx_icmp_errors);
    ip_send(net, f->m, &f->dst, &f->src, IPPROTO_ICMP, path);
    f->m = NULL;
}

/* RFC 1191 section 4, RFC 5927 section 4: believed only about a UDP packet that one of our listeners sent. */
static void too_big_input(struct net *net, const struct frame *f)
{
    const uint8_t *q = f->l4 + 8;
    uint32_t quoted = f->l4_len - 8;
    uint16_t mtu, port;
    uint32_t src, dst;
    if (quoted < 28 || q[0] >> 4 != 4 || (q[0] & 15) < 5 || (q[0] & 15) * 4u + 8 > quoted ||
        q[9] != IPPROTO_UDP)
        return;
    memcpy(&mtu, f->l4 + 6, 2);
    memcpy(&src, q + 12, 4);
    memcpy(&dst, q + 16, 4);
    memcpy(&port, q + (q[0] & 15) * 4, 2);
    struct hg_ip from = hg_ip_from4(src), to = hg_ip_from4(dst);
    if (listener_find(net, &from, rte_be_to_cpu_16(port)))
        path_mtu_note(net, &to, rte_be_to_cpu_16(mtu));
}

unsigned icmp4_input(struct net *net, struct frame *f)
{
    if (f->l4_len < 8 || checksum_fold(net->sum(f->l4, f->l4_len, 0)) != 0xffff)
        return HG_DROP_icmp_bad;
    uint8_t type = f->l4[0], code = f->l4[1];
    if (type == ECHO)
        return code ? HG_DROP_icmp_bad : icmp_echo(net, f, ECHO_REPLY, IPPROTO_ICMP);
    if (type == UNREACHABLE && code == 4)
        too_big_input(net, f);
    icmp4_news(net, f);
    return HG_C_net_absorbed;
}
