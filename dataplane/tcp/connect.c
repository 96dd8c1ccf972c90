/* SPDX-License-Identifier: BSD-2-Clause */
/* Active opens (RFC 9293 sections 3.10.1 and 3.10.7.3). */
#include "tcp/state.h"

#define PORT_FIRST 32768u
#define PORT_TRIES 8192u

static bool key_taken(struct tcp *t, const struct tcp_key *key)
{
    struct tcp_cursor c = tcp_table_begin(&t->table, tcp_hash(t, key));
    uint32_t v;
    while ((v = tcp_table_next(&t->table, &c)) != 0)
        if (key_eq(table_key(t, v), key))
            return true;
    return false;
}

/* RFC 6056 section 3.3.3: where to begin is a keyed hash of the destination, so that nobody else can tell
 * what comes next; of those ports the first whose answers come to this core. */
static bool port_choose(struct tcp *t, struct tcp_key *key)
{
    struct hg_endpoint remote = {.ip = key->remote, .port = key->remote_port};
    struct hg_endpoint local = {.ip = key->local};
    key->local_port = 0;
    uint32_t begin = (uint32_t)hg_siphash64(&t->isn, key, sizeof(*key)) + t->port_next;
    for (uint32_t i = 0; i < PORT_TRIES; i++) {
        local.port = (uint16_t)(PORT_FIRST + (begin + i) % (65536 - PORT_FIRST));
        key->local_port = local.port;
        if (!flow_comes_home(t->ctx, &local, &remote) || key_taken(t, key))
            continue;
        t->port_next += i + 1;
        return true;
    }
    return false;
}

static bool is_set(const struct hg_ip *ip)
{
    static const struct hg_ip zero;
    return !hg_ip_eq(ip, &zero) && !(hg_ip_is4(ip) && hg_ip_to4(ip) == 0);
}

static unsigned key_fill(struct tcp *t, const struct hg_endpoint *local, const struct hg_endpoint *remote,
                         struct tcp_key *key)
{
    struct net_path path;
    *key = (struct tcp_key){
        .local = local->ip, .remote = remote->ip, .local_port = local->port, .remote_port = remote->port};
    if (!net_path_find(t->net, &remote->ip, &path))
        return HG_C_tcp_connect_no_route;
    if (!is_set(&key->local))
        key->local = path.src;
    if (hg_ip_is4(&key->local) != hg_ip_is4(&key->remote) || !is_set(&key->local) || !key->remote_port)
        return HG_C_tcp_connect_no_route;
    if (key->local_port ? key_taken(t, key) : !port_choose(t, key))
        return HG_C_tcp_connect_no_port;
    return RX_GO_ON;
}

tcp_id tcp_connect(struct tcp *t, const struct hg_endpoint *local, const struct hg_endpoint *remote,
                   uint32_t cookie)
{
    struct tcp_key key;
    clock_look(t);
    unsigned why = key_fill(t, local, remote, &key);
    struct tcp_conn *c = why == RX_GO_ON ? conn_new(t, &key) : NULL;
    if (c && !conn_attach(t, c, tcp_hash(t, &key))) {
        conn_free(t, c);
        c = NULL;
    }
    if (!c) {
        ctx_count(t->ctx, why == RX_GO_ON ? HG_C_tcp_connect_full : why);
        return 0;
    }
    uint32_t iss;
    isn_make(t, &key, &iss, &c->ts_offset);
    c->state = TCP_SYN_SENT;
    c->bits |= CONN_ACTIVE;
    c->cookie = cookie;
    c->snd_una = iss;
    c->snd_nxt = iss + 1;
    c->mss = mss_ours(t, &key);
    ctx_count(t->ctx, HG_C_tcp_connects);
    syn_output(t, c);
    timer_set(t, c, TCP_AT_SEND, TCP_RTO_FIRST_MS);
    return conn_id(t, c);
}

void connect_timer(struct tcp *t, struct tcp_conn *c)
{
    if (++c->backoff > t->limits.syn_retries) {
        conn_fail(t, c, TCP_REASON_TIMEOUT, HG_C_tcp_connect_timeouts);
        return;
    }
    ctx_count(t->ctx, HG_C_tcp_retransmits);
    c->retransmits++;
    syn_output(t, c);
    timer_set(t, c, TCP_AT_SEND, TCP_RTO_FIRST_MS << c->backoff);
}

/* What an established connection starts with, the peer's SYN being rx. */
static void synchronised(struct tcp *t, struct tcp_conn *c, const struct tcp_rx *rx)
{
    c->rcv_nxt = c->ack_sent = rx->seq + 1;
    c->rcv_adv = c->rcv_nxt + (t->limits.window > UINT16_MAX ? UINT16_MAX : t->limits.window);
    c->mss = mss_towards(&rx->o, &c->key, c->mss);
    conn_options(t, c, &rx->o);
    c->snd_wnd = c->snd_wnd_max = rx->wnd; /* of a SYN: never scaled */
    c->snd_wl1 = rx->seq;
    c->snd_wl2 = rx->ack;
    cubic_start(c);
}

static void connected(struct tcp *t, struct tcp_conn *c, const struct tcp_rx *rx)
{
    c->snd_una = rx->ack;
    c->state = TCP_ESTABLISHED;
    timer_clear(c, TCP_AT_SEND);
    if (c->bits & CONN_TS && rx->o.ts_ecr && !c->backoff)
        rtt_sample(c, (ts_now(t, c->ts_offset) - rx->o.ts_ecr) * 1000);
    if (c->backoff) /* RFC 6298 section 5.7: the first guess was too small */
        c->cwnd = c->mss;
    c->backoff = 0;
    ctx_count(t->ctx, HG_C_tcp_connected);
    timer_idle_set(t, c);
    conn_event(t, c, TCP_EVENT_CONNECTED);
    conn_dirty(t, c);
}

unsigned syn_sent_input(struct tcp *t, struct tcp_rx *rx, struct tcp_conn *c)
{
    bool ack = rx->flags & TCP_ACK;
    if (ack && rx->ack != c->snd_nxt) {
        if (rx->flags & TCP_RST)
            return HG_DROP_tcp_stray_reset;
        return reset_answer(t, rx, HG_DROP_tcp_bad_ack);
    }
    if (rx->flags & TCP_RST) {
        if (!ack)
            return HG_DROP_tcp_stray_reset;
        conn_fail(t, c, TCP_REASON_REFUSED, HG_C_tcp_connect_refused);
        return HG_C_tcp_taken;
    }
    if (!(rx->flags & TCP_SYN))
        return HG_DROP_tcp_stray;
    synchronised(t, c, rx);
    if (!ack) { /* both have called (RFC 9293 figure 7): our SYN once more, as an answer */
        c->state = TCP_SYN_RECEIVED;
        syn_output(t, c);
        return HG_C_tcp_taken;
    }
    connected(t, c, rx);
    c->bits |= CONN_ACK_NOW;
    if (!rx->len && !(rx->flags & TCP_FIN))
        return HG_C_tcp_taken;
    rx->flags &= (uint8_t)~TCP_SYN; /* data with it: what follows a SYN has one octet more */
    rx->seq++;
    return segment_input(t, rx, c);
}
