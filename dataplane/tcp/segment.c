/* SPDX-License-Identifier: BSD-2-Clause */
/* A segment for a connection past SYN-SENT: the steps of RFC 9293 section 3.10.7.4 in their order, with the
 * defences of RFC 5961 and RFC 7323. */
#include "tcp/state.h"

#define CHALLENGES_A_SECOND 10
#define PAWS_LIFE_MS        (24u * 86400000) /* RFC 7323 section 5.5: an older ts_recent says nothing */

/* A limit for each connection alone: a common one would tell strangers of each other's. */
bool challenge_allowed(struct tcp *t, struct tcp_conn *c)
{
    uint32_t second = tcp_ms(t) / 1000 + 1;
    if (c->challenge_s != second) {
        c->challenge_s = second;
        c->challenges = 0;
    }
    if (c->challenges >= CHALLENGES_A_SECOND)
        return false;
    c->challenges++;
    ctx_count(t->ctx, HG_C_tcp_challenges_sent);
    return true;
}

static unsigned challenge(struct tcp *t, struct tcp_conn *c, unsigned drop)
{
    if (challenge_allowed(t, c))
        ack_output(t, c);
    return drop;
}

static unsigned timestamp_check(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    if (!(c->bits & CONN_TS) || rx->flags & TCP_RST)
        return RX_GO_ON;
    if (unlikely(!(rx->o.has & TCP_OPTION_TS)))
        return HG_DROP_tcp_no_timestamp; /* RFC 7323 section 3.2 */
    if (likely(seq_geq(rx->o.ts_val, c->ts_recent)))
        return RX_GO_ON;
    if (tcp_ms(t) - c->last_ms > PAWS_LIFE_MS)
        return RX_GO_ON;
    if (rx->len || rx->flags & TCP_FIN)
        reassembly_twice(t, c, rx->seq, rx->seq + rx->len);
    return challenge(t, c, HG_DROP_tcp_paws);
}

/* First step: is anything of it in the window? */
static bool acceptable(const struct tcp_conn *c, const struct tcp_rx *rx)
{
    uint32_t space = rx_space(rx), window = c->rcv_adv - c->rcv_nxt;
    uint32_t first = rx->seq - c->rcv_nxt, last = first + space - 1;
    if (!space)
        return window ? first < window : first == 0;
    if (!window)
        return false;
    return first < window || last < window || (seq_leq(rx->seq, c->rcv_nxt) && (int32_t)last >= 0);
}

/* Data are answered at once, and once a turn: they come again because our ACK was lost, or the window is
 * closed. What has none is answered within the limit, lest two ends that disagree answer each other for ever.
 */
static unsigned out_of_window(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    if (rx->flags & TCP_RST)
        return HG_DROP_tcp_out_of_window;
    if (rx->flags & TCP_SYN || !rx_space(rx)) /* a SYN of before is no exception: RFC 5961 section 4.2 */
        return challenge(t, c, rx->flags & TCP_SYN ? HG_DROP_tcp_challenged : HG_DROP_tcp_out_of_window);
    c->bits |= CONN_ACK_NOW;
    conn_dirty(t, c);
    if (seq_gt(rx->seq, c->rcv_nxt) || rx->seq == c->rcv_nxt)
        return HG_DROP_tcp_out_of_window;
    reassembly_twice(t, c, rx->seq, seq_min(rx->seq + rx->len, c->rcv_nxt));
    return HG_DROP_tcp_duplicate;
}

/* Second step, RFC 5961 section 3.2. */
static unsigned reset_came(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    if (rx->seq != c->rcv_nxt)
        return challenge(t, c, HG_DROP_tcp_challenged);
    if (c->state == TCP_SYN_RECEIVED) /* only active opens are here */
        conn_fail(t, c, TCP_REASON_REFUSED, HG_C_tcp_connect_refused);
    else if (c->state >= TCP_CLOSING)
        conn_gone(t, c);
    else
        conn_fail(t, c, TCP_REASON_RESET, HG_C_tcp_resets_received);
    return HG_C_tcp_taken;
}

/* What lies outside of the window goes; a SYN is no data. */
static void trim(struct tcp_rx *rx, struct tcp_conn *c)
{
    if (seq_lt(rx->seq, c->rcv_nxt)) {
        uint32_t old = c->rcv_nxt - rx->seq;
        if (old > rx->len)
            old = rx->len;
        rx->data += old;
        rx->len -= old;
        rx->seq += old;
    }
    uint32_t window = c->rcv_adv - rx->seq;
    if (rx->len > window) {
        rx->len = window;
        rx->flags &= (uint8_t)~TCP_FIN;
    }
}

/* The state in which both sides have heard each other, for a simultaneous open. */
static unsigned syn_received_ack(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    if (rx->ack != c->snd_nxt)
        return reset_answer(t, rx, HG_DROP_tcp_bad_ack);
    c->snd_una = rx->ack;
    c->state = TCP_ESTABLISHED;
    c->snd_wnd = rx->wnd << c->snd_scale;
    c->snd_wl1 = rx->seq;
    c->snd_wl2 = rx->ack;
    c->backoff = 0;
    timer_clear(c, TCP_AT_SEND);
    timer_idle_set(t, c);
    ctx_count(t->ctx, HG_C_tcp_connected);
    conn_event(t, c, TCP_EVENT_CONNECTED);
    conn_dirty(t, c);
    return RX_GO_ON;
}

/* Eighth step. */
void fin_came(struct tcp *t, struct tcp_conn *c)
{
    if (c->bits & CONN_FIN_CAME)
        return;
    c->bits |= CONN_FIN_CAME | CONN_ACK_NOW;
    c->rcv_nxt++;
    c->rcv_adv = seq_max(c->rcv_adv, c->rcv_nxt);
    conn_dirty(t, c);
    conn_event(t, c, TCP_EVENT_PEER_CLOSED);
    if (c->state == TCP_ESTABLISHED)
        c->state = TCP_CLOSE_WAIT;
    else if (c->state == TCP_FIN_WAIT_1)
        c->state = TCP_CLOSING; /* were our FIN acknowledged, it would be FIN-WAIT-2 */
    else if (c->state == TCP_FIN_WAIT_2)
        c->state = TCP_TIME_WAIT; /* at the end of the turn, when the ACK has left */
}

static unsigned text(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    if (!rx->len && !(rx->flags & TCP_FIN))
        return HG_C_tcp_taken;
    if (c->bits & CONN_FIN_CAME) /* there can be nothing behind a FIN */
        return HG_C_tcp_taken;
    if (rx->len && c->bits & CONN_ORPHAN) { /* nobody reads it any more (RFC 9293 section 3.6.1) */
        reset_conn(t, c);
        conn_fail(t, c, TCP_REASON_PROTOCOL, HG_C_tcp_data_after_close);
        return HG_C_tcp_taken;
    }
    return receive_data(t, rx, c);
}

/* SYN-RECEIVED after both have called: the peer's SYN once more, with the ACK of ours. */
static void simultaneous(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    if (!(rx->flags & TCP_SYN) || rx->flags & TCP_RST || rx->seq + 1 != c->rcv_nxt)
        return;
    rx->flags &= (uint8_t)~TCP_SYN;
    rx->seq++;
    c->bits |= CONN_ACK_NOW;
    conn_dirty(t, c);
}

unsigned segment_input(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    unsigned verdict = timestamp_check(t, rx, c);
    if (unlikely(verdict != RX_GO_ON))
        return verdict;
    if (unlikely(c->state == TCP_SYN_RECEIVED))
        simultaneous(t, rx, c);
    if (unlikely(!acceptable(c, rx)))
        return out_of_window(t, rx, c);
    if (unlikely(rx->flags & TCP_RST))
        return reset_came(t, rx, c);
    if (unlikely(rx->flags & TCP_SYN))
        return challenge(t, c, HG_DROP_tcp_challenged); /* RFC 5961 section 4.2 */
    if (unlikely(!(rx->flags & TCP_ACK)))
        return HG_DROP_tcp_stray;
    c->last_ms = tcp_ms(t);
    c->probes = 0;
    if (unlikely(c->state == TCP_SYN_RECEIVED)) {
        verdict = syn_received_ack(t, rx, c);
        if (verdict != RX_GO_ON)
            return verdict;
    }
    /* RFC 7323 section 4.3: of the segment that the next ACK is about */
    if (c->bits & CONN_TS && seq_leq(rx->seq, c->ack_sent) && seq_geq(rx->o.ts_val, c->ts_recent))
        c->ts_recent = rx->o.ts_val;
    verdict = ack_input(t, rx, c);
    if (unlikely(verdict != RX_GO_ON))
        return verdict;
    if (unlikely(c->state == TCP_CLOSED))
        return HG_C_tcp_taken;
    trim(rx, c);
    return text(t, rx, c);
}
