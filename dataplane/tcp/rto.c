/* SPDX-License-Identifier: BSD-2-Clause */
/* The time a round takes (RFC 6298), in microseconds. */
#include "tcp/state.h"

#define RTT_MAX_US 60000000u

void rtt_sample(struct tcp_conn *c, uint32_t us)
{
    if (us > RTT_MAX_US) /* an echo of nonsense, or a clock that stood still: nothing to learn */
        return;
    if (!us)
        us = 1;
    if (!c->srtt_us) {
        c->srtt_us = us;
        c->rttvar_us = us / 2;
        c->rtt_min_us = us;
        return;
    }
    uint32_t off = us > c->srtt_us ? us - c->srtt_us : c->srtt_us - us;
    c->rttvar_us = c->rttvar_us - c->rttvar_us / 4 + off / 4;
    c->srtt_us = c->srtt_us - c->srtt_us / 8 + us / 8;
    if (us < c->rtt_min_us)
        c->rtt_min_us = us;
    else /* a longer path is believed in time */
        c->rtt_min_us += (us - c->rtt_min_us) / 256;
}

uint32_t rto_plain_ms(const struct tcp *t, const struct tcp_conn *c)
{
    if (!c->srtt_us)
        return TCP_RTO_FIRST_MS;
    uint32_t var = 4 * c->rttvar_us, least = t->limits.rto_min_ms * 1000;
    uint32_t ms = (c->srtt_us + (var > least ? var : least)) / 1000 + 1;
    return ms < TCP_RTO_MAX_MS ? ms : TCP_RTO_MAX_MS;
}

uint32_t rto_ms(const struct tcp *t, const struct tcp_conn *c)
{
    uint64_t ms = (uint64_t)rto_plain_ms(t, c) << (c->backoff < 16 ? c->backoff : 16);
    return ms < TCP_RTO_MAX_MS ? (uint32_t)ms : TCP_RTO_MAX_MS;
}
