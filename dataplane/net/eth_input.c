/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet II and 802.1Q: port and VLAN make the interface. */
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define ETH_LEN  14
#define VLAN_LEN 4

static inline uint16_t be16_at(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return rte_be_to_cpu_16(v);
}

unsigned eth_input(struct net *net, struct frame *f)
{
    uint8_t *p = rte_pktmbuf_mtod(f->m, uint8_t *);
    uint32_t len = f->m->data_len;
    uint16_t vlan = 0;
    if (unlikely(len < ETH_LEN))
        return HG_DROP_eth_runt;
    f->l2 = p;
    f->type = be16_at(p + 12);
    uint32_t header = ETH_LEN;
    if (unlikely(f->m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)) {
        vlan = f->m->vlan_tci & 0xfff;
    } else if (f->type == RTE_ETHER_TYPE_VLAN) {
        if (len < ETH_LEN + VLAN_LEN)
            return HG_DROP_eth_runt;
        vlan = be16_at(p + 14) & 0xfff;
        f->type = be16_at(p + 16);
        header += VLAN_LEN;
    }
    f->iface = net->vlan_iface[f->port][vlan];
    if (unlikely(f->iface == NET_NONE))
        return HG_DROP_eth_unknown_vlan;
    f->group = p[0] & 1;
    if (f->group) {
        static const uint8_t to_all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        bool all = memcmp(p, to_all, 6) == 0;
        bool group6 = p[0] == 0x33 && p[1] == 0x33;
        if (!(f->type == RTE_ETHER_TYPE_IPV6 ? group6 : all))
            return HG_DROP_eth_not_ours;
    } else if (unlikely(memcmp(p, net->ifaces[f->iface].mac, 6) != 0)) {
        return HG_DROP_eth_not_ours;
    }
    f->l3 = p + header;
    f->l3_len = len - header;
    return ETH_GO_ON;
}
