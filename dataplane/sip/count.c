/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/proxy.h"

/* counters_sip.def lists them in the order of methods.def and of the classes */
static_assert(HG_C_sip_rx_prack - HG_C_sip_rx_other == SIP_M_PRACK, "one counter a method");
static_assert(HG_C_sip_rx_6xx - HG_C_sip_rx_1xx == 5 && HG_C_sip_tx_6xx - HG_C_sip_tx_1xx == 5,
              "one a class");

void count_request(struct sip *s, unsigned method)
{
    ctx_count(s->ctx, HG_C_sip_requests);
    ctx_count(s->ctx, HG_C_sip_rx_other + (method < SIP_M_COUNT ? method : 0));
}

static unsigned class_of(unsigned status)
{
    unsigned c = status / 100;
    return c >= 1 && c <= 6 ? c - 1 : 5;
}

void count_answer(struct sip *s, unsigned status)
{
    ctx_count(s->ctx, HG_C_sip_tx_1xx + class_of(status));
}

void count_response(struct sip *s, unsigned status)
{
    ctx_count(s->ctx, HG_C_sip_rx_1xx + class_of(status));
}

void count_target(struct sip *s, const struct route_target *t)
{
    if (t->contact)
        ctx_count(s->ctx, HG_C_sip_delivered);
    else if (t->hop)
        ctx_count(s->ctx, HG_C_sip_relayed);
}
