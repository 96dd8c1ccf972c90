/* SPDX-License-Identifier: BSD-2-Clause */
/* Keepalives on the SIP port, told by their first octets and never seen by the parser. */
#include "sip/proxy.h"

static unsigned crlf(struct sip *s, struct datagram *d)
{
    for (uint32_t i = 0; i < d->len; i++)
        if (d->data[i] != '\r' && d->data[i] != '\n')
            return HG_COUNTERS_MAX;
    ctx_count(s->ctx, HG_C_sip_keepalives);
    /* RFC 5626 4.4.1: a ping is CRLFCRLF, its pong CRLF. Answering a pong would never end. */
    if (d->len < 4)
        return HG_C_sip_absorbed;
    d->m->data_len = 2;
    d->m->pkt_len = 2;
    memcpy(rte_pktmbuf_mtod(d->m, char *), "\r\n", 2);
    (void)sip_send(s, d->m, &d->dst, &d->src, 0);
    d->m = NULL;
    return HG_C_sip_answered;
}

unsigned keepalive_check(struct sip *s, struct datagram *d)
{
    unsigned char first = d->len ? (unsigned char)d->data[0] : 0;
    if (d->len == 0)
        return HG_C_sip_absorbed; /* an empty datagram is what some NAT keepers send */
    if (first >= ' ')
        return HG_COUNTERS_MAX;
    if (first == '\r' || first == '\n')
        return crlf(s, d);
    if (first < 4) {
        bool zeros = d->len == 4 && memcmp(d->data, "\0\0\0\0", 4) == 0;
        return zeros ? HG_C_sip_absorbed : stun_answer(s, d);
    }
    return HG_COUNTERS_MAX;
}
