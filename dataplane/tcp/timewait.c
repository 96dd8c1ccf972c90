/* SPDX-License-Identifier: BSD-2-Clause */
/* TIME-WAIT (RFC 9293 section 3.10.7.4) in one cache line. All last equally long, so they stand in a list in
 * the order of their end, with one timer for the list. */
#include "tcp/state.h"

#define WINDOW 65535u /* what is still taken for an answer to what we told */

static uint32_t wait_index(const struct tcp *t, const struct tcp_wait *w)
{
    return slab_index(t->waits, w);
}

static struct tcp_wait *wait_at(const struct tcp *t, uint32_t index)
{
    return index == TCP_NIL ? NULL : slab_at(t->waits, index);
}

static void unlink_wait(struct tcp *t, struct tcp_wait *w)
{
    struct tcp_wait *prev = wait_at(t, w->prev), *next = wait_at(t, w->next);
    if (prev)
        prev->next = w->next;
    else
        t->wait_first = w->next;
    if (next)
        next->prev = w->prev;
    else
        t->wait_last = w->prev;
}

static void append(struct tcp *t, struct tcp_wait *w)
{
    struct tcp_wait *last = wait_at(t, t->wait_last);
    w->end_ms = tcp_ms(t) + t->limits.time_wait_ms;
    w->prev = t->wait_last;
    w->next = TCP_NIL;
    if (last)
        last->next = wait_index(t, w);
    else
        t->wait_first = wait_index(t, w);
    t->wait_last = wait_index(t, w);
    if (!wheel_armed(&t->wait_timer))
        wheel_arm(t->ctx->wheel, &t->wait_timer, t->ctx->ms + t->limits.time_wait_ms);
}

static void wait_free(struct tcp *t, struct tcp_wait *w)
{
    unlink_wait(t, w);
    tcp_table_remove(&t->table, tcp_hash(t, &w->key), TCP_VALUE(TCP_KIND_WAIT, wait_index(t, w)));
    slab_put(t->waits, w);
}

void wait_enter(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_wait *w = slab_get(t->waits);
    if (!w) {
        wait_free(t, wait_at(t, t->wait_first));
        ctx_count(t->ctx, HG_C_tcp_time_wait_evicted);
        w = slab_get(t->waits);
    }
    *w = (struct tcp_wait){.key = c->key,
                           .snd_nxt = c->snd_nxt,
                           .rcv_nxt = c->rcv_nxt,
                           .ts_recent = c->ts_recent,
                           .bits = c->bits & (CONN_TS | CONN_FENCED)};
    append(t, w);
    tcp_table_replace(&t->table, tcp_hash(t, &c->key), TCP_VALUE(TCP_KIND_CONN, conn_index(t, c)),
                      TCP_VALUE(TCP_KIND_WAIT, wait_index(t, w)));
    c->bits &= ~CONN_ATTACHED;
    conn_gone(t, c);
}

#define WAITS_AT_ONCE 4096 /* a storm of ends is spread over milliseconds */

void wait_timer(struct tcp *t)
{
    struct tcp_wait *w;
    for (unsigned n = 0; (w = wait_at(t, t->wait_first)) != NULL && seq_leq(w->end_ms, tcp_ms(t)); n++) {
        if (n == WAITS_AT_ONCE) {
            wheel_arm(t->ctx->wheel, &t->wait_timer, t->ctx->ms + 1);
            return;
        }
        wait_free(t, w);
    }
    if (w)
        wheel_arm(t->ctx->wheel, &t->wait_timer, t->ctx->ms + (w->end_ms - tcp_ms(t)));
}

static void wait_ack(struct tcp *t, const struct tcp_wait *w)
{
    uint32_t isn, offset;
    struct tcp_out o = {.key = &w->key,
                        .seq = w->snd_nxt,
                        .ack = w->rcv_nxt,
                        .wnd = 0,
                        .flags = TCP_ACK,
                        .fenced = w->bits & CONN_FENCED};
    if (w->bits & CONN_TS) {
        isn_make(t, &w->key, &isn, &offset);
        tcp_options_ts(o.option, ts_now(t, offset), w->ts_recent);
        o.options = TCP_OPTIONS_TS;
    }
    build_send(t, &o, NULL, 0, 0);
}

/* A new connection of the same endpoints, later beyond doubt (RFC 9293 section 3.6.1, RFC 6191). */
static bool is_later(const struct tcp_wait *w, const struct tcp_rx *rx)
{
    if (w->bits & CONN_TS && rx->o.has & TCP_OPTION_TS && rx->o.ts_val != w->ts_recent)
        return seq_gt(rx->o.ts_val, w->ts_recent);
    return seq_gt(rx->seq, w->rcv_nxt);
}

unsigned wait_input(struct tcp *t, struct tcp_rx *rx, struct tcp_wait *w)
{
    if ((rx->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && is_later(w, rx)) {
        struct tcp_listener *l = listener_at(t, &rx->key.local, rx->key.local_port);
        uint32_t above = w->snd_nxt;
        if (l) {
            wait_free(t, w);
            ctx_count(t->ctx, HG_C_tcp_time_wait_reused);
            return syn_input(t, rx, l, above);
        }
    }
    if (rx->flags & TCP_RST) {
        if (rx->seq != w->rcv_nxt)
            return HG_DROP_tcp_out_of_window;
        wait_free(t, w);
        return HG_C_tcp_taken;
    }
    bool old = w->bits & CONN_TS && rx->o.has & TCP_OPTION_TS && seq_lt(rx->o.ts_val, w->ts_recent);
    bool inside = rx->seq - w->rcv_nxt < WINDOW;
    if (rx_space(rx) || !inside || old)
        wait_ack(t, w);
    if (rx->flags & TCP_FIN && !old &&
        rx->seq + rx_space(rx) == w->rcv_nxt) { /* our ACK was lost: from now again */
        unlink_wait(t, w);
        append(t, w);
        return HG_C_tcp_taken;
    }
    if (old)
        return HG_DROP_tcp_paws;
    return inside && !rx_space(rx) ? HG_C_tcp_taken : HG_DROP_tcp_out_of_window;
}
