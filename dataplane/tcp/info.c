/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is there: for hgctl and tests. */
#include "tcp/state.h"

const char *tcp_state_text(enum tcp_state state)
{
    static const char *const text[] = {"closed",     "syn-sent",   "syn-received", "established",
                                       "close-wait", "fin-wait-1", "fin-wait-2",   "closing",
                                       "last-ack",   "time-wait"};
    return (unsigned)state < sizeof(text) / sizeof(text[0]) ? text[state] : "unknown";
}

const char *tcp_reason_text(enum tcp_reason reason)
{
    static const char *const text[] = {"none",      "reset",   "refused", "timeout",  "unreachable",
                                       "keepalive", "stalled", "memory",  "protocol", "local"};
    return (unsigned)reason < sizeof(text) / sizeof(text[0]) ? text[reason] : "unknown";
}

static void fill(const struct tcp *t, const struct tcp_conn *c, struct tcp_info *out)
{
    *out = (struct tcp_info){
        .id = conn_id(t, c),
        .local = {.ip = c->key.local, .port = c->key.local_port, .proto = HG_TCP},
        .remote = {.ip = c->key.remote, .port = c->key.remote_port, .proto = HG_TCP},
        .cookie = c->cookie,
        .listener = c->listener,
        .state = c->state,
        .orphan = c->bits & CONN_ORPHAN,
        .mss = c->mss,
        .srtt_us = c->srtt_us,
        .rto_ms = rto_ms(t, c),
        .cwnd = c->cwnd,
        .ssthresh = c->ssthresh,
        .peer_window = c->snd_wnd,
        .bytes_in = c->bytes_in,
        .bytes_out = c->bytes_out,
        .retransmits = c->retransmits,
        .unacked = c->queued,
        .unread = c->readable,
        .age_ms = tcp_ms(t) - c->opened_ms,
        .idle_ms = tcp_ms(t) - c->last_ms,
    };
}

bool tcp_info(const struct tcp *t, tcp_id id, struct tcp_info *out)
{
    const struct tcp_conn *c = conn_of(t, id);
    if (c)
        fill(t, c, out);
    return c != NULL;
}

bool tcp_walk(const struct tcp *t, uint32_t *at, uint32_t look, struct tcp_info *out, unsigned max,
              unsigned *found)
{
    *found = 0;
    for (; *at < t->conn_fresh && look && *found < max; (*at)++, look--)
        if (t->conn[*at].generation & 1)
            fill(t, &t->conn[*at], &out[(*found)++]);
    return *at < t->conn_fresh;
}
