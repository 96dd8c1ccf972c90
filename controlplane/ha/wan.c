/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/wan.h"

#include <string.h>

void wan_rtt(struct wan *w, uint64_t ns)
{
    w->rtt[w->rtts++ % WAN_RTTS] = ns;
}

void wan_rate(struct wan *w, uint32_t kbps)
{
    w->rate[w->rates++ % WAN_RATES] = kbps;
}

/* The value with as many below it as above; n is small. */
static uint64_t median(const uint64_t *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned less = 0, same = 0;
        for (unsigned k = 0; k < n; k++) {
            less += v[k] < v[i];
            same += v[k] == v[i];
        }
        if (less <= n / 2 && less + same > n / 2)
            return v[i];
    }
    return 0;
}

uint64_t wan_rtt_median(const struct wan *w)
{
    return median(w->rtt, w->rtts < WAN_RTTS ? w->rtts : WAN_RTTS);
}

uint32_t wan_rate_median(const struct wan *w)
{
    uint64_t v[WAN_RATES];
    unsigned n = w->rates < WAN_RATES ? w->rates : WAN_RATES;

    for (unsigned i = 0; i < n; i++)
        v[i] = w->rate[i];
    return (uint32_t)median(v, n);
}

static uint32_t dispersion(const struct wan *w)
{
    if (w->got < WAN_LEAST || w->last_ns < w->first_ns)
        return 0;
    uint64_t ns = w->last_ns - w->first_ns;
    uint64_t bits = (uint64_t)w->bytes * 8;
    if (bits * 1000000 / WAN_FASTEST >= ns)
        return WAN_FASTEST;
    return (uint32_t)(bits * 1000000 / ns);
}

uint32_t wan_arrived(struct wan *w, uint32_t train, uint32_t index, uint32_t bytes, uint64_t at_ns)
{
    if (train != w->train || index <= w->index) { /* numbers begin anew with each start of the sender */
        w->train = train;
        w->got = 0;
        w->bytes = 0;
    }
    if (w->got == 0)
        w->first_ns = at_ns;
    else
        w->bytes += bytes;
    w->last_ns = at_ns;
    w->index = index;
    w->got++;
    return index + 1 == WAN_TRAIN ? dispersion(w) : 0;
}
