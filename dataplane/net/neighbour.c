/* SPDX-License-Identifier: BSD-2-Clause */
/* The neighbour table of one core, for ARP and ND alike (the states of RFC 4861 section 7.3). Fixed size;
 * entries are made by what we send or by questions for our own addresses, and a stale one gives way when
 * there is no room. */
#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "lib/mailbox.h"
#include "net/state.h"

#define REACHABLE_MS   30000 /* RFC 4861 section 10, varied by a half either way */
#define RETRY_MS       500
#define RETRIES        4
#define FAILED_MS      1000
#define REQUESTS_RATE  1000 /* per second, for neighbours that nobody has heard of */
#define REQUESTS_BURST 1000
#define TELL_RATE      2000
#define TELL_BURST     2000
#define EVICT_LOOKS    64

static struct wheel *wheel_of(struct net *net)
{
    return net->ctx->wheel;
}

bool neighbour_create(struct net *net, uint32_t max)
{
    uint32_t heads = rte_align32pow2(max);
    net->neighbours_max = max;
    net->neighbour_mask = heads - 1;
    net->neighbours = rte_zmalloc("net_neighbours", max * sizeof(*net->neighbours), 64);
    net->neighbour_heads = rte_malloc("net_neighbour_heads", heads * sizeof(uint32_t), 64);
    net->waits = rte_zmalloc("net_waits", NET_WAIT_TOTAL * sizeof(*net->waits), 64);
    if (!net->neighbours || !net->neighbour_heads || !net->waits)
        return false;
    memset(net->neighbour_heads, 0xff, heads * sizeof(uint32_t));
    for (uint32_t i = 0; i < max; i++) {
        net->neighbours[i].next = i + 1 < max ? i + 1 : NET_NIL;
        net->neighbours[i].timer.kind = WHEEL_KIND(WHEEL_NET, NET_TIMER_NEIGHBOUR);
    }
    for (uint32_t i = 0; i < NET_WAIT_TOTAL; i++)
        net->waits[i].next = i + 1 < NET_WAIT_TOTAL ? i + 1 : NET_NIL;
    return true;
}

void neighbour_destroy(struct net *net)
{
    for (uint32_t i = 0; net->neighbours && i < net->neighbours_max; i++)
        if (net->neighbours[i].state != NEIGHBOUR_FREE)
            wheel_cancel(wheel_of(net), &net->neighbours[i].timer);
    for (uint32_t i = 0; net->waits && i < NET_WAIT_TOTAL; i++)
        rte_pktmbuf_free(net->waits[i].m);
    rte_free(net->neighbours);
    rte_free(net->neighbour_heads);
    rte_free(net->waits);
}

uint32_t neighbour_find(const struct net *net, uint16_t iface, const struct hg_ip *ip)
{
    uint32_t i = net->neighbour_heads[net_hash(net, ip, iface) & net->neighbour_mask];
    while (i != NET_NIL && (net->neighbours[i].iface != iface || !hg_ip_eq(&net->neighbours[i].ip, ip)))
        i = net->neighbours[i].next;
    return i;
}

static struct rte_mbuf *wait_pop(struct net *net, struct neighbour *n)
{
    uint32_t w = n->wait_head;
    if (w == NET_NIL)
        return NULL;
    struct rte_mbuf *m = net->waits[w].m;
    n->wait_head = net->waits[w].next;
    n->waiting--;
    net->waits[w] = (struct net_wait){.next = net->wait_free};
    net->wait_free = w;
    return m;
}

static void wait_push(struct net *net, struct neighbour *n, struct rte_mbuf *m)
{
    uint32_t w = net->wait_free;
    if (w == NET_NIL || n->waiting == NET_WAIT_MAX) {
        ctx_count(net->ctx, HG_C_tx_no_neighbour);
        rte_pktmbuf_free(m);
        return;
    }
    net->wait_free = net->waits[w].next;
    net->waits[w] = (struct net_wait){.m = m, .next = NET_NIL};
    if (n->wait_head == NET_NIL)
        n->wait_head = w;
    else
        net->waits[n->wait_tail].next = w;
    n->wait_tail = w;
    n->waiting++;
}

static void wait_discard(struct net *net, struct neighbour *n)
{
    for (struct rte_mbuf *m; (m = wait_pop(net, n));) {
        ctx_count(net->ctx, HG_C_tx_no_neighbour);
        rte_pktmbuf_free(m);
    }
}

static void neighbour_release(struct net *net, uint32_t index)
{
    struct neighbour *n = &net->neighbours[index];
    uint32_t *link = &net->neighbour_heads[net_hash(net, &n->ip, n->iface) & net->neighbour_mask];
    while (*link != index)
        link = &net->neighbours[*link].next;
    *link = n->next;
    wait_discard(net, n);
    wheel_cancel(wheel_of(net), &n->timer);
    n->state = NEIGHBOUR_FREE;
    n->gen++;
    n->next = net->neighbour_free;
    net->neighbour_free = index;
    hg_gauge(net->ctx->counters, HG_C_neighbours, --net->neighbours_used);
}

/* A clock hand over the table; what is confirmed or being asked for stays. */
static bool neighbour_evict(struct net *net)
{
    for (unsigned looks = 0; looks < EVICT_LOOKS; looks++) {
        uint32_t i = net->neighbour_hand;
        net->neighbour_hand = i + 1 < net->neighbours_max ? i + 1 : 0;
        uint8_t state = net->neighbours[i].state;
        if (state == NEIGHBOUR_STALE || state == NEIGHBOUR_FAILED) {
            neighbour_release(net, i);
            ctx_count(net->ctx, HG_C_neighbours_evicted);
            return true;
        }
    }
    return false;
}

static uint32_t neighbour_new(struct net *net, uint16_t iface, const struct hg_ip *ip)
{
    if (net->neighbour_free == NET_NIL && !neighbour_evict(net))
        return NET_NIL;
    uint32_t index = net->neighbour_free;
    struct neighbour *n = &net->neighbours[index];
    uint32_t *head = &net->neighbour_heads[net_hash(net, ip, iface) & net->neighbour_mask];
    net->neighbour_free = n->next;
    hg_gauge(net->ctx->counters, HG_C_neighbours, ++net->neighbours_used);
    n->ip = *ip;
    n->iface = iface;
    n->tries = 0;
    n->gen++;
    n->waiting = 0;
    n->wait_head = n->wait_tail = NET_NIL;
    n->next = *head;
    *head = index;
    return index;
}

static void neighbour_ask(struct net *net, const struct neighbour *n, bool unicast)
{
    ctx_count(net->ctx, HG_C_tx_neighbour_requests);
    if (hg_ip_is4(&n->ip))
        arp_request(net, n, unicast);
    else
        nd_solicit(net, n, unicast);
}

uint32_t neighbour_want(struct net *net, uint16_t iface, const struct hg_ip *ip)
{
    uint32_t index = neighbour_find(net, iface, ip);
    if (index != NET_NIL)
        return index;
    index = neighbour_new(net, iface, ip);
    if (index == NET_NIL)
        return NET_NIL;
    struct neighbour *n = &net->neighbours[index];
    n->state = NEIGHBOUR_INCOMPLETE;
    if (bucket_take(&net->request_bucket, net->ctx->ms, REQUESTS_RATE, REQUESTS_BURST))
        neighbour_ask(net, n, false);
    wheel_arm(wheel_of(net), &n->timer, net->ctx->ms + RETRY_MS);
    return index;
}

static void neighbour_confirm(struct net *net, struct neighbour *n)
{
    n->state = NEIGHBOUR_REACHABLE;
    n->tries = 0;
    if (unlikely(net->ngateways != 0))
        gateway_seen(net, n);
    wheel_arm(wheel_of(net), &n->timer,
              net->ctx->ms + REACHABLE_MS / 2 + ctx_random(net->ctx) % REACHABLE_MS);
}

static void neighbour_stale(struct net *net, struct neighbour *n)
{
    n->state = NEIGHBOUR_STALE;
    n->tries = 0;
    wheel_cancel(wheel_of(net), &n->timer);
}

static void mac_set(struct net *net, struct neighbour *n, const uint8_t mac[6])
{
    const struct net_iface *iface = &net->ifaces[n->iface];
    uint16_t type = hg_ip_is4(&n->ip) ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6;
    n->l2_len = (uint8_t)(tx_l2_header(iface, n->l2, mac, type) - n->l2);
}

static void waiting_send(struct net *net, uint32_t index)
{
    for (struct rte_mbuf *m; (m = wait_pop(net, &net->neighbours[index]));)
        neighbour_send(net, index, m);
}

bool neighbour_learn(struct net *net, uint16_t iface, const struct hg_ip *ip, const uint8_t mac[6],
                     enum neighbour_news news)
{
    uint32_t index = neighbour_find(net, iface, ip);
    if (index == NET_NIL) {
        if (news != NEWS_QUESTION)
            return news == NEWS_ANSWER; /* another core may have asked */
        index = neighbour_new(net, iface, ip);
        if (index == NET_NIL)
            return false;
        mac_set(net, &net->neighbours[index], mac);
        neighbour_stale(net, &net->neighbours[index]);
        return true;
    }
    struct neighbour *n = &net->neighbours[index];
    bool known = neighbour_usable(n);
    bool same = known && memcmp(n->l2, mac, 6) == 0;
    if (!known && news == NEWS_GOSSIP)
        return true;
    if (news == NEWS_ANSWER && known && !same && n->state != NEIGHBOUR_PROBE)
        news = NEWS_GOSSIP; /* this core did not ask, so it proves nothing */
    if (!same)
        mac_set(net, n, mac);
    if (news == NEWS_ANSWER)
        neighbour_confirm(net, n);
    else if (!same) /* not asked for: believed, but checked when next used */
        neighbour_stale(net, n);
    if (!known)
        waiting_send(net, index);
    return !same || news == NEWS_ANSWER;
}

void neighbour_send(struct net *net, uint32_t index, struct rte_mbuf *m)
{
    struct neighbour *n = &net->neighbours[index];
    if (unlikely(n->state != NEIGHBOUR_REACHABLE)) {
        if (n->state == NEIGHBOUR_INCOMPLETE) {
            wait_push(net, n, m);
            return;
        }
        if (!neighbour_usable(n)) {
            ctx_count(net->ctx, HG_C_tx_no_neighbour);
            rte_pktmbuf_free(m);
            return;
        }
        if (n->state == NEIGHBOUR_STALE) {
            n->state = NEIGHBOUR_PROBE;
            n->tries = 1;
            neighbour_ask(net, n, true);
            wheel_arm(wheel_of(net), &n->timer, net->ctx->ms + RETRY_MS);
        }
    }
    m->data_off -= n->l2_len;
    m->data_len += n->l2_len;
    m->pkt_len += n->l2_len;
    if (m->ol_flags)
        m->l2_len = n->l2_len;
    memcpy(rte_pktmbuf_mtod(m, void *), n->l2, n->l2_len);
    tx_put(net, net->ifaces[n->iface].port, m);
}

void neighbour_check(struct net *net, struct neighbour *n)
{
    if (neighbour_usable(n))
        neighbour_ask(net, n, true);
    else if (n->state == NEIGHBOUR_FAILED)
        neighbour_ask(net, n, false);
}

void neighbour_timer(struct net *net, struct neighbour *n)
{
    uint32_t index = (uint32_t)(n - net->neighbours);
    uint64_t now = net->ctx->ms;
    switch (n->state) {
    case NEIGHBOUR_REACHABLE:
        neighbour_stale(net, n);
        return;
    case NEIGHBOUR_INCOMPLETE:
    case NEIGHBOUR_PROBE:
        if (++n->tries < RETRIES) {
            /* the last question of a probe goes to all: the neighbour may have moved */
            neighbour_ask(net, n, n->state == NEIGHBOUR_PROBE && n->tries + 1 < RETRIES);
            wheel_arm(wheel_of(net), &n->timer, now + RETRY_MS);
            return;
        }
        wait_discard(net, n);
        n->state = NEIGHBOUR_FAILED;
        wheel_arm(wheel_of(net), &n->timer, now + FAILED_MS);
        return;
    case NEIGHBOUR_FREE: /* gave way between the expiry and now */
        return;
    default:
        neighbour_release(net, index);
    }
}

/* What was believed over a dead link is asked again when the link is back. */
void neighbour_port_down(struct net *net, uint16_t port)
{
    for (uint32_t i = 0; i < net->neighbours_max; i++) {
        struct neighbour *n = &net->neighbours[i];
        if (n->state == NEIGHBOUR_FREE || net->ifaces[n->iface].port != port)
            continue;
        if (neighbour_usable(n))
            neighbour_stale(net, n);
    }
}

/* ARP and ND come to one queue: the other cores learn from a copy. */
void neighbour_tell(struct net *net, const struct frame *f)
{
    struct ctx *c = net->ctx;
    if (c->cores < 2 || !c->mail || !bucket_take(&net->mail_bucket, c->ms, TELL_RATE, TELL_BURST))
        return;
    for (uint16_t core = 0; core < c->cores; core++) {
        if (core == c->core)
            continue;
        struct rte_mbuf *copy = net_buffer(net, f->m->data_len);
        if (!copy)
            return;
        memcpy(rte_pktmbuf_mtod(copy, void *), rte_pktmbuf_mtod(f->m, void *), f->m->data_len);
        copy->ol_flags = f->m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
        copy->vlan_tci = f->m->vlan_tci;
        if (!mail_send(
                c, core,
                (struct mail){.kind = MAIL_NEIGHBOUR, .from = (uint8_t)c->core, .a = f->port, .m = copy}))
            rte_pktmbuf_free(copy);
    }
}
