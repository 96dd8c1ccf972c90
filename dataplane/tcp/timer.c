/* SPDX-License-Identifier: BSD-2-Clause */
/* One wheel entry a connection with several deadlines in it. A deadline that moves away is left where it
 * hangs: whoever comes too early is hung up again; so what is busy does not touch the wheel for every
 * segment. */
#include "tcp/state.h"

void timer_set(struct tcp *t, struct tcp_conn *c, enum tcp_deadline which, uint32_t in_ms)
{
    uint64_t at = t->ctx->ms + in_ms;
    at += (uint32_t)at == 0;
    c->at[which] = (uint32_t)at;
    if (!wheel_armed(&c->timer) || c->timer.deadline_ms > at)
        wheel_arm(t->ctx->wheel, &c->timer, at);
}

void timer_clear(struct tcp_conn *c, enum tcp_deadline which)
{
    c->at[which] = 0;
}

void timer_idle_set(struct tcp *t, struct tcp_conn *c)
{
    if (t->limits.keepalive_ms)
        timer_set(t, c, TCP_AT_IDLE, t->limits.keepalive_ms);
}

/* RFC 8985 section 7.2: in place of the time-out, or before it; 0: a probe would tell nothing. */
static uint32_t tail_ms(const struct tcp *t, const struct tcp_conn *c)
{
    const struct tcp_flight *f = c->flight;
    if (!(c->bits & CONN_SACK) || c->bits & (CONN_RECOVERY | CONN_LOSS | CONN_TAIL) || f->sacked_n ||
        !c->srtt_us || c->backoff)
        return 0;
    uint32_t ms = c->srtt_us / 500 + 2;
    if (f->n == 1) /* the peer may delay its ACK */
        ms += TCP_DELAYED_ACK_MAX_MS;
    uint32_t rto = rto_plain_ms(t, c);
    return ms < rto ? ms : rto;
}

/* A time-out, but no later than the user time-out. */
static uint32_t patient_ms(const struct tcp *t, const struct tcp_conn *c)
{
    uint32_t ms = rto_ms(t, c), stuck = tcp_ms(t) - c->stuck_ms, most = t->limits.user_timeout_ms;
    if (!c->stuck_ms || stuck >= most)
        return ms;
    return ms < most - stuck ? ms : most - stuck;
}

void timer_send_set(struct tcp *t, struct tcp_conn *c, bool again)
{
    bool set = c->at[TCP_AT_SEND] != 0;
    if (c->state < TCP_ESTABLISHED || (set && c->send_timer == TCP_SEND_REORDER && c->flight))
        return;
    if (c->flight && c->flight->n) {
        if (set && !again && c->send_timer != TCP_SEND_PERSIST)
            return;
        uint32_t ms = tail_ms(t, c);
        c->send_timer = ms ? TCP_SEND_TAIL : TCP_SEND_RTO;
        timer_set(t, c, TCP_AT_SEND, ms ? ms : patient_ms(t, c));
    } else if (conn_unsent(c) || (c->bits & (CONN_FIN_WANTED | CONN_FIN_SENT)) == CONN_FIN_WANTED) {
        if (set && c->send_timer == TCP_SEND_PERSIST)
            return;
        if (!c->stuck_ms)
            c->stuck_ms = tcp_ms(t) | 1;
        c->send_timer = TCP_SEND_PERSIST;
        timer_set(t, c, TCP_AT_SEND, patient_ms(t, c));
    } else {
        c->send_timer = TCP_SEND_NONE;
        timer_clear(c, TCP_AT_SEND);
    }
}

/* false: it has been stuck for longer than the user time-out, and is gone. */
static bool patience(struct tcp *t, struct tcp_conn *c, enum tcp_reason reason)
{
    if (!c->stuck_ms || tcp_ms(t) - c->stuck_ms < t->limits.user_timeout_ms)
        return true;
    reset_conn(t, c);
    conn_fail(t, c, reason, reason == TCP_REASON_STALLED ? HG_C_tcp_stalled : HG_C_tcp_user_timeouts);
    return false;
}

/* A window that is closed, or too small to be worth it for too long (RFC 9293 section 3.8.6.1). */
static void persist(struct tcp *t, struct tcp_conn *c)
{
    if (!patience(t, c, TCP_REASON_STALLED))
        return;
    uint32_t window = conn_window(c), len = conn_unsent(c), payload = conn_payload(c);
    if (c->backoff < UINT8_MAX)
        c->backoff++;
    c->send_timer = TCP_SEND_NONE;
    if (!len)
        conn_dirty(t, c);
    else if (!window)
        probe_output(t, c, true);
    else
        segment_new(t, c, RTE_MIN(RTE_MIN(window, len), payload), false);
    timer_send_set(t, c, true);
}

static void send_due(struct tcp *t, struct tcp_conn *c)
{
    enum tcp_send_timer what = c->send_timer;
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
        connect_timer(t, c);
        return;
    }
    if (what == TCP_SEND_PERSIST) {
        persist(t, c);
        return;
    }
    c->send_timer = TCP_SEND_NONE;
    if (!c->flight || !c->flight->n)
        return;
    if (what == TCP_SEND_RTO) {
        if (patience(t, c, TCP_REASON_TIMEOUT))
            recovery_timeout(t, c);
        return;
    }
    if (what == TCP_SEND_TAIL)
        tail_probe(t, c);
    else if (what == TCP_SEND_REORDER)
        recovery_reorder(t, c);
    timer_send_set(t, c, true);
}

static void idle_due(struct tcp *t, struct tcp_conn *c)
{
    uint32_t idle = tcp_ms(t) - c->last_ms;
    const struct tcp_limits *l = &t->limits;
    if (!l->keepalive_ms)
        return;
    if (idle < l->keepalive_ms) {
        timer_set(t, c, TCP_AT_IDLE, l->keepalive_ms - idle);
        return;
    }
    if (c->probes >= l->keepalive_probes) {
        reset_conn(t, c);
        conn_fail(t, c, TCP_REASON_KEEPALIVE, HG_C_tcp_keepalive_timeouts);
        return;
    }
    if (!c->flight) { /* else the retransmission timer watches */
        c->probes++;
        probe_output(t, c, false);
    }
    timer_set(t, c, TCP_AT_IDLE, l->keepalive_interval_ms);
}

static void end_due(struct tcp *t, struct tcp_conn *c)
{
    ctx_count(t->ctx, HG_C_tcp_linger_timeouts);
    if (c->state != TCP_FIN_WAIT_2)
        reset_conn(t, c);
    conn_gone(t, c);
}

static void room_due(struct tcp *t, struct tcp_conn *c)
{
    send_room(t, c);
}

static void conn_timer(struct tcp *t, struct tcp_conn *c)
{
    static void (*const due[TCP_DEADLINES])(struct tcp *, struct tcp_conn *) = {[TCP_AT_SEND] = send_due,
                                                                                [TCP_AT_ACK] = ack_output,
                                                                                [TCP_AT_IDLE] = idle_due,
                                                                                [TCP_AT_END] = end_due,
                                                                                [TCP_AT_ROOM] = room_due};
    for (unsigned i = 0; i < TCP_DEADLINES && c->state != TCP_CLOSED; i++)
        if (c->at[i] && seq_leq(c->at[i], tcp_ms(t))) {
            c->at[i] = 0;
            due[i](t, c);
        }
    if (c->state == TCP_CLOSED)
        return;
    uint32_t soonest = 0;
    for (unsigned i = 0; i < TCP_DEADLINES; i++)
        if (c->at[i] && (!soonest || seq_lt(c->at[i], soonest)))
            soonest = c->at[i];
    if (!soonest)
        return;
    uint64_t at = t->ctx->ms + (uint64_t)(int64_t)(int32_t)(soonest - tcp_ms(t));
    if (!wheel_armed(&c->timer) || c->timer.deadline_ms > at)
        wheel_arm(t->ctx->wheel, &c->timer, at);
}

void tcp_timers(struct tcp *t, struct wheel_timer **timer, unsigned n)
{
    clock_look(t);
    for (unsigned i = 0; i < n; i++) {
        char *p = (char *)timer[i];
        switch (timer[i]->kind & 0xff) {
        case TCP_TIMER_CONN:
            conn_timer(t, (struct tcp_conn *)(p - offsetof(struct tcp_conn, timer)));
            break;
        case TCP_TIMER_HALF:
            half_timer(t, (struct tcp_half *)(p - offsetof(struct tcp_half, timer)));
            break;
        default:
            wait_timer(t);
        }
    }
}
