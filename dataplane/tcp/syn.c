/* SPDX-License-Identifier: BSD-2-Clause */
/* Passive opens: a SYN makes a small entry, or nothing at all while there are many (cookie.c); the third
 * segment makes a connection. */
#include "tcp/state.h"

#define COOKIE_LIFE_MS 128000 /* two ticks of cookie.c */

static uint16_t initial_window(const struct tcp *t)
{
    return (uint16_t)(t->limits.window > UINT16_MAX ? UINT16_MAX : t->limits.window);
}

/* What both sides have of what the peer offers. */
static uint8_t agreed(const struct tcp_options *o)
{
    return o->has & (TCP_OPTION_SCALE | TCP_OPTION_SACK_OK | TCP_OPTION_TS);
}

static void syn_ack_send(struct tcp *t, const struct tcp_half *h, uint32_t ts_val)
{
    struct tcp_options ours = {.mss = mss_ours(t, &h->key),
                               .has = h->has,
                               .scale = t->limits.scale,
                               .ts_val = ts_val,
                               .ts_ecr = h->ts_recent};
    struct tcp_out o = {.key = &h->key,
                        .seq = h->iss,
                        .ack = h->irs + 1,
                        .wnd = initial_window(t),
                        .flags = TCP_SYN | TCP_ACK,
                        .fenced = h->fenced};
    o.options = (uint8_t)tcp_options_syn(o.option, &ours);
    build_send(t, &o, NULL, 0, 0);
}

void half_free(struct tcp *t, struct tcp_half *h)
{
    wheel_cancel(t->ctx->wheel, &h->timer);
    tcp_table_remove(&t->table, tcp_hash(t, &h->key), TCP_VALUE(TCP_KIND_HALF, slab_index(t->halves, h)));
    slab_put(t->halves, h);
}

static unsigned syn_refused(struct tcp *t, const struct tcp_rx *rx, const struct tcp_listener *l)
{
    if (l->options.connections_max && l->connections >= l->options.connections_max)
        return HG_DROP_tcp_listener_full;
    if (t->conns >= t->limits.connections)
        return HG_DROP_tcp_connections_full;
    if (source_full(t, &rx->key.remote))
        return HG_DROP_tcp_source_full;
    return RX_GO_ON;
}

static void half_fill(struct tcp *t, struct tcp_half *h, const struct tcp_rx *rx,
                      const struct tcp_listener *l)
{
    memset(h, 0, sizeof(*h));
    h->key = rx->key;
    h->irs = rx->seq;
    h->wnd = rx->wnd;
    h->mss = mss_towards(&rx->o, &rx->key, mss_ours(t, &rx->key));
    h->has = agreed(&rx->o);
    h->scale = rx->o.scale;
    h->ts_recent = rx->o.has & TCP_OPTION_TS ? rx->o.ts_val : 0;
    h->slot = (uint8_t)(l - t->listener);
    h->fenced = l->options.fenced;
    isn_make(t, &h->key, &h->iss, &h->ts_offset);
}

/* Nothing is kept: all that matters comes back with the ACK (RFC 4987 section 3.6). */
static unsigned syn_cookie(struct tcp *t, struct tcp_rx *rx, struct tcp_half *h)
{
    uint16_t mss = h->mss;
    if (!(h->has & TCP_OPTION_TS)) /* nothing but the sequence number comes back */
        h->has = 0;
    t->cookies_until_ms = t->ctx->ms + COOKIE_LIFE_MS;
    h->iss = cookie_make(t, rx, &mss);
    ctx_count(t->ctx, HG_C_tcp_cookies_sent);
    syn_ack_send(t, h, cookie_ts(ts_now(t, h->ts_offset), &rx->o));
    return HG_C_tcp_opening;
}

unsigned syn_input(struct tcp *t, struct tcp_rx *rx, struct tcp_listener *l, uint32_t iss_above)
{
    struct tcp_half made, *h;
    unsigned refused = syn_refused(t, rx, l);
    if (refused != RX_GO_ON)
        return refused;
    half_fill(t, &made, rx, l);
    if (iss_above && !seq_gt(made.iss, iss_above)) /* RFC 9293 section 3.6.1: above the one in TIME-WAIT */
        made.iss = iss_above + 1 + (uint32_t)(ctx_random(t->ctx) & 0xffff);
    if (slab_used(t->halves) >= slab_max(t->halves) - slab_max(t->halves) / 4)
        return syn_cookie(t, rx, &made);
    h = slab_get(t->halves);
    if (!h)
        return syn_cookie(t, rx, &made);
    *h = made;
    h->timer.kind = WHEEL_KIND(WHEEL_TCP, TCP_TIMER_HALF);
    if (!tcp_table_add(&t->table, rx->hash, TCP_VALUE(TCP_KIND_HALF, slab_index(t->halves, h)))) {
        slab_put(t->halves, h);
        return HG_DROP_tcp_connections_full;
    }
    wheel_arm(t->ctx->wheel, &h->timer, t->ctx->ms + TCP_RTO_FIRST_MS);
    syn_ack_send(t, h, ts_now(t, h->ts_offset));
    return HG_C_tcp_opening;
}

void half_timer(struct tcp *t, struct tcp_half *h)
{
    if (++h->tries > t->limits.syn_retries) {
        ctx_count(t->ctx, HG_C_tcp_half_open_timeouts);
        half_free(t, h);
        return;
    }
    ctx_count(t->ctx, HG_C_tcp_retransmits);
    wheel_arm(t->ctx->wheel, &h->timer, t->ctx->ms + ((uint64_t)TCP_RTO_FIRST_MS << h->tries));
    syn_ack_send(t, h, ts_now(t, h->ts_offset));
}

static void half_ack(struct tcp *t, const struct tcp_half *h)
{
    struct tcp_out o = {.key = &h->key,
                        .seq = h->iss + 1,
                        .ack = h->irs + 1,
                        .wnd = initial_window(t),
                        .flags = TCP_ACK,
                        .fenced = h->fenced};
    if (h->has & TCP_OPTION_TS) {
        tcp_options_ts(o.option, ts_now(t, h->ts_offset), h->ts_recent);
        o.options = TCP_OPTIONS_TS;
    }
    build_send(t, &o, NULL, 0, 0);
}

/* SYN-RECEIVED of a passive open, in the order of RFC 9293 section 3.10.7.4. */
unsigned half_input(struct tcp *t, struct tcp_rx *rx, struct tcp_half *h)
{
    uint32_t offset = rx->seq - (h->irs + 1);
    unsigned why;
    if (rx->flags & TCP_SYN && rx->seq == h->irs && !(rx->flags & (TCP_ACK | TCP_RST))) {
        syn_ack_send(t, h, ts_now(t, h->ts_offset)); /* ours was lost */
        return HG_C_tcp_opening;
    }
    if (h->has & TCP_OPTION_TS && rx->o.has & TCP_OPTION_TS && seq_lt(rx->o.ts_val, h->ts_recent) &&
        !(rx->flags & TCP_RST)) {
        half_ack(t, h);
        return HG_DROP_tcp_paws;
    }
    if (offset >= initial_window(t)) {
        if (!(rx->flags & TCP_RST))
            half_ack(t, h);
        return HG_DROP_tcp_out_of_window;
    }
    if (rx->flags & TCP_RST) {
        if (offset != 0) { /* RFC 5961 section 3.2 */
            half_ack(t, h);
            return HG_DROP_tcp_challenged;
        }
        half_free(t, h);
        return HG_C_tcp_opening;
    }
    if (rx->flags & TCP_SYN) { /* the peer begins anew: back to LISTEN */
        half_free(t, h);
        return HG_C_tcp_opening;
    }
    if (!(rx->flags & TCP_ACK))
        return HG_DROP_tcp_stray;
    if (rx->ack != h->iss + 1)
        return reset_answer(t, rx, HG_DROP_tcp_bad_ack);
    struct tcp_half last = *h;
    half_free(t, h);
    struct tcp_conn *c = syn_accept(t, rx, &last, &why);
    return c ? segment_input(t, rx, c) : why;
}

struct tcp_conn *syn_accept(struct tcp *t, const struct tcp_rx *rx, const struct tcp_half *h, unsigned *why)
{
    struct tcp_listener *l = &t->listener[h->slot];
    struct tcp_options o = {.has = h->has, .scale = h->scale, .ts_val = h->ts_recent};
    *why = syn_refused(t, rx, l);
    if (*why == RX_GO_ON && (!l->used || l->ep.port != h->key.local_port))
        *why = HG_C_tcp_refused;
    struct tcp_conn *c = *why == RX_GO_ON ? conn_new(t, &h->key) : NULL;
    if (c && (!conn_attach(t, c, rx->hash) || !source_add(t, &h->key.remote))) {
        conn_detach(t, c);
        conn_free(t, c);
        c = NULL;
        *why = HG_DROP_tcp_connections_full;
    }
    if (!c) {
        reset_send(t, &h->key, h->iss + 1, h->irs + 1, true, h->fenced);
        return NULL;
    }
    c->bits |= CONN_COUNTED | (h->fenced ? CONN_FENCED : 0);
    c->state = TCP_ESTABLISHED;
    c->slot = h->slot;
    c->listener = l->name;
    l->connections++;
    c->mss = h->mss;
    conn_options(t, c, &o);
    c->ts_offset = h->ts_offset;
    c->snd_una = c->snd_nxt = h->iss + 1;
    c->rcv_nxt = c->ack_sent = h->irs + 1;
    c->rcv_adv = c->rcv_nxt + initial_window(t);
    c->snd_wl1 = h->irs;
    c->snd_wl2 = h->iss + 1;
    c->snd_wnd = c->snd_wnd_max = h->wnd; /* of a SYN: never scaled */
    cubic_start(c);
    if (c->bits & CONN_TS && rx->o.has & TCP_OPTION_TS && !h->tries && rx->o.ts_ecr)
        rtt_sample(c, (ts_now(t, c->ts_offset) - rx->o.ts_ecr) * 1000);
    ctx_count(t->ctx, HG_C_tcp_accepted);
    timer_idle_set(t, c);
    conn_event(t, c, TCP_EVENT_ACCEPTED);
    return c;
}
