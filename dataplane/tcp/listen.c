/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners, and segments that belong to no connection (RFC 9293 sections 3.10.7.1 and 3.10.7.2). */
#include "tcp/state.h"

static bool is_any(const struct hg_ip *ip)
{
    static const struct hg_ip zero;
    return hg_ip_eq(ip, &zero) || (hg_ip_is4(ip) && hg_ip_to4(ip) == 0);
}

static struct tcp_listener *listener_of(struct tcp *t, const struct hg_endpoint *ep)
{
    for (unsigned i = 0; i < t->nlisteners; i++) {
        struct tcp_listener *l = &t->listener[i];
        if (l->used && l->ep.port == ep->port && hg_ip_eq(&l->ep.ip, &ep->ip))
            return l;
    }
    return NULL;
}

bool tcp_listen(struct tcp *t, const struct hg_endpoint *ep, uint16_t listener,
                const struct tcp_listen_options *options)
{
    unsigned i = 0;
    if (listener_of(t, ep) || ep->port == 0)
        return false;
    /* a slot whose connections are still there would count them twice */
    while (i < TCP_LISTENERS_MAX && (t->listener[i].used || t->listener[i].connections))
        i++;
    if (i == TCP_LISTENERS_MAX)
        return false;
    t->listener[i] = (struct tcp_listener){
        .ep = *ep, .used = true, .any = is_any(&ep->ip), .options = *options, .name = listener};
    if (i >= t->nlisteners)
        t->nlisteners = i + 1;
    return true;
}

void tcp_unlisten(struct tcp *t, const struct hg_endpoint *ep)
{
    struct tcp_listener *l = listener_of(t, ep);
    if (l)
        l->used = false;
}

/* An address that is named goes before all addresses. */
struct tcp_listener *listener_at(struct tcp *t, const struct hg_ip *ip, uint16_t port)
{
    struct tcp_listener *best = NULL;
    for (unsigned i = 0; i < t->nlisteners; i++) {
        struct tcp_listener *l = &t->listener[i];
        if (!l->used || l->ep.port != port)
            continue;
        if (hg_ip_eq(&l->ep.ip, ip))
            return l;
        if (l->any && hg_ip_is4(&l->ep.ip) == hg_ip_is4(ip))
            best = l;
    }
    return best;
}

static unsigned cookie_input(struct tcp *t, struct tcp_rx *rx)
{
    struct tcp_half half;
    unsigned why;
    if (t->ctx->ms >= t->cookies_until_ms || rx->flags & (TCP_SYN | TCP_RST))
        return RX_GO_ON;
    if (!cookie_check(t, rx, &half)) {
        ctx_count(t->ctx, HG_C_tcp_cookies_bad);
        return RX_GO_ON;
    }
    ctx_count(t->ctx, HG_C_tcp_cookies_good);
    struct tcp_conn *c = syn_accept(t, rx, &half, &why);
    return c ? segment_input(t, rx, c) : why;
}

unsigned listen_input(struct tcp *t, struct tcp_rx *rx)
{
    struct tcp_listener *l = listener_at(t, &rx->key.local, rx->key.local_port);
    if (rx->flags & TCP_RST)
        return HG_DROP_tcp_stray_reset;
    if (!l)
        return reset_answer(t, rx, HG_C_tcp_refused);
    if (rx->flags & TCP_ACK) {
        unsigned verdict = cookie_input(t, rx);
        return verdict == RX_GO_ON ? reset_answer(t, rx, HG_C_tcp_refused) : verdict;
    }
    if (!(rx->flags & TCP_SYN))
        return HG_DROP_tcp_stray;
    return syn_input(t, rx, l, 0);
}
