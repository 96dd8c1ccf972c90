/* SPDX-License-Identifier: BSD-2-Clause */
/* Fifth step of RFC 9293 section 3.10.7.4: what the peer has got, and how much more it takes. */
#include "tcp/state.h"

static unsigned ack_refused(struct tcp *t, struct tcp_conn *c)
{
    if (challenge_allowed(t, c))
        ack_output(t, c);
    return HG_DROP_tcp_bad_ack;
}

/* Ack is of data that never left, or so old that it can only be guessed (RFC 5961 section 5.2). */
static bool ack_good(const struct tcp_conn *c, uint32_t ack)
{
    uint32_t most = c->snd_nxt + ((c->bits & CONN_PROBED) != 0);
    return seq_leq(ack, most) && seq_geq(ack, c->snd_una - c->snd_wnd_max);
}

static void window_update(struct tcp *t, struct tcp_conn *c, const struct tcp_rx *rx)
{
    if (!(seq_lt(c->snd_wl1, rx->seq) || (c->snd_wl1 == rx->seq && seq_leq(c->snd_wl2, rx->ack))))
        return;
    uint32_t wnd = rx->wnd << c->snd_scale;
    c->snd_wl1 = rx->seq;
    c->snd_wl2 = rx->ack;
    if (wnd == c->snd_wnd)
        return;
    if (wnd > c->snd_wnd && c->send_timer == TCP_SEND_PERSIST) {
        c->stuck_ms = 0;
        c->backoff = 0;
        timer_clear(c, TCP_AT_SEND);
        c->send_timer = TCP_SEND_NONE;
    }
    c->snd_wnd = wnd;
    if (wnd > c->snd_wnd_max)
        c->snd_wnd_max = wnd;
    conn_dirty(t, c);
}

/* All of ours has arrived, the FIN with it. */
static void fin_acked(struct tcp *t, struct tcp_conn *c)
{
    if (c->state == TCP_FIN_WAIT_1) {
        c->state = TCP_FIN_WAIT_2;
        if (c->bits & CONN_ORPHAN)
            timer_set(t, c, TCP_AT_END, t->limits.linger_ms);
    } else if (c->state == TCP_CLOSING) {
        c->state = TCP_TIME_WAIT;
        conn_dirty(t, c);
    } else if (c->state == TCP_LAST_ACK) {
        conn_gone(t, c);
    }
}

static void advance(struct tcp *t, struct tcp_conn *c, uint32_t ack)
{
    uint32_t acked = ack - c->snd_una;
    uint32_t octets = acked < c->queued ? acked : c->queued;
    c->snd_una = ack;
    if (seq_lt(c->snd_nxt, ack)) { /* the probe */
        c->snd_nxt = ack;
        c->bits &= ~CONN_PROBED;
    }
    c->bytes_out += octets;
    c->backoff = 0;
    c->stuck_ms = c->snd_nxt == ack ? 0 : tcp_ms(t) | 1;
    send_release(t, c, octets);
    conn_dirty(t, c);
}

/* Karn's rule, for the whole ACK: what was sent once may have arrived long ago, its ACK been lost, and a
 * retransmission of something else brought this one. Then the echoed timestamp tells, in milliseconds (RFC
 * 7323 section 4). */
static void take_sample(struct tcp *t, struct tcp_conn *c, const struct tcp_rx *rx, bool fresh,
                        const struct flight_news *news)
{
    if (news->rtt_us && !news->again)
        rtt_sample(c, news->rtt_us);
    else if (news->again && fresh && c->bits & CONN_TS && rx->o.ts_ecr && !(c->bits & CONN_LOSS) &&
             !c->backoff)
        rtt_sample(c, (ts_now(t, c->ts_offset) - rx->o.ts_ecr) * 1000 + 500);
}

unsigned ack_input(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    if (unlikely(!ack_good(c, rx->ack)))
        return ack_refused(t, c);
    bool fresh = seq_gt(rx->ack, c->snd_una);
    uint32_t acked = fresh ? rx->ack - c->snd_una : 0, wnd = c->snd_wnd;
    window_update(t, c, rx);
    if (!c->flight) {
        if (fresh)
            advance(t, c, rx->ack);
        return RX_GO_ON;
    }
    struct flight_news news = {0};
    bool dup = rx->ack == c->snd_una && !rx->len && !(rx->flags & TCP_FIN) && c->snd_wnd == wnd;
    if (fresh)
        flight_acked(t, c, rx, &news);
    if (unlikely(rx->o.sacks && c->bits & CONN_SACK))
        flight_sacked(t, c, rx, &news);
    take_sample(t, c, rx, fresh, &news);
    if (fresh)
        advance(t, c, rx->ack);
    recovery_ack(t, c, acked, dup, rx, &news);
    if (c->snd_una == c->snd_nxt) {
        flight_drop(t, c);
        if (c->bits & CONN_FIN_SENT)
            fin_acked(t, c);
    }
    if (fresh && c->state != TCP_CLOSED)
        timer_send_set(t, c, true);
    return RX_GO_ON;
}
