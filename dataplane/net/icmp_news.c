/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP errors about TCP packets of ours, kept for who knows whether to believe them. A full box loses the
 * newest: whatever is wrong with the path, the next packet brings it again. */
#include <netinet/in.h>

#include <rte_byteorder.h>

#include "net/state.h"

#define QUOTE_TCP 8 /* bytes of the TCP header that every error quotes: ports and sequence number */

static bool kind4(uint8_t type, uint8_t code, uint8_t *kind)
{
    if (type != 3 && type != 11 && type != 12)
        return false;
    *kind = type == 3 && code == 4                  ? NET_ICMP_MTU
            : type == 3 && (code == 2 || code == 3) ? NET_ICMP_HARD
                                                    : NET_ICMP_SOFT;
    return true;
}

static bool kind6(uint8_t type, uint8_t code, uint8_t *kind)
{
    if (type < 1 || type > 4)
        return false;
    bool hard = (type == 1 && (code == 1 || code == 4)) || (type == 4 && code == 1);
    *kind = type == 2 ? NET_ICMP_MTU : hard ? NET_ICMP_HARD : NET_ICMP_SOFT;
    return true;
}

/* tcp: of the quoted packet. */
static void note(struct net *net, const struct hg_ip *from, const struct hg_ip *to, const uint8_t *tcp,
                 uint8_t kind, uint32_t mtu)
{
    uint16_t ports[2];
    uint32_t seq;
    if (!net_is_local(net, from) || net->nnews == NET_ICMP_BOX)
        return;
    memcpy(ports, tcp, 4);
    memcpy(&seq, tcp + 4, 4);
    net->news[net->nnews++] = (struct net_icmp_news){
        .local = *from,
        .remote = *to,
        .local_port = rte_be_to_cpu_16(ports[0]),
        .remote_port = rte_be_to_cpu_16(ports[1]),
        .seq = rte_be_to_cpu_32(seq),
        .kind = kind,
        .mtu = (uint16_t)RTE_MIN(mtu, (uint32_t)UINT16_MAX),
    };
    ctx_count(net->ctx, HG_C_net_icmp_tcp);
}

/* The quoted packet must be a first fragment, or whole: others have no ports. */
void icmp4_news(struct net *net, const struct frame *f)
{
    const uint8_t *q = f->l4 + 8;
    uint32_t quoted = f->l4_len - 8;
    uint8_t kind;
    if (quoted < 20 || q[0] >> 4 != 4 || (q[0] & 15) < 5 || (q[0] & 15) * 4u + QUOTE_TCP > quoted ||
        q[9] != IPPROTO_TCP || (q[6] & 0x1f) != 0 || q[7] != 0 || !kind4(f->l4[0], f->l4[1], &kind))
        return;
    uint32_t src, dst;
    uint16_t mtu;
    memcpy(&src, q + 12, 4);
    memcpy(&dst, q + 16, 4);
    memcpy(&mtu, f->l4 + 6, 2);
    struct hg_ip from = hg_ip_from4(src), to = hg_ip_from4(dst);
    note(net, &from, &to, q + (q[0] & 15) * 4, kind, kind == NET_ICMP_MTU ? rte_be_to_cpu_16(mtu) : 0);
}

void icmp6_news(struct net *net, const struct frame *f)
{
    const uint8_t *q = f->l4 + 8, *tcp = q + 40;
    uint32_t quoted = f->l4_len - 8, mtu;
    struct hg_ip from, to;
    uint8_t kind;
    if (quoted < 40 + QUOTE_TCP || q[0] >> 4 != 6 || !kind6(f->l4[0], f->l4[1], &kind))
        return;
    if (q[6] == IPPROTO_FRAGMENT && quoted >= 48 + QUOTE_TCP && tcp[0] == IPPROTO_TCP && tcp[2] == 0 &&
        (tcp[3] & 0xf8) == 0)
        tcp += 8;
    else if (q[6] != IPPROTO_TCP)
        return;
    memcpy(from.b, q + 8, 16);
    memcpy(to.b, q + 24, 16);
    memcpy(&mtu, f->l4 + 4, 4);
    note(net, &from, &to, tcp, kind, kind == NET_ICMP_MTU ? rte_be_to_cpu_32(mtu) : 0);
}

unsigned net_icmp_take(struct net *net, const struct net_icmp_news **news)
{
    unsigned n = net->nnews;
    *news = net->news;
    net->nnews = 0;
    return n;
}
