/* SPDX-License-Identifier: BSD-2-Clause */
/* A flow as text that travels and comes back: with a MAC, so that nobody names a connection of others. */
#include "sip/flow.h"

static uint32_t token_mac(const struct sip *s, uint64_t flow)
{
    const struct {
        uint64_t flow;
        uint32_t boot, purpose;
    } in = {flow, s->ctx->boot, 0x776f6c66};
    return (uint32_t)hg_siphash64(&s->secret, &in, sizeof(in));
}

void flow_token_write(const struct sip *s, uint64_t flow, char out[FLOW_TOKEN])
{
    hex_write(out, flow, 16);
    hex_write(out + 16, token_mac(s, flow), 8);
}

uint64_t flow_token_read(const struct sip *s, struct slice text)
{
    uint64_t flow, mac;
    if (text.len != FLOW_TOKEN || !hex_read(text.p, 16, &flow) || !hex_read(text.p + 16, 8, &mac) ||
        mac != token_mac(s, flow))
        return 0;
    return flow;
}
