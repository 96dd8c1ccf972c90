/* SPDX-License-Identifier: BSD-2-Clause */
/* The send buffer: what the upper wrote, copied into sized slabs until it is acknowledged. */
#include "tcp/state.h"

#define CHUNK_HEAD (uint32_t)sizeof(struct tcp_chunk)

/* As large as the class that len falls into (lib/slab.h). */
static uint32_t class_of(uint32_t len)
{
    static const uint32_t size[] = {512, 1024, 2048, 4096, 16384};
    for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++)
        if (len + CHUNK_HEAD <= size[i])
            return size[i];
    return SIZED_MAX;
}

struct tcp_chunk *chunk_new(struct sized_slabs *memory, uint32_t len)
{
    uint32_t bytes = class_of(len);
    struct tcp_chunk *chunk = sized_get(memory, bytes);
    if (!chunk)
        return NULL;
    chunk->next = NULL;
    chunk->from = chunk->to = 0;
    chunk->cap = bytes - CHUNK_HEAD;
    return chunk;
}

/* A connection that has much queued gets larger pieces: fewer to walk. */
static struct tcp_chunk *chunk_append(struct tcp *t, struct tcp_conn *c, uint32_t len)
{
    uint32_t want = len > c->queued ? len : c->queued;
    struct tcp_chunk *chunk =
        chunk_new(&t->send_memory, want < 16384 - CHUNK_HEAD ? want : 16384 - CHUNK_HEAD);
    if (!chunk)
        return NULL;
    if (c->snd_last)
        c->snd_last->next = chunk;
    else
        c->snd_first = chunk;
    return c->snd_last = chunk;
}

static uint32_t write_one(struct tcp *t, struct tcp_conn *c, const char *p, uint32_t len)
{
    uint32_t done = 0;
    while (done < len) {
        struct tcp_chunk *chunk = c->snd_last;
        if ((!chunk || chunk->to == chunk->cap) && !(chunk = chunk_append(t, c, len - done)))
            break;
        uint32_t room = chunk->cap - chunk->to, n = len - done < room ? len - done : room;
        memcpy(chunk->data + chunk->to, p + done, n);
        chunk->to += n;
        c->queued += n;
        done += n;
    }
    return done;
}

static bool writes(const struct tcp_conn *c)
{
    return (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT || c->state == TCP_SYN_SENT ||
            c->state == TCP_SYN_RECEIVED) &&
           !(c->bits & CONN_FIN_WANTED);
}

static uint32_t room(const struct tcp *t, const struct tcp_conn *c)
{
    return writes(c) && c->queued < t->limits.send_buffer ? t->limits.send_buffer - c->queued : 0;
}

uint32_t tcp_room(const struct tcp *t, tcp_id id)
{
    const struct tcp_conn *c = conn_of(t, id);
    return c ? room(t, c) : 0;
}

uint32_t tcp_unacked(const struct tcp *t, tcp_id id)
{
    const struct tcp_conn *c = conn_of(t, id);
    return c ? c->queued : 0;
}

uint32_t tcp_write(struct tcp *t, tcp_id id, const struct slice *in, unsigned n)
{
    struct tcp_conn *c = conn_of(t, id);
    uint32_t total = 0;
    if (!c || !writes(c))
        return 0;
    for (unsigned i = 0; i < n; i++) {
        uint32_t left = room(t, c), len = in[i].len < left ? in[i].len : left;
        uint32_t took = write_one(t, c, in[i].p, len);
        total += took;
        if (took == in[i].len)
            continue;
        c->bits |= CONN_WANT_ROOM;
        if (took < len) {
            ctx_count(t->ctx, HG_C_tcp_send_memory_short);
            if (!c->queued) /* no ACK will come to tell of room */
                timer_set(t, c, TCP_AT_ROOM, TCP_ROOM_MS);
        }
        break;
    }
    conn_dirty(t, c);
    return total;
}

void tcp_flush(struct tcp *t, tcp_id id)
{
    struct tcp_conn *c = conn_of(t, id);
    if (c && conn_open(c)) {
        clock_look(t);
        conn_output(t, c);
    }
}

void send_release(struct tcp *t, struct tcp_conn *c, uint32_t octets)
{
    c->queued -= octets;
    while (octets) {
        struct tcp_chunk *chunk = c->snd_first;
        uint32_t here = chunk->to - chunk->from;
        if (here > octets) {
            chunk->from += octets;
            break;
        }
        octets -= here;
        c->snd_first = chunk->next;
        sized_put(&t->send_memory, chunk);
    }
    if (!c->snd_first)
        c->snd_last = NULL;
    send_room(t, c);
}

void send_room(struct tcp *t, struct tcp_conn *c)
{
    if (!(c->bits & CONN_WANT_ROOM) || c->queued > t->limits.send_buffer / 2)
        return;
    c->bits &= ~CONN_WANT_ROOM;
    conn_event(t, c, TCP_EVENT_WRITABLE);
}

void tcp_want_writable(struct tcp *t, tcp_id id)
{
    struct tcp_conn *c = conn_of(t, id);
    if (!c || !writes(c))
        return;
    c->bits |= CONN_WANT_ROOM;
    send_room(t, c);
}

void send_free(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_chunk *chunk = c->snd_first;
    while (chunk) {
        struct tcp_chunk *next = chunk->next;
        sized_put(&t->send_memory, chunk);
        chunk = next;
    }
    c->snd_first = c->snd_last = NULL;
    c->queued = 0;
}
