/* SPDX-License-Identifier: BSD-2-Clause */
/* RACK (RFC 8985): what was sent before something that has arrived, long enough before, is lost. It finds
 * lost retransmissions, too, which counting duplicates cannot. */
#include "tcp/state.h"

/* Sent earlier, or in the same moment with a lower number. */
static bool sent_before(uint32_t us, uint32_t end, uint32_t than_us, uint32_t than_end)
{
    return seq_lt(us, than_us) || (us == than_us && seq_lt(end, than_end));
}

/* Step 2. s has arrived: unless that was the copy sent before, which it was if this one was too quick. (The
 * echoed timestamp would not tell: that of an ACK about a hole is of what came before the hole.) */
void rack_arrived(const struct tcp *t, struct tcp_conn *c, const struct tcp_sent *s)
{
    struct tcp_flight *f = c->flight;
    uint32_t rtt = t->now_us - s->us, end = s->seq + s->len;
    if (s->bits & SENT_AGAIN && rtt < c->rtt_min_us)
        return;
    if (f->rack_set && sent_before(s->us, end, f->rack_us, f->rack_end))
        return;
    f->rack_set = true;
    f->rack_us = s->us;
    f->rack_end = end;
    f->rack_rtt = rtt;
}

/* Step 4. */
static uint32_t reorder_window(const struct tcp_conn *c)
{
    const struct tcp_flight *f = c->flight;
    if (!(c->bits & CONN_REORDERS) &&
        (c->bits & (CONN_RECOVERY | CONN_LOSS) || f->sacked_n >= TCP_DUP_THRESH))
        return 0;
    uint32_t w = c->rtt_min_us / 4 * f->reo_mult;
    return w < c->srtt_us ? w : c->srtt_us;
}

/* Step 5. What may still come is looked at again when it has had its time. */
void rack_detect(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_flight *f = c->flight;
    if (!f->rack_set)
        return;
    uint32_t patience = f->rack_rtt + reorder_window(c), wait = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        struct tcp_sent *s = &f->s[f->first + i];
        if (s->bits & (SENT_SACKED | SENT_LOST) ||
            !sent_before(s->us, s->seq + s->len, f->rack_us, f->rack_end))
            continue;
        uint32_t since = t->now_us - s->us;
        if (since >= patience)
            flight_mark_lost(f, s);
        else if (patience - since > wait)
            wait = patience - since;
    }
    if (wait) {
        c->send_timer = TCP_SEND_REORDER;
        timer_set(t, c, TCP_AT_SEND, wait / 1000 + 1);
    } else if (c->send_timer == TCP_SEND_REORDER) {
        c->send_timer = TCP_SEND_NONE;
        timer_clear(c, TCP_AT_SEND);
    }
}
