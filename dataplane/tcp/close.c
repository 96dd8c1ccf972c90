/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends that the upper wants (RFC 9293 sections 3.10.4 and 3.10.5), and the end of a turn. */
#include "tcp/state.h"

static void finish(struct tcp *t, struct tcp_conn *c)
{
    c->bits |= CONN_FIN_WANTED;
    conn_dirty(t, c);
}

void tcp_shutdown(struct tcp *t, tcp_id id)
{
    struct tcp_conn *c = conn_of(t, id);
    if (c && c->state != TCP_CLOSED)
        finish(t, c);
}

void tcp_close(struct tcp *t, tcp_id id)
{
    struct tcp_conn *c = conn_of(t, id);
    if (!c)
        return;
    if (c->readable && conn_open(c)) {
        tcp_abort(t, id);
        return;
    }
    receive_free(t, c);
    conn_forget(t, c);
    if (c->state == TCP_CLOSED) /* perhaps somebody else's by now: not to be touched */
        return;
    if (c->state == TCP_SYN_SENT) {
        conn_gone(t, c);
        return;
    }
    timer_set(t, c, TCP_AT_END, t->limits.linger_ms);
    finish(t, c);
}

void tcp_abort(struct tcp *t, tcp_id id)
{
    struct tcp_conn *c = conn_of(t, id);
    if (!c)
        return;
    if (c->state != TCP_CLOSED && c->state != TCP_SYN_SENT && c->state != TCP_TIME_WAIT) {
        reset_conn(t, c);
        ctx_count(t->ctx, HG_C_tcp_aborts);
    }
    receive_free(t, c);
    if (c->state != TCP_CLOSED)
        conn_gone(t, c);
    conn_forget(t, c);
}

void tcp_kill(struct tcp *t, tcp_id id)
{
    struct tcp_conn *c = conn_of(t, id);
    if (!c || c->state == TCP_CLOSED)
        return;
    if (c->state != TCP_SYN_SENT)
        reset_conn(t, c);
    conn_fail(t, c, TCP_REASON_LOCAL, HG_C_tcp_aborts);
}

static void conn_turn_end(struct tcp *t, struct tcp_conn *c)
{
    if (c->state == TCP_CLOSED) {
        if (c->bits & CONN_ORPHAN)
            conn_forget(t, c);
        return;
    }
    conn_output(t, c);
    if (c->bits & CONN_ACK_LATER && !c->at[TCP_AT_ACK])
        timer_set(t, c, TCP_AT_ACK, t->limits.delayed_ack_ms);
    if (c->rcv_first)
        receive_keep(t, c);
    if (c->state == TCP_TIME_WAIT)
        wait_enter(t, c);
}

void tcp_turn_end(struct tcp *t)
{
    clock_look(t);
    while (t->dirty_first != TCP_NIL) {
        struct tcp_conn *c = &t->conn[t->dirty_first];
        t->dirty_first = c->next_dirty;
        c->bits &= ~CONN_DIRTY;
        conn_turn_end(t, c);
    }
}
