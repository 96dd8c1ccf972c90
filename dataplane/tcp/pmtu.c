/* SPDX-License-Identifier: BSD-2-Clause */
/* What routers say (RFC 1191, RFC 8201, RFC 5461, RFC 5927), and paths that swallow large segments without a
 * word (RFC 4821 section 7.7). */
#include "tcp/state.h"

#define BLACKHOLE_FIRST 2 /* time-outs in a row */
#define BLACKHOLE_NEXT  4
#define BLACKHOLE_MSS4  1024

static struct tcp_conn *conn_find(struct tcp *t, const struct tcp_key *key)
{
    struct tcp_cursor cursor = tcp_table_begin(&t->table, tcp_hash(t, key));
    uint32_t v;
    while ((v = tcp_table_next(&t->table, &cursor)) != 0)
        if (TCP_VALUE_KIND(v) == TCP_KIND_CONN && key_eq(table_key(t, v), key))
            return &t->conn[TCP_VALUE_INDEX(v)];
    return NULL;
}

/* All that is too large now leaves again in smaller segments: not for congestion, so no window is cut. */
static void mss_lower(struct tcp *t, struct tcp_conn *c, uint32_t mss)
{
    struct tcp_flight *f = c->flight;
    c->mss = (uint16_t)mss;
    for (uint32_t i = 0; f && i < f->n; i++)
        if (f->s[f->first + i].len > conn_payload(c) + 1)
            flight_mark_lost(f, &f->s[f->first + i]);
    conn_dirty(t, c);
}

/* A router that does not say how much: the next of the usual sizes (RFC 1191 section 7). */
static uint32_t plateau_below(uint32_t mtu)
{
    static const uint16_t plateau[] = {8166, 4352, 2002, 1492, 1006, 508, 296};
    for (unsigned i = 0; i < sizeof(plateau) / sizeof(plateau[0]); i++)
        if (plateau[i] < mtu)
            return plateau[i];
    return 296;
}

static void mtu_news(struct tcp *t, struct tcp_conn *c, uint32_t mtu)
{
    bool is4 = hg_ip_is4(&c->key.remote);
    uint32_t headers = is4 ? 40 : 60, least = is4 ? 296 : 1280, now = c->mss + headers;
    if (!mtu)
        mtu = plateau_below(now);
    if (mtu < least)
        mtu = least;
    if (mtu >= now)
        return;
    ctx_count(t->ctx, HG_C_tcp_path_mtus);
    net_path_mtu_set(t->net, &c->key.remote, (uint16_t)mtu);
    mss_lower(t, c, mtu - headers);
}

void tcp_news(struct tcp *t, const struct net_icmp_news *news, unsigned n)
{
    clock_look(t);
    for (unsigned i = 0; i < n; i++) {
        const struct tcp_key key = {.local = news[i].local,
                                    .remote = news[i].remote,
                                    .local_port = news[i].local_port,
                                    .remote_port = news[i].remote_port};
        struct tcp_conn *c = conn_find(t, &key);
        if (!c || c->snd_una == c->snd_nxt || seq_lt(news[i].seq, c->snd_una) ||
            seq_geq(news[i].seq, c->snd_nxt)) {
            ctx_count(t->ctx, HG_C_tcp_icmp_ignored);
            continue;
        }
        if (news[i].kind == NET_ICMP_MTU && conn_open(c))
            mtu_news(t, c, news[i].mtu);
        else if (news[i].kind == NET_ICMP_HARD && c->state == TCP_SYN_SENT)
            conn_fail(t, c, TCP_REASON_UNREACHABLE, HG_C_tcp_connect_unreachable);
        else
            ctx_count(t->ctx, HG_C_tcp_icmp_ignored); /* soft ones: retransmission goes on (RFC 5461) */
    }
}

/* Large segments time out again and again: perhaps they are too large for a router that does not say so. */
void pmtu_blackhole(struct tcp *t, struct tcp_conn *c)
{
    bool is4 = hg_ip_is4(&c->key.remote);
    uint32_t mss = 0;
    if (c->backoff == BLACKHOLE_FIRST)
        mss = is4 ? BLACKHOLE_MSS4 : TCP_MSS_DEFAULT6;
    else if (c->backoff == BLACKHOLE_NEXT)
        mss = is4 ? TCP_MSS_DEFAULT4 : TCP_MSS_DEFAULT6;
    const struct tcp_flight *f = c->flight;
    if (!mss || c->mss <= mss || !f->n || f->s[f->first].len <= mss)
        return;
    ctx_count(t->ctx, HG_C_tcp_blackholes);
    mss_lower(t, c, mss);
}
