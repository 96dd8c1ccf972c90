/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv6 (RFC 8200): extension headers are walked with a bound, and only what a host must read. */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "net/state.h"

#define EXT_MAX 8 /* extension headers in one packet */

enum walk { WALK_DONE, WALK_FRAGMENT, WALK_BAD };

/* RFC 8200 section 4.2: the two high bits say what to do with an option that is not known. */
static bool options_ok(const uint8_t *p, uint32_t len)
{
    while (len) {
        if (*p == 0) { /* Pad1 */
            p++;
            len--;
            continue;
        }
        if (len < 2 || 2u + p[1] > len)
            return false;
        if (*p >> 6)
            return false;
        len -= 2u + p[1];
        p += 2u + p[1];
    }
    return true;
}

static bool ext_ok(uint8_t type, const uint8_t *p, uint32_t len, unsigned position)
{
    switch (type) {
    case IPPROTO_HOPOPTS:
        return position == 0 && options_ok(p + 2, len - 2);
    case IPPROTO_DSTOPTS:
        return options_ok(p + 2, len - 2);
    default: /* routing: type 0 is dead (RFC 5095), others only when there is nowhere left to go */
        return p[2] != 0 && p[3] == 0;
    }
}

/* Moves f->l4 behind the extension headers. Stops at a fragment header. */
static enum walk walk(struct frame *f, unsigned position)
{
    for (; position < EXT_MAX; position++) {
        const uint8_t *p = f->l4;
        if (f->proto != IPPROTO_HOPOPTS && f->proto != IPPROTO_DSTOPTS && f->proto != IPPROTO_ROUTING)
            return f->proto == IPPROTO_FRAGMENT ? WALK_FRAGMENT : WALK_DONE;
        if (f->l4_len < 8)
            return WALK_BAD;
        uint32_t len = (p[1] + 1u) * 8;
        if (len > f->l4_len || !ext_ok(f->proto, p, len, position))
            return WALK_BAD;
        f->proto = p[0];
        f->next_at = f->l3 ? (uint32_t)(p - f->l3) : 0;
        f->l4 += len;
        f->l4_len -= len;
    }
    return WALK_BAD;
}

static unsigned fragment_input(struct net *net, struct frame *f)
{
    const uint8_t *p = f->l4;
    uint16_t bits;
    uint32_t id;
    if (f->l4_len < 8)
        return HG_DROP_ip_bad_header;
    memcpy(&bits, p + 2, 2);
    memcpy(&id, p + 4, 4);
    bits = rte_be_to_cpu_16(bits);
    struct net_fragment fragment = {.id = id, .start = bits & 0xfff8u, .more = bits & 1};
    f->proto = p[0];
    f->next_at = (uint32_t)(p - f->l3);
    f->l4 += 8;
    f->l4_len -= 8;
    if (fragment.start || fragment.more) { /* else an atomic fragment: whole, RFC 6946 */
        unsigned verdict = reassemble(net, f, &fragment);
        if (verdict != HG_C_net_up_datagrams)
            return verdict;
    }
    return walk(f, 1) == WALK_DONE ? ip_deliver(net, f) : HG_DROP_ip_bad_header;
}

static bool is_martian(const struct hg_ip *src)
{
    static const uint8_t zeros[12];
    /* ::, ::1 and the v4-compatible; v4-mapped; groups. The unspecified address is let through for ND alone.
     */
    return memcmp(src->b, zeros, 12) == 0 || hg_ip_is4(src) || src->b[0] == 0xff;
}

/* all-nodes, or the solicited-node group of one of the interface's addresses */
bool ip6_group_is_ours(const struct net *net, uint16_t iface, const struct hg_ip *ip)
{
    static const struct hg_ip all_nodes = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    static const uint8_t solicited[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
    const struct net_iface *i = &net->ifaces[iface];
    if (!i->has6)
        return false;
    if (hg_ip_eq(ip, &all_nodes))
        return true;
    if (memcmp(ip->b, solicited, 13) != 0)
        return false;
    for (unsigned a = 0; a < i->naddrs; a++)
        if (!hg_ip_is4(&i->addr[a].ip) && memcmp(i->addr[a].ip.b + 13, ip->b + 13, 3) == 0)
            return true;
    for (unsigned n = 0; n < net->nservice; n++)
        if (net->service[n].local.iface == iface &&
            memcmp(net->service[n].local.ip.b + 13, ip->b + 13, 3) == 0)
            return true;
    return memcmp(i->link_local.b + 13, ip->b + 13, 3) == 0;
}

static bool is_unspecified(const struct hg_ip *ip)
{
    static const struct hg_ip zero;
    return hg_ip_eq(ip, &zero);
}

unsigned ip6_input(struct net *net, struct frame *f)
{
    const struct rte_ipv6_hdr *h = (const void *)f->l3;
    if (unlikely(f->l3_len < 40 || f->l3[0] >> 4 != 6))
        return HG_DROP_ip_bad_header;
    uint32_t payload = rte_be_to_cpu_16(h->payload_len);
    if (unlikely(40 + payload > f->l3_len))
        return HG_DROP_ip_bad_header;
    memcpy(f->src.b, h->src_addr, 16);
    memcpy(f->dst.b, h->dst_addr, 16);
    bool unspecified = is_unspecified(&f->src);
    if (unlikely((is_martian(&f->src) && !unspecified) || hg_ip_is4(&f->dst) || net_is_local(net, &f->src)))
        return HG_DROP_ip_martian;
    f->l3_len = 40 + payload;
    f->l4 = f->l3 + 40;
    f->l4_len = payload;
    f->proto = h->proto;
    f->next_at = 6;
    f->ttl = h->hop_limits;
    f->group |= f->dst.b[0] == 0xff;
    if (unlikely(f->group ? !ip6_group_is_ours(net, f->iface, &f->dst) : !net_is_local(net, &f->dst)))
        return HG_DROP_ip_not_local;
    enum walk w = walk(f, 0);
    if (unlikely(w == WALK_BAD))
        return HG_DROP_ip_bad_header;
    if (unlikely(unspecified && (w == WALK_FRAGMENT || f->proto != IPPROTO_ICMPV6)))
        return HG_DROP_ip_martian;
    if (unlikely(w == WALK_FRAGMENT))
        return f->group ? HG_DROP_frag_bad : fragment_input(net, f);
    return ip_deliver(net, f);
}

void ip6_news(struct net *net, struct frame *f)
{
    if (f->l3_len < 40 || f->l3[0] >> 4 != 6 || f->l3[6] != IPPROTO_ICMPV6)
        return;
    uint32_t payload = (uint32_t)f->l3[4] << 8 | f->l3[5];
    if (40 + payload > f->l3_len)
        return;
    memcpy(f->src.b, f->l3 + 8, 16);
    memcpy(f->dst.b, f->l3 + 24, 16);
    f->l4 = f->l3 + 40;
    f->l4_len = payload;
    f->ttl = f->l3[7];
    nd_news(net, f);
}
