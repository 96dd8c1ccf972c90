/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection's beginning and end, its place in the table, its events. */
#include "tcp/state.h"

/* Odd generations are in use. */
struct tcp_conn *conn_new(struct tcp *t, const struct tcp_key *key)
{
    struct tcp_conn *c;
    if (t->conn_free != TCP_NIL) {
        c = &t->conn[t->conn_free];
        t->conn_free = c->next_free;
    } else if (t->conn_fresh < t->limits.connections) {
        c = &t->conn[t->conn_fresh++];
    } else {
        return NULL;
    }
    uint32_t generation = c->generation + 1;
    memset(c, 0, sizeof(*c));
    c->generation = generation;
    c->key = *key;
    c->listener = TCP_LISTENER_NONE;
    c->slot = TCP_LISTENERS_MAX;
    c->timer.kind = WHEEL_KIND(WHEEL_TCP, TCP_TIMER_CONN);
    c->opened_ms = c->last_ms = tcp_ms(t);
    t->conns++;
    return c;
}

struct tcp_conn *conn_of(const struct tcp *t, tcp_id id)
{
    uint32_t index = (uint32_t)id;
    if (unlikely(index >= t->conn_fresh))
        return NULL;
    struct tcp_conn *c = &t->conn[index];
    return likely(c->generation == id >> 32 && (c->generation & 1) && !(c->bits & CONN_ORPHAN)) ? c : NULL;
}

bool conn_attach(struct tcp *t, struct tcp_conn *c, uint64_t hash)
{
    if (!tcp_table_add(&t->table, hash, TCP_VALUE(TCP_KIND_CONN, conn_index(t, c))))
        return false;
    c->bits |= CONN_ATTACHED;
    return true;
}

void conn_detach(struct tcp *t, struct tcp_conn *c)
{
    if (c->bits & CONN_ATTACHED)
        tcp_table_remove(&t->table, tcp_hash(t, &c->key), TCP_VALUE(TCP_KIND_CONN, conn_index(t, c)));
    c->bits &= ~CONN_ATTACHED;
}

void conn_dirty(struct tcp *t, struct tcp_conn *c)
{
    if (c->bits & CONN_DIRTY)
        return;
    c->bits |= CONN_DIRTY;
    c->next_dirty = TCP_NIL;
    if (t->dirty_first == TCP_NIL)
        t->dirty_first = conn_index(t, c);
    else
        t->conn[t->dirty_last].next_dirty = conn_index(t, c);
    t->dirty_last = conn_index(t, c);
}

void conn_event(struct tcp *t, struct tcp_conn *c, uint8_t bits)
{
    if (c->bits & CONN_ORPHAN)
        return;
    c->events |= bits;
    if (c->bits & CONN_EVENT)
        return;
    c->bits |= CONN_EVENT;
    c->next_event = TCP_NIL;
    if (t->event_first == TCP_NIL)
        t->event_first = conn_index(t, c);
    else
        t->conn[t->event_last].next_event = conn_index(t, c);
    t->event_last = conn_index(t, c);
}

/* What only a living connection needs. What was received stays for its reader. */
static void conn_stop(struct tcp *t, struct tcp_conn *c)
{
    conn_detach(t, c);
    wheel_cancel(t->ctx->wheel, &c->timer);
    memset(c->at, 0, sizeof(c->at));
    flight_drop(t, c);
    send_free(t, c);
    reassembly_free(t, c);
    if (c->bits & CONN_COUNTED)
        source_remove(t, &c->key.remote);
    if (c->slot < TCP_LISTENERS_MAX)
        t->listener[c->slot].connections--;
    c->slot = TCP_LISTENERS_MAX;
    c->bits &= ~(CONN_COUNTED | CONN_ACK_NOW | CONN_ACK_LATER);
    c->state = TCP_CLOSED;
    conn_dirty(t, c); /* an orphan goes at the end of the turn */
}

void conn_gone(struct tcp *t, struct tcp_conn *c)
{
    if (c->state == TCP_CLOSED)
        return;
    conn_stop(t, c);
    c->bits |= CONN_GONE;
    if (!c->readable)
        conn_event(t, c, TCP_EVENT_CLOSED);
}

void conn_fail(struct tcp *t, struct tcp_conn *c, enum tcp_reason reason, unsigned counter)
{
    if (c->state == TCP_CLOSED)
        return;
    ctx_count(t->ctx, counter);
    c->reason = (uint8_t)reason;
    conn_stop(t, c);
    receive_free(t, c);
    conn_event(t, c, TCP_EVENT_FAILED | TCP_EVENT_CLOSED);
}

/* Nobody holds it: neither the upper nor a list of this turn. */
void conn_free(struct tcp *t, struct tcp_conn *c)
{
    if (c->state != TCP_CLOSED)
        conn_stop(t, c);
    receive_free(t, c);
    if (c->bits & CONN_ORPHAN)
        t->orphans--;
    c->generation++;
    c->next_free = t->conn_free;
    t->conn_free = conn_index(t, c);
    t->conns--;
}

void conn_forget(struct tcp *t, struct tcp_conn *c)
{
    if (!(c->bits & CONN_ORPHAN)) {
        c->bits |= CONN_ORPHAN;
        t->orphans++;
    }
    if (c->state == TCP_CLOSED && !(c->bits & (CONN_DIRTY | CONN_EVENT)))
        conn_free(t, c);
}

unsigned tcp_events(struct tcp *t, const struct tcp_event **events)
{
    unsigned n = 0;
    *events = t->event;
    while (n < TCP_EVENTS_MAX && t->event_first != TCP_NIL) {
        struct tcp_conn *c = &t->conn[t->event_first];
        uint8_t bits = c->events;
        t->event_first = c->next_event;
        c->bits &= ~CONN_EVENT;
        c->events = 0;
        if (bits && !(c->bits & CONN_ORPHAN))
            t->event[n++] = (struct tcp_event){.id = conn_id(t, c),
                                               .cookie = c->cookie,
                                               .listener = c->listener,
                                               .bits = bits,
                                               .reason = c->reason};
        if (c->bits & CONN_ORPHAN || bits & TCP_EVENT_CLOSED)
            conn_forget(t, c);
    }
    return n;
}

void tcp_set_cookie(struct tcp *t, tcp_id id, uint32_t cookie)
{
    struct tcp_conn *c = conn_of(t, id);
    if (c)
        c->cookie = cookie;
}

uint32_t tcp_connections(const struct tcp *t)
{
    return t->conns;
}
