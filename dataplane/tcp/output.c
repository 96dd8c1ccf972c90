/* SPDX-License-Identifier: BSD-2-Clause */
/* What leaves, and when: first what was lost, then what is new, within both windows; an ACK where nothing
 * carries it (RFC 9293 sections 3.7.4, 3.8.6). */
#include "tcp/state.h"

/* The window to tell, as it stands in a header; what was told once is kept (section 3.8.6.2.2). */
static uint16_t window_field(const struct tcp *t, struct tcp_conn *c)
{
    uint32_t edge = receive_edge(t, c);
    uint32_t field = (edge - c->rcv_nxt + (1u << c->rcv_scale) - 1) >> c->rcv_scale;
    if (field > UINT16_MAX)
        field = UINT16_MAX;
    c->rcv_adv = seq_max(c->rcv_adv, c->rcv_nxt + (field << c->rcv_scale));
    return (uint16_t)field;
}

static void header(struct tcp *t, struct tcp_conn *c, struct tcp_out *o, uint32_t seq, uint8_t flags)
{
    o->key = &c->key;
    o->hint = &c->hint;
    o->seq = seq;
    o->ack = c->rcv_nxt;
    o->wnd = window_field(t, c);
    o->flags = flags;
    o->fenced = c->bits & CONN_FENCED;
    o->options = 0;
    if (c->bits & CONN_TS) {
        tcp_options_ts(o->option, ts_now(t, c->ts_offset), c->ts_recent);
        o->options = TCP_OPTIONS_TS;
    }
    if (unlikely(c->reassembly && c->bits & CONN_SACK)) {
        struct tcp_range r[TCP_SACKS_SENT];
        unsigned n = reassembly_ranges(t, c, r, TCP_SACKS_SENT);
        o->options = (uint8_t)(o->options + tcp_options_sack(o->option + o->options, r, n));
    }
}

/* The ACK has left with it. */
static void acked(struct tcp_conn *c)
{
    c->bits &= ~(CONN_ACK_NOW | CONN_ACK_LATER);
    c->ack_sent = c->rcv_nxt;
    timer_clear(c, TCP_AT_ACK);
}

void ack_output(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_out o;
    header(t, c, &o, c->snd_nxt, TCP_ACK);
    if (build_send(t, &o, NULL, 0, 0))
        acked(c);
    else
        timer_set(t, c, TCP_AT_ACK, t->limits.delayed_ack_ms);
}

void syn_output(struct tcp *t, struct tcp_conn *c)
{
    bool answer = c->state == TCP_SYN_RECEIVED;
    struct tcp_options ours = {.mss = mss_ours(t, &c->key),
                               .has = TCP_OPTION_MSS | TCP_OPTION_SCALE | TCP_OPTION_SACK_OK | TCP_OPTION_TS,
                               .scale = t->limits.scale,
                               .ts_val = ts_now(t, c->ts_offset)};
    if (answer) {
        ours.has = (uint8_t)((c->bits & CONN_TS ? TCP_OPTION_TS : 0) |
                             (c->bits & CONN_SCALE ? TCP_OPTION_SCALE : 0) |
                             (c->bits & CONN_SACK ? TCP_OPTION_SACK_OK : 0));
        ours.ts_ecr = c->ts_recent;
    }
    struct tcp_out o = {.key = &c->key,
                        .hint = &c->hint,
                        .seq = c->snd_una,
                        .ack = answer ? c->rcv_nxt : 0,
                        .wnd = (uint16_t)(t->limits.window > UINT16_MAX ? UINT16_MAX : t->limits.window),
                        .flags = answer ? TCP_SYN | TCP_ACK : TCP_SYN,
                        .fenced = c->bits & CONN_FENCED};
    o.options = (uint8_t)tcp_options_syn(o.option, &ours);
    build_send(t, &o, NULL, 0, 0);
}

/* Where an octet of the send buffer is. */
static struct tcp_chunk *chunk_at(const struct tcp_conn *c, uint32_t seq, uint32_t *skip)
{
    struct tcp_chunk *chunk = c->snd_first;
    uint32_t offset = seq - c->snd_una;
    while (chunk && offset >= chunk->to - chunk->from && chunk->next) {
        offset -= chunk->to - chunk->from;
        chunk = chunk->next;
    }
    *skip = offset;
    return chunk;
}

static bool data_output(struct tcp *t, struct tcp_conn *c, uint32_t seq, uint32_t len, uint8_t flags)
{
    struct tcp_out o;
    uint32_t skip;
    const struct tcp_chunk *chunk = chunk_at(c, seq, &skip);
    header(t, c, &o, seq, flags);
    if (!build_send(t, &o, chunk, skip, len))
        return false;
    acked(c);
    c->sent_ms = tcp_ms(t);
    return true;
}

bool segment_new(struct tcp *t, struct tcp_conn *c, uint32_t len, bool fin)
{
    uint32_t seq = c->snd_nxt;
    bool last = seq + len == c->snd_una + c->queued;
    uint8_t flags = (uint8_t)(TCP_ACK | (last && len ? TCP_PSH : 0) | (fin ? TCP_FIN : 0));
    if (!flight_room(t, c))
        return false;
    if (!data_output(t, c, seq, len, flags)) {
        if (!c->flight->n)
            flight_drop(t, c);
        return false;
    }
    if (c->snd_nxt == c->snd_una)
        c->stuck_ms = tcp_ms(t) | 1;
    flight_add(t, c, seq, len + fin);
    c->snd_nxt = seq + len + fin;
    c->bits &= ~CONN_PROBED;
    if (!fin)
        return true;
    c->bits |= CONN_FIN_SENT;
    c->state = c->state == TCP_CLOSE_WAIT ? TCP_LAST_ACK : TCP_FIN_WAIT_1;
    return true;
}

bool segment_again(struct tcp *t, struct tcp_conn *c, struct tcp_sent *s)
{
    uint32_t payload = conn_payload(c);
    bool fin = c->bits & CONN_FIN_SENT && s->seq + s->len == c->snd_nxt;
    if (unlikely((uint32_t)s->len - fin > payload)) { /* the path has become narrower */
        uint32_t at = (uint32_t)(s - (c->flight->s + c->flight->first));
        if (!flight_room(t, c))
            return false;
        s = &c->flight->s[c->flight->first + at];
        flight_split(c->flight, s, payload);
        fin = false;
    }
    uint32_t len = s->len - fin;
    bool last = s->seq + len == c->snd_una + c->queued;
    if (!data_output(t, c, s->seq, len,
                     (uint8_t)(TCP_ACK | (last && len ? TCP_PSH : 0) | (fin ? TCP_FIN : 0))))
        return false;
    flight_resent(t, c, s);
    c->retransmits++;
    ctx_count(t->ctx, HG_C_tcp_retransmits);
    return true;
}

/* false: the congestion window holds it back. */
static bool lost_output(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_sent *s;
    while (c->flight && (s = flight_lost(c->flight)) != NULL) {
        uint32_t pipe = conn_pipe(c), len = s->len < conn_payload(c) ? s->len : conn_payload(c);
        if (pipe && pipe + len > c->cwnd) {
            c->bits |= CONN_LIMITED;
            return false;
        }
        if (!segment_again(t, c, s))
            return false;
    }
    return true;
}

static void idle_restart(const struct tcp *t, struct tcp_conn *c)
{
    uint32_t restart = 10u * c->mss;
    if (c->cwnd > restart && tcp_ms(t) - c->sent_ms > rto_plain_ms(t, c)) /* RFC 5681 section 4.1 */
        c->cwnd = restart;
}

uint32_t conn_unsent(const struct tcp_conn *c)
{
    return c->bits & CONN_FIN_SENT ? 0 : c->snd_una + c->queued - c->snd_nxt;
}

/* What the peer's window leaves; a window that was drawn back leaves nothing. */
uint32_t conn_window(const struct tcp_conn *c)
{
    uint32_t edge = c->snd_una + c->snd_wnd;
    return seq_gt(edge, c->snd_nxt) ? edge - c->snd_nxt : 0;
}

/* RFC 9293 section 3.8.6.2.1, the data being pushed: a small segment leaves when it is all there is, or half
 * of the largest window ever seen; else the persist timer is its override. */
static bool worth_sending(const struct tcp_conn *c, uint32_t len, uint32_t unsent)
{
    return len == unsent || len >= conn_payload(c) || len >= c->snd_wnd_max / 2;
}

static void new_output(struct tcp *t, struct tcp_conn *c)
{
    uint32_t unsent;
    while ((unsent = conn_unsent(c)) != 0) {
        uint32_t window = conn_window(c), payload = conn_payload(c);
        uint32_t len = unsent < payload ? unsent : payload, pipe = conn_pipe(c);
        if (len > window)
            len = window;
        if (!len || !worth_sending(c, len, unsent))
            return;
        if (pipe && pipe + len > c->cwnd) {
            c->bits |= CONN_LIMITED;
            return;
        }
        if (!segment_new(t, c, len, c->bits & CONN_FIN_WANTED && len == unsent))
            return;
    }
    c->bits &= ~CONN_LIMITED;
}

void conn_output(struct tcp *t, struct tcp_conn *c)
{
    bool sends = c->state >= TCP_ESTABLISHED && c->state <= TCP_LAST_ACK && c->state != TCP_FIN_WAIT_2;
    if (sends) {
        if (!c->flight && conn_unsent(c))
            idle_restart(t, c);
        if (!c->flight || !c->flight->lost || lost_output(t, c))
            new_output(t, c);
        if ((c->bits & (CONN_FIN_WANTED | CONN_FIN_SENT)) == CONN_FIN_WANTED && !conn_unsent(c))
            segment_new(t, c, 0, true);
        timer_send_set(t, c, false);
    }
    if (c->bits & CONN_ACK_NOW)
        ack_output(t, c);
}

void probe_output(struct tcp *t, struct tcp_conn *c, bool data)
{
    struct tcp_out o;
    uint32_t skip = 0;
    const struct tcp_chunk *chunk = data ? chunk_at(c, c->snd_nxt, &skip) : NULL;
    header(t, c, &o, data ? c->snd_nxt : c->snd_nxt - 1, TCP_ACK);
    ctx_count(t->ctx, HG_C_tcp_probes);
    build_send(t, &o, chunk, skip, data ? 1 : 0);
    if (data)
        c->bits |= CONN_PROBED;
}
