/* SPDX-License-Identifier: BSD-2-Clause */
/* RST out (RFC 9293 section 3.10.7.1). What answers strangers is limited. */
#include "tcp/state.h"

#define RESETS_A_SECOND                                                                                      \
    100000 /* who took over the connections of another node has many to send away at once */

static bool reset_allowed(struct tcp *t)
{
    if (t->ctx->ms - t->reset_ms >= 1000) {
        t->reset_ms = t->ctx->ms;
        t->reset_tokens = RESETS_A_SECOND;
    }
    if (!t->reset_tokens)
        return false;
    t->reset_tokens--;
    return true;
}

void reset_send(struct tcp *t, const struct tcp_key *key, uint32_t seq, uint32_t ack, bool with_ack,
                bool fenced)
{
    struct tcp_out o = {.key = key,
                        .seq = seq,
                        .ack = ack,
                        .flags = with_ack ? TCP_RST | TCP_ACK : TCP_RST,
                        .fenced = fenced};
    ctx_count(t->ctx, HG_C_tcp_resets_sent);
    build_send(t, &o, NULL, 0, 0);
}

unsigned reset_answer(struct tcp *t, const struct tcp_rx *rx, unsigned counter)
{
    if (rx->flags & TCP_RST)
        return HG_DROP_tcp_stray_reset;
    if (!reset_allowed(t))
        return HG_DROP_tcp_reset_rate;
    if (rx->flags & TCP_ACK)
        reset_send(t, &rx->key, rx->ack, 0, false, false);
    else
        reset_send(t, &rx->key, 0, rx->seq + rx_space(rx), true, false);
    return counter;
}

void reset_conn(struct tcp *t, struct tcp_conn *c)
{
    reset_send(t, &c->key, c->snd_nxt, c->rcv_nxt, true, c->bits & CONN_FENCED);
}
