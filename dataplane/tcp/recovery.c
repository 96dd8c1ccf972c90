/* SPDX-License-Identifier: BSD-2-Clause */
/* Loss recovery: RACK's verdicts or duplicate ACKs begin it (RFC 8985, RFC 6582), proportional rate reduction
 * paces it (RFC 6937), time-outs and tail loss probes end silence, timestamps undo what was needless (RFC
 * 4015). */
#include "tcp/state.h"

static void remember(const struct tcp *t, struct tcp_conn *c)
{
    struct tcp_flight *f = c->flight;
    f->prior_cwnd = c->cwnd;
    f->prior_ssthresh = c->ssthresh;
    f->undo_ts = ts_now(t, c->ts_offset);
    f->undo = c->bits & CONN_TS;
}

void recovery_enter(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_flight *f = c->flight;
    remember(t, c);
    cubic_lost(c);
    ctx_count(t->ctx, HG_C_tcp_recoveries);
    c->bits = (c->bits & ~CONN_TAIL) | CONN_RECOVERY;
    f->recover = c->snd_nxt;
    f->prr_delivered = f->prr_out = 0;
    f->prr_flight = c->snd_nxt - c->snd_una;
}

/* RFC 6937 section 3, with the slow start reduction bound. */
static void prr(struct tcp_conn *c, uint32_t delivered, bool first)
{
    struct tcp_flight *f = c->flight;
    uint32_t pipe = conn_pipe(c), send;
    f->prr_delivered += delivered;
    if (pipe > c->ssthresh) {
        uint64_t due = ((uint64_t)f->prr_delivered * c->ssthresh + f->prr_flight - 1) / f->prr_flight;
        send = due > f->prr_out ? (uint32_t)due - f->prr_out : 0;
    } else {
        uint32_t ahead = f->prr_delivered > f->prr_out ? f->prr_delivered - f->prr_out : 0;
        uint32_t limit = (ahead > delivered ? ahead : delivered) + c->mss;
        send = c->ssthresh - pipe < limit ? c->ssthresh - pipe : limit;
    }
    if (first && send < c->mss) /* the first retransmission always leaves */
        send = c->mss;
    c->cwnd = pipe + send;
}

static void recovery_leave(struct tcp_conn *c)
{
    if (c->bits & CONN_RECOVERY)
        c->cwnd = c->ssthresh;
    c->bits &= ~(CONN_RECOVERY | CONN_LOSS);
    c->flight->dups = 0;
}

/* An ACK of new data echoes a time before our first retransmission: nothing was lost (RFC 4015). */
static bool undone(struct tcp *t, struct tcp_conn *c, uint32_t acked, const struct tcp_rx *rx)
{
    struct tcp_flight *f = c->flight;
    if (!f->undo || !acked || !(c->bits & (CONN_RECOVERY | CONN_LOSS)))
        return false;
    f->undo = false; /* the first such ACK tells */
    if (!(rx->o.has & TCP_OPTION_TS) || !seq_lt(rx->o.ts_ecr, f->undo_ts))
        return false;
    for (uint32_t i = 0; i < f->n; i++)
        f->s[f->first + i].bits &= (uint8_t)~SENT_LOST;
    f->lost = 0;
    if (c->bits & CONN_RECOVERY)
        c->bits |= CONN_REORDERS;
    c->bits &= ~(CONN_RECOVERY | CONN_LOSS);
    c->cwnd = c->cwnd > f->prior_cwnd ? c->cwnd : f->prior_cwnd;
    c->ssthresh = f->prior_ssthresh;
    c->cubic_epoch = 0;
    ctx_count(t->ctx, HG_C_tcp_undos);
    return true;
}

/* Without SACK (RFC 6582): duplicates tell that segments leave the network, partial ACKs where the next hole
 * is. */
static void newreno(struct tcp_conn *c, uint32_t acked, bool dup)
{
    struct tcp_flight *f = c->flight;
    if (acked) {
        f->dups = 0;
        f->sacked = 0;
        if (c->bits & CONN_RECOVERY && f->n && !(f->s[f->first].bits & SENT_AGAIN))
            flight_mark_lost(f, &f->s[f->first]);
        return;
    }
    if (!dup || !f->n)
        return;
    f->dups++;
    uint32_t behind = c->snd_nxt - c->snd_una - f->s[f->first].len, gone = f->dups * c->mss;
    f->sacked = gone < behind ? gone : behind;
    if (f->dups == TCP_DUP_THRESH && !(c->bits & (CONN_RECOVERY | CONN_LOSS)))
        flight_mark_lost(f, &f->s[f->first]);
}

/* RFC 8985 section 7.4. */
static void tail_acked(struct tcp *t, struct tcp_conn *c, const struct flight_news *news)
{
    struct tcp_flight *f = c->flight;
    if (!(c->bits & CONN_TAIL) || seq_lt(c->snd_una, f->tail_end))
        return;
    c->bits &= ~CONN_TAIL;
    if (!f->tail_again || news->duplicate)
        return;
    cubic_lost(c); /* the probe has repaired a loss that nobody else saw */
    c->cwnd = c->ssthresh;
    ctx_count(t->ctx, HG_C_tcp_recoveries);
}

void recovery_ack(struct tcp *t, struct tcp_conn *c, uint32_t acked, bool dup, const struct tcp_rx *rx,
                  const struct flight_news *news)
{
    struct tcp_flight *f = c->flight;
    bool entered = false;
    if (undone(t, c, acked, rx))
        return;
    tail_acked(t, c, news);
    if (c->bits & (CONN_RECOVERY | CONN_LOSS) && seq_geq(c->snd_una, f->recover))
        recovery_leave(c);
    if (!(c->bits & CONN_SACK))
        newreno(c, acked, dup);
    else if (f->sacked_n || c->bits & (CONN_RECOVERY | CONN_LOSS))
        rack_detect(t, c);
    if (f->lost && !(c->bits & (CONN_RECOVERY | CONN_LOSS))) {
        recovery_enter(t, c);
        entered = true;
    }
    if (c->bits & CONN_RECOVERY)
        prr(c, news->delivered, entered);
    else if (acked)
        cubic_acked(t, c, acked);
    if (f->lost || news->sacked || acked || dup)
        conn_dirty(t, c);
}

/* What was given its time has not come. */
void recovery_reorder(struct tcp *t, struct tcp_conn *c)
{
    rack_detect(t, c);
    if (c->flight->lost && !(c->bits & (CONN_RECOVERY | CONN_LOSS))) {
        recovery_enter(t, c);
        prr(c, 0, true);
    }
    conn_dirty(t, c);
}

/* Nothing is acknowledged: all that is not known to have arrived is lost. */
void recovery_timeout(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_flight *f = c->flight;
    ctx_count(t->ctx, HG_C_tcp_timeouts);
    if (!(c->bits & CONN_LOSS)) {
        remember(t, c);
        cubic_lost(c);
    } else {
        f->undo = false;
    }
    c->bits = (c->bits & ~(CONN_RECOVERY | CONN_TAIL)) | CONN_LOSS;
    c->cwnd = c->mss;
    if (c->backoff < UINT8_MAX)
        c->backoff++;
    /* what was told to have arrived at the front, and yet is not acknowledged, was thrown away (RFC 2018) */
    bool reneged = f->n && f->s[f->first].bits & SENT_SACKED;
    f->dups = 0;
    f->recover = c->snd_nxt;
    f->rack_set = false;
    if (reneged || !(c->bits & CONN_SACK))
        f->sacked = f->sacked_n = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        struct tcp_sent *s = &f->s[f->first + i];
        if (reneged)
            s->bits &= (uint8_t)~SENT_SACKED;
        flight_mark_lost(f, s);
    }
    pmtu_blackhole(t, c);
    conn_dirty(t, c);
}

/* RFC 8985 section 7.3: something new, or the last segment once more; its ACK tells what is missing. */
void tail_probe(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_flight *f = c->flight;
    uint32_t unsent = conn_unsent(c), payload = conn_payload(c);
    uint32_t len = unsent < payload ? unsent : payload;
    ctx_count(t->ctx, HG_C_tcp_tail_probes);
    c->bits |= CONN_TAIL;
    f->tail_again = true;
    if (len && len <= conn_window(c))
        f->tail_again = false;
    if (f->tail_again)
        segment_again(t, c, &f->s[f->first + f->n - 1]);
    else
        segment_new(t, c, len, false);
    c->flight->tail_end = c->snd_nxt;
}
