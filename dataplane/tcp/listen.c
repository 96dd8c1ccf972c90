/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners, and segments that belong to no connection (RFC 9293 sections 3.10.7.1 and 3.10.7.2). */
#include "tcp/state.h"

static uint32_t slot_of(const struct tcp *t, const struct hg_ip *ip, uint16_t port)
{
    uint64_t a, b;
    memcpy(&a, ip->b, 8);
    memcpy(&b, ip->b + 8, 8);
    return (uint32_t)tcp_mix(a ^ t->secret[2], b ^ t->secret[0] ^ port) % TCP_LISTENER_SLOTS;
}

static struct tcp_listener *listener_of(struct tcp *t, const struct hg_ip *ip, uint16_t port)
{
    for (uint32_t at = slot_of(t, ip, port); t->listener_slot[at]; at = (at + 1) % TCP_LISTENER_SLOTS) {
        struct tcp_listener *l = &t->listener[t->listener_slot[at] - 1];
        if (l->ep.port == port && hg_ip_eq(&l->ep.ip, ip))
            return l;
    }
    return NULL;
}

/* All anew: that nothing is left behind matters more than what it costs, once in a while. */
static void slots_fill(struct tcp *t)
{
    memset(t->listener_slot, 0, sizeof(t->listener_slot));
    for (unsigned i = 0; i < t->nlisteners; i++) {
        uint32_t at = slot_of(t, &t->listener[i].ep.ip, t->listener[i].ep.port);
        if (!t->listener[i].used)
            continue;
        while (t->listener_slot[at])
            at = (at + 1) % TCP_LISTENER_SLOTS;
        t->listener_slot[at] = (uint8_t)(i + 1);
    }
}

bool tcp_listen(struct tcp *t, const struct hg_endpoint *ep, uint16_t listener,
                const struct tcp_listen_options *options)
{
    unsigned i = 0;
    if (listener_of(t, &ep->ip, ep->port) || ep->port == 0)
        return false;
    /* a slot whose connections are still there would count them twice */
    while (i < TCP_LISTENERS_MAX && (t->listener[i].used || t->listener[i].connections))
        i++;
    if (i == TCP_LISTENERS_MAX)
        return false;
    t->listener[i] = (struct tcp_listener){.ep = *ep, .used = true, .options = *options, .name = listener};
    if (i >= t->nlisteners)
        t->nlisteners = i + 1;
    slots_fill(t);
    return true;
}

void tcp_unlisten(struct tcp *t, const struct hg_endpoint *ep)
{
    struct tcp_listener *l = listener_of(t, &ep->ip, ep->port);
    if (!l)
        return;
    l->used = false;
    slots_fill(t);
}

/* An address that is named goes before all addresses. */
struct tcp_listener *listener_at(struct tcp *t, const struct hg_ip *ip, uint16_t port)
{
    static const struct hg_ip any6;
    const struct hg_ip any4 = hg_ip_from4(0);
    struct tcp_listener *l = listener_of(t, ip, port);
    return l ? l : listener_of(t, hg_ip_is4(ip) ? &any4 : &any6, port);
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
