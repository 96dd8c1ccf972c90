/* SPDX-License-Identifier: BSD-2-Clause */
/* The congestion window: slow start (RFC 5681, RFC 6928) and CUBIC (RFC 9438). Octets throughout, seconds for
 * time. */
#include <math.h>

#include "tcp/state.h"

#define CUBIC_C     0.4f
#define CUBIC_BETA  0.7f
#define CUBIC_ALPHA (3.0f * (1.0f - CUBIC_BETA) / (1.0f + CUBIC_BETA))
#define INITIAL     10u /* segments */
#define CWND_MAX    (1u << 30)

void cubic_start(struct tcp_conn *c)
{
    c->cwnd = INITIAL * c->mss;
    c->ssthresh = CWND_MAX;
    c->cubic_epoch = 0;
    c->cubic_max = 0;
}

static void epoch_begin(const struct tcp *t, struct tcp_conn *c)
{
    float cwnd = (float)c->cwnd;
    c->cubic_epoch = tcp_ms(t) | 1;
    c->cubic_est = cwnd;
    if (cwnd < c->cubic_max) {
        c->cubic_k = cbrtf((c->cubic_max - cwnd) / (float)c->mss / CUBIC_C);
    } else {
        c->cubic_k = 0;
        c->cubic_max = cwnd;
    }
}

static void avoid(const struct tcp *t, struct tcp_conn *c, uint32_t octets)
{
    if (!c->cubic_epoch)
        epoch_begin(t, c);
    float cwnd = (float)c->cwnd, acked = (float)octets, mss = (float)c->mss;
    float at = (float)(tcp_ms(t) - c->cubic_epoch) / 1e3f + (float)c->srtt_us / 1e6f - c->cubic_k;
    float target = CUBIC_C * at * at * at * mss + c->cubic_max;
    /* section 4.3: no slower than Reno would be; above the window of the last loss at Reno's own pace */
    c->cubic_est += (c->cubic_est < c->cubic_max ? CUBIC_ALPHA : 1.0f) * mss * acked / cwnd;
    if (target > 1.5f * cwnd)
        target = 1.5f * cwnd;
    float grown = target > cwnd ? cwnd + (target - cwnd) * acked / cwnd : cwnd + mss * acked / cwnd / 100;
    if (grown < c->cubic_est)
        grown = c->cubic_est;
    c->cwnd = grown < CWND_MAX ? (uint32_t)grown : CWND_MAX;
}

void cubic_acked(const struct tcp *t, struct tcp_conn *c, uint32_t octets)
{
    if (!(c->bits & CONN_LIMITED) && c->cwnd >= 2 * (c->snd_nxt - c->snd_una + octets))
        return; /* RFC 7661: a window that is not used proves nothing */
    if (c->cwnd < c->ssthresh) {
        uint32_t room = c->ssthresh - c->cwnd, slow = octets < room ? octets : room;
        c->cwnd += slow;
        octets -= slow;
    }
    if (octets && c->bits & CONN_LIMITED)
        avoid(t, c, octets);
}

void cubic_lost(struct tcp_conn *c)
{
    float cwnd = (float)c->cwnd;
    c->cubic_max =
        cwnd < c->cubic_max ? cwnd * (1.0f + CUBIC_BETA) / 2 : cwnd; /* section 4.7: fast convergence */
    c->cubic_epoch = 0;
    c->ssthresh = (uint32_t)(cwnd * CUBIC_BETA);
    if (c->ssthresh < 2u * c->mss)
        c->ssthresh = 2u * c->mss;
}
