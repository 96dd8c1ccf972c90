/* SPDX-License-Identifier: BSD-2-Clause */
/* An application on each side: it accepts, reads what comes and compares it with the pattern, writes the
 * pattern as there is room, and closes as the case says. */
#include <string.h>

#include "two_impl.h"

#define PATTERN 65536 /* longer than any one write */

uint8_t sock_pattern(uint64_t at)
{
    return (uint8_t)(at * 7 + (at >> 8) * 13 + (at >> 16));
}

static struct sock *sock_new(struct two *w, enum side side, tcp_id id)
{
    REQUIRE(w->nsocks < TWO_SOCKS);
    struct sock *s = &w->sock[w->nsocks++];
    *s = (struct sock){.two = w, .side = side, .id = id, .used = true, .listener = TCP_LISTENER_NONE};
    return s;
}

static struct tcp *tcp_of(const struct sock *s)
{
    return s->two->end[s->side].tcp;
}

void sock_listen(struct two *w, enum side side, uint16_t port, uint16_t listener)
{
    static const struct tcp_listen_options options;
    struct hg_endpoint ep = two_at(w, side, port);
    REQUIRE(tcp_listen(w->end[side].tcp, &ep, listener, &options));
}

struct sock *sock_connect(struct two *w, enum side side, uint16_t local_port, uint16_t port)
{
    struct hg_endpoint local = two_at(w, side, local_port), remote = two_at(w, !side, port);
    tcp_id id = tcp_connect(w->end[side].tcp, &local, &remote, w->nsocks + 1);
    if (!id)
        return NULL;
    struct sock *s = sock_new(w, side, id);
    two_turn(w, side);
    return s;
}

struct sock *sock_accepted(struct two *w, enum side side)
{
    for (unsigned i = w->nsocks; i-- > 0;)
        if (w->sock[i].side == side && w->sock[i].listener != TCP_LISTENER_NONE)
            return &w->sock[i];
    return NULL;
}

void sock_pair(struct two *w, enum side client, struct sock **of_client, struct sock **of_server)
{
    if (!w->paired)
        sock_listen(w, !client, 5060, 1);
    w->paired = true;
    *of_client = sock_connect(w, client, 0, 5060);
    TWO_CHECK(w, *of_client != NULL);
    two_run(w,
            8 * (w->link[A].delay_us + w->link[B].delay_us) / 1000 + 10); /* the neighbours are asked first */
    *of_server = sock_accepted(w, !client);
    TWO_CHECK(w, *of_server != NULL && (*of_client)->bits & TCP_EVENT_CONNECTED);
    wire_forget(w);
}

static void sock_write(struct sock *s)
{
    static uint8_t pattern[PATTERN];
    while (s->sent < s->to_send && !s->closed) {
        uint64_t left = s->to_send - s->sent;
        uint32_t n = left < PATTERN ? (uint32_t)left : PATTERN;
        for (uint32_t i = 0; i < n; i++)
            pattern[i] = sock_pattern(s->sent + i);
        uint32_t took = tcp_write(tcp_of(s), s->id, &(struct slice){(const char *)pattern, n}, 1);
        s->sent += took;
        if (took < n)
            return;
    }
    if (s->shut_when_sent && !s->closed) {
        s->shut_when_sent = false;
        tcp_shutdown(tcp_of(s), s->id);
    }
}

void sock_send(struct sock *s, uint64_t n)
{
    s->to_send += n;
    sock_write(s);
    two_turn(s->two, s->side);
}

static void sock_read(struct sock *s)
{
    struct slice in[16];
    unsigned n;
    while (!s->paused && !s->closed && (n = tcp_peek(tcp_of(s), s->id, in, 16)) > 0) {
        uint32_t total = 0;
        for (unsigned i = 0; i < n; i++)
            for (uint32_t k = 0; k < in[i].len; k++, total++)
                s->bad |= (uint8_t)in[i].p[k] != sock_pattern(s->received + total);
        if (s->echo) {
            total = tcp_write(tcp_of(s), s->id, in, n);
            s->sent += total;
            s->to_send += total;
        }
        s->received += total;
        tcp_consume(tcp_of(s), s->id, total);
        if (total == 0)
            return;
    }
}

void sock_pause(struct sock *s, bool paused)
{
    s->paused = paused;
    sock_read(s);
    two_turn(s->two, s->side);
}

static void sock_event(struct two *w, enum side side, const struct tcp_event *e)
{
    struct sock *s;
    if (e->bits & TCP_EVENT_ACCEPTED) {
        s = sock_new(w, side, e->id);
        s->listener = e->listener;
        tcp_set_cookie(w->end[side].tcp, e->id, w->nsocks);
    } else {
        REQUIRE(e->cookie > 0 && e->cookie <= w->nsocks);
        s = &w->sock[e->cookie - 1];
        REQUIRE(s->id == e->id && s->side == side);
    }
    TWO_CHECK(w, !s->closed);
    s->bits |= e->bits;
    if (e->bits & TCP_EVENT_FAILED)
        s->reason = e->reason;
    if (e->bits & TCP_EVENT_CLOSED)
        s->closed = true;
    sock_read(s);
    sock_write(s);
    if (s->close_when_done && !s->closed && s->sent == s->to_send && s->bits & TCP_EVENT_PEER_CLOSED) {
        tcp_close(w->end[side].tcp, s->id);
        s->closed = true;
    }
}

void socks_turn(struct two *w, enum side side)
{
    const struct tcp_event *e;
    unsigned n;
    do {
        n = tcp_events(w->end[side].tcp, &e);
        for (unsigned i = 0; i < n; i++)
            sock_event(w, side, &e[i]);
        w->busy |= n > 0;
    } while (n == TCP_EVENTS_MAX);
}
