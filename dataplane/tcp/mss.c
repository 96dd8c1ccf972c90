/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment sizes: what we offer, what a peer and its path take (RFC 9293 section 3.7.1, RFC 6691). */
#include "tcp/state.h"

#define HEADERS4 40
#define HEADERS6 60

uint16_t mss_ours(const struct tcp *t, const struct tcp_key *key)
{
    struct net_path path;
    uint16_t headers = hg_ip_is4(&key->remote) ? HEADERS4 : HEADERS6;
    if (!net_path_find(t->net, &key->remote, &path) || path.mtu < headers + TCP_MSS_MIN)
        return hg_ip_is4(&key->remote) ? TCP_MSS_DEFAULT4 : TCP_MSS_DEFAULT6;
    return (uint16_t)(path.mtu - headers);
}

uint16_t mss_towards(const struct tcp_options *o, const struct tcp_key *key, uint16_t ours)
{
    uint16_t theirs = hg_ip_is4(&key->remote) ? TCP_MSS_DEFAULT4 : TCP_MSS_DEFAULT6;
    if (o->has & TCP_OPTION_MSS)
        theirs = o->mss < TCP_MSS_MIN ? TCP_MSS_MIN : o->mss;
    return theirs < ours ? theirs : ours;
}

void conn_options(struct tcp *t, struct tcp_conn *c, const struct tcp_options *o)
{
    if (o->has & TCP_OPTION_TS) {
        c->bits |= CONN_TS;
        c->ts_recent = o->ts_val;
    }
    if (o->has & TCP_OPTION_SACK_OK)
        c->bits |= CONN_SACK;
    if (o->has & TCP_OPTION_SCALE) {
        c->bits |= CONN_SCALE;
        c->snd_scale = o->scale;
        c->rcv_scale = t->limits.scale;
    }
}
