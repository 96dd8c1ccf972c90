/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_mempool.h>

#include "../eal.h"

#define MBUFS 4096

struct net {
    struct rig_end *end;
    uint16_t mtu;
};

static struct rte_mempool *pool;

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

struct hg_ip ip_of(const char *text)
{
    struct hg_ip ip;
    REQUIRE(hg_ip_parse(slice_str(text), &ip));
    return ip;
}

uint32_t rig_random(struct rig *r)
{
    r->rng ^= r->rng << 13;
    r->rng ^= r->rng >> 7;
    r->rng ^= r->rng << 17;
    return (uint32_t)(r->rng >> 16);
}

/* ---- net/, played ---- */

struct rte_mbuf *net_tcp_buffer(struct net *net, uint32_t len)
{
    struct rte_mbuf *m = net->end->no_buffer ? NULL : rte_pktmbuf_alloc(pool);
    if (!m)
        return NULL;
    m->data_len = (uint16_t)len;
    m->pkt_len = len;
    return m;
}

bool net_path_find(struct net *net, const struct hg_ip *dst, struct net_path *path)
{
    *path = (struct net_path){.src = net->end->ep.ip, .gateway = *dst, .mtu = net->mtu};
    return true;
}

void net_path_mtu_set(struct net *net, const struct hg_ip *dst, uint16_t mtu)
{
    (void)dst;
    net->mtu = mtu;
}

uint32_t net_tso_max(const struct net *net, const struct net_hint *hint)
{
    (void)net;
    (void)hint;
    return 0;
}

static uint16_t sum_of(const struct hg_ip *src, const struct hg_ip *dst, const uint8_t *p, uint32_t len)
{
    return (uint16_t)~checksum_fold(checksum_plain(p, len, checksum_pseudo(src, dst, len, 6)));
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static struct seg seg_of(const uint8_t *p, uint32_t len)
{
    uint32_t header = (p[12] >> 4) * 4u;
    struct seg s = {.seq = get32(p + 4),
                    .ack = get32(p + 8),
                    .len = len - header,
                    .flags = p[13],
                    .wnd = (uint16_t)(p[14] << 8 | p[15]),
                    .data = p + header,
                    .from_port = (uint16_t)(p[0] << 8 | p[1]),
                    .to_port = (uint16_t)(p[2] << 8 | p[3])};
    REQUIRE(tcp_options_read(p + 20, header - 20, &s.o));
    return s;
}

bool net_tcp_send(struct net *net, struct rte_mbuf *m, const struct hg_ip *src, const struct hg_ip *dst,
                  struct net_hint *hint, uint16_t mss, bool fenced)
{
    struct rig_end *from = net->end;
    struct rig *r = from->rig;
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    struct seg s = seg_of(p, m->pkt_len);
    uint32_t delay = r->delay_us;
    (void)hint;
    (void)mss;
    (void)fenced;
    REQUIRE(m->pkt_len + (hg_ip_is4(dst) ? 20 : 40) <= 1500);
    uint16_t sum = sum_of(src, dst, p, m->pkt_len);
    memcpy(p + 16, &sum, 2);
    s.n = ++from->sent;
    from->last = s;
    if (from->recorded < RIG_RECORD)
        from->record[from->recorded++] = s;
    if (from->mute || (r->tamper && !r->tamper(r, from, &s, &delay)) || r->nflying == RIG_WIRE) {
        rte_pktmbuf_free(m);
        return true;
    }
    r->flying[r->nflying++] = (struct rig_flying){.m = m,
                                                  .to = from == &r->a ? &r->b : &r->a,
                                                  .src = *src,
                                                  .dst = *dst,
                                                  .at_us = r->us + delay,
                                                  .order = r->order++};
    return true;
}

/* ---- ends ---- */

static void end_open(struct rig *r, struct rig_end *e, const char *ip, void (*tweak)(struct hg_config *))
{
    e->rig = r;
    e->config = hg_config_defaults();
    REQUIRE(e->config);
    e->config->tcp_connections_max = 1024;
    e->config->tcp_half_open_max = 64;
    e->config->tcp_time_wait_max = 64;
    e->config->tcp_send_memory_mb = 16;
    e->config->tcp_receive_memory_mb = 8;
    if (tweak)
        tweak(e->config);
    wheel_init(&e->wheel, r->us / 1000);
    e->ctx = (struct ctx){.tsc = r->us,
                          .tsc_hz = 1000000,
                          .ms = r->us / 1000,
                          .cores = 1,
                          .home = {.cores = 1},
                          .counters = e->counters,
                          .pool = pool,
                          .wheel = &e->wheel,
                          .config = e->config,
                          .rng = 88172645463325252ull};
    e->ep = (struct hg_endpoint){.ip = ip_of(ip), .port = 5060, .proto = HG_TCP};
    e->net = calloc(1, sizeof(*e->net));
    REQUIRE(e->net);
    *e->net = (struct net){.end = e, .mtu = 1500};
    e->tcp = tcp_create(&e->ctx, e->net);
    REQUIRE(e->tcp);
}

static struct rig *open_with(const char *a, const char *b, void (*tweak)(struct hg_config *))
{
    REQUIRE(test_eal_start());
    if (!pool)
        pool = test_pool("tcp", MBUFS);
    struct rig *r = calloc(1, sizeof(*r));
    REQUIRE(pool && r);
    r->us = 5000000;
    r->delay_us = 1000;
    r->rng = 0x9e3779b97f4a7c15ull;
    end_open(r, &r->a, a, tweak);
    end_open(r, &r->b, b, tweak);
    REQUIRE(tcp_listen(r->b.tcp, &r->b.ep, 7, &(struct tcp_listen_options){0}));
    return r;
}

struct rig *rig_open(void (*tweak)(struct hg_config *))
{
    return open_with("10.0.0.1", "10.0.0.2", tweak);
}

struct rig *rig_open6(void (*tweak)(struct hg_config *))
{
    return open_with("fd00::1", "fd00::2", tweak);
}

static uint64_t dispositions(const struct rig_end *e)
{
    uint64_t sum =
        e->counters[HG_C_tcp_taken] + e->counters[HG_C_tcp_opening] + e->counters[HG_C_tcp_refused];
    for (unsigned id = 0; id < HG_DROP_COUNT; id++)
        if (strcmp(hg_counter_info[id].layer, "tcp") == 0)
            sum += e->counters[id];
    return sum;
}

static void end_close(struct rig_end *e)
{
    REQUIRE(dispositions(e) == e->up);
    tcp_destroy(e->tcp);
    REQUIRE(e->wheel.armed == 0);
    hg_config_free(e->config);
    free(e->net);
    free(e->got);
}

void rig_close(struct rig *r)
{
    for (unsigned i = 0; i < r->nflying; i++)
        rte_pktmbuf_free(r->flying[i].m);
    end_close(&r->a);
    end_close(&r->b);
    REQUIRE(rte_mempool_avail_count(pool) == MBUFS);
    free(r);
}

static void take(struct rig_end *e, struct slice s)
{
    while (e->ngot + s.len > e->got_room) {
        e->got_room = e->got_room ? 2 * e->got_room : 65536;
        e->got = realloc(e->got, e->got_room);
        REQUIRE(e->got);
    }
    memcpy(e->got + e->ngot, s.p, s.len);
    e->ngot += s.len;
}

static void read_all(struct rig_end *e, tcp_id id)
{
    struct slice s[8];
    unsigned n;
    while (!e->deaf && (n = tcp_peek(e->tcp, id, s, 8)) != 0) {
        uint32_t total = 0;
        for (unsigned i = 0; i < n; i++) {
            take(e, s[i]);
            total += s[i].len;
        }
        if (e->echo)
            REQUIRE(tcp_write(e->tcp, id, s, n) == total);
        tcp_consume(e->tcp, id, total);
    }
}

static void write_some(struct rig_end *e)
{
    if (e->out_at < e->nout) {
        struct slice s = slice_of((const char *)e->out + e->out_at, e->nout - e->out_at);
        e->out_at += tcp_write(e->tcp, e->out_id, &s, 1);
    }
    if (e->out_close && e->out_at == e->nout) {
        tcp_shutdown(e->tcp, e->out_id);
        e->out_close = false;
    }
}

static void upper(struct rig_end *e)
{
    const struct tcp_event *ev;
    unsigned n = tcp_events(e->tcp, &ev);
    for (unsigned i = 0; i < n; i++) {
        REQUIRE(e->nevents < RIG_EVENTS);
        e->event[e->nevents++] = ev[i];
        if (ev[i].bits & TCP_EVENT_CLOSED)
            continue;
        read_all(e, ev[i].id);
        if (ev[i].bits & TCP_EVENT_PEER_CLOSED && e->polite)
            tcp_shutdown(e->tcp, ev[i].id);
    }
    write_some(e);
}

static void clock_set(struct rig_end *e)
{
    e->ctx.tsc = e->rig->us;
    e->ctx.ms = e->rig->us / 1000;
}

void rig_turn(struct rig_end *e)
{
    struct wheel_timer *t;
    clock_set(e);
    while (wheel_advance(&e->wheel, e->ctx.ms, &t, 1) == 1)
        tcp_timers(e->tcp, &t, 1);
    upper(e);
    tcp_turn_end(e->tcp);
    rig_check(e);
}

static int by_time(const void *x, const void *y)
{
    const struct rig_flying *a = x, *b = y;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static void deliver(struct rig_end *e, struct segment *s, unsigned n)
{
    if (!n)
        return;
    clock_set(e);
    e->up += n;
    tcp_input(e->tcp, s, n);
}

static void fly(struct rig *r)
{
    struct segment s[2][64];
    unsigned n[2] = {0, 0}, kept = 0, due = 0;
    qsort(r->flying, r->nflying, sizeof(r->flying[0]), by_time);
    while (due < r->nflying && r->flying[due].at_us <= r->us && n[0] < 64 && n[1] < 64) {
        struct rig_flying *f = &r->flying[due++];
        unsigned i = f->to == &r->b;
        s[i][n[i]++] = (struct segment){.m = f->m,
                                        .tcp = rte_pktmbuf_mtod(f->m, const uint8_t *),
                                        .len = f->m->pkt_len,
                                        .src = f->src,
                                        .dst = f->dst};
    }
    for (unsigned i = due; i < r->nflying; i++)
        r->flying[kept++] = r->flying[i];
    r->nflying = kept;
    deliver(&r->a, s[0], n[0]);
    deliver(&r->b, s[1], n[1]);
}

static void step(struct rig *r)
{
    r->us += RIG_STEP_US;
    fly(r);
    rig_turn(&r->a);
    rig_turn(&r->b);
}

void rig_run(struct rig *r, uint32_t ms)
{
    for (uint64_t end = r->us + (uint64_t)ms * 1000; r->us < end;)
        step(r);
}

bool rig_until(struct rig *r, uint32_t ms, bool (*done)(struct rig *r))
{
    for (uint64_t end = r->us + (uint64_t)ms * 1000; r->us < end;) {
        step(r);
        if (done(r))
            return true;
    }
    return false;
}

uint64_t rig_count(const struct rig_end *e, unsigned id)
{
    return e->counters[id];
}

unsigned rig_bits(const struct rig_end *e, tcp_id id)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < e->nevents; i++)
        if (e->event[i].id == id)
            bits |= e->event[i].bits;
    return bits;
}

unsigned rig_reason(const struct rig_end *e, tcp_id id)
{
    unsigned reason = 0;
    for (unsigned i = 0; i < e->nevents; i++)
        if (e->event[i].id == id && e->event[i].reason)
            reason = e->event[i].reason;
    return reason;
}

static bool connected(struct rig *r)
{
    bool a = false, b = false;
    for (unsigned i = 0; i < r->a.nevents; i++)
        a |= (r->a.event[i].bits & (TCP_EVENT_CONNECTED | TCP_EVENT_FAILED)) != 0;
    for (unsigned i = 0; i < r->b.nevents; i++)
        b |= (r->b.event[i].bits & TCP_EVENT_ACCEPTED) != 0;
    return a && b;
}

tcp_id rig_connect(struct rig *r, tcp_id *accepted)
{
    struct hg_endpoint local = {.ip = r->a.ep.ip, .proto = HG_TCP};
    r->a.nevents = r->b.nevents = 0;
    clock_set(&r->a);
    tcp_id id = tcp_connect(r->a.tcp, &local, &r->b.ep, 42);
    REQUIRE(id);
    tcp_turn_end(r->a.tcp);
    REQUIRE(rig_until(r, 60000, connected));
    for (unsigned i = 0; i < r->b.nevents; i++)
        if (r->b.event[i].bits & TCP_EVENT_ACCEPTED && accepted)
            *accepted = r->b.event[i].id;
    return id;
}

const struct tcp_conn *rig_conn(const struct rig_end *e, tcp_id id)
{
    return &e->tcp->conn[(uint32_t)id];
}

static void put32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}

static uint32_t hand_write(uint8_t *p, const struct hand *h)
{
    memset(p, 0, 20);
    p[0] = (uint8_t)(h->from_port >> 8);
    p[1] = (uint8_t)h->from_port;
    p[2] = (uint8_t)(h->to_port >> 8);
    p[3] = (uint8_t)h->to_port;
    put32(p + 4, h->seq);
    put32(p + 8, h->ack);
    p[12] = (uint8_t)((20 + h->noptions) / 4 << 4);
    p[13] = h->flags;
    p[14] = (uint8_t)(h->wnd >> 8);
    p[15] = (uint8_t)h->wnd;
    if (h->noptions)
        memcpy(p + 20, h->options, h->noptions);
    if (h->len)
        memcpy(p + 20 + h->noptions, h->data, h->len);
    return 20 + h->noptions + h->len;
}

unsigned rig_hand(struct rig_end *to, const struct hand *h)
{
    struct rig_end *from = to == &to->rig->a ? &to->rig->b : &to->rig->a;
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    REQUIRE(m);
    uint64_t before[HG_COUNTERS_MAX];
    struct hg_ip src = h->from ? ip_of(h->from) : from->ep.ip;
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    m->pkt_len = hand_write(p, h);
    m->data_len = (uint16_t)m->pkt_len;
    uint16_t sum = (uint16_t)(sum_of(&src, &to->ep.ip, p, m->pkt_len) + h->bad_sum);
    memcpy(p + 16, &sum, 2);
    memcpy(before, to->counters, sizeof(before));
    struct segment s = {.m = m, .tcp = p, .len = m->pkt_len, .src = src, .dst = to->ep.ip};
    deliver(to, &s, 1);
    for (unsigned id = 0; id < HG_DROP_COUNT; id++)
        if (to->counters[id] != before[id] && strcmp(hg_counter_info[id].layer, "tcp") == 0)
            return id;
    static const unsigned good[] = {HG_C_tcp_taken, HG_C_tcp_opening, HG_C_tcp_refused};
    for (unsigned i = 0; i < 3; i++)
        if (to->counters[good[i]] != before[good[i]])
            return good[i];
    REQUIRE(!"a disposition");
    return 0;
}

void rig_raw(struct rig_end *to, uint16_t from_port, uint16_t to_port, const uint8_t *p, uint32_t len)
{
    struct rig_end *from = to == &to->rig->a ? &to->rig->b : &to->rig->a;
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    REQUIRE(m && len <= 2048);
    uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);
    memcpy(at, p, len);
    if (len >= 4) {
        memcpy(at,
               (uint8_t[]){(uint8_t)(from_port >> 8), (uint8_t)from_port, (uint8_t)(to_port >> 8),
                           (uint8_t)to_port},
               4);
    }
    m->pkt_len = len;
    m->data_len = (uint16_t)len;
    struct segment s = {
        .m = m, .tcp = at, .len = len, .src = from->ep.ip, .dst = to->ep.ip, .flags = SEGMENT_SUM_GOOD};
    deliver(to, &s, 1);
}

static void check_flight(const struct tcp_conn *c)
{
    const struct tcp_flight *f = c->flight;
    uint32_t at = c->snd_una, sacked = 0, lost = 0, nsacked = 0;
    REQUIRE(f->n && f->first + f->n <= f->cap);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct tcp_sent *s = &f->s[f->first + i];
        REQUIRE(s->seq == at && s->len);
        REQUIRE((s->bits & (SENT_SACKED | SENT_LOST)) != (SENT_SACKED | SENT_LOST));
        at += s->len;
        sacked += s->bits & SENT_SACKED ? s->len : 0;
        nsacked += (s->bits & SENT_SACKED) != 0;
        lost += s->bits & SENT_LOST ? s->len : 0;
    }
    REQUIRE(at == c->snd_nxt && lost == f->lost);
    if (c->bits & CONN_SACK)
        REQUIRE(sacked == f->sacked && nsacked == f->sacked_n);
}

static void check_conn(const struct rig_end *e, const struct tcp_conn *c)
{
    uint32_t queued = 0, readable = 0;
    for (const struct tcp_chunk *k = c->snd_first; k; k = k->next)
        queued += k->to - k->from;
    for (const struct tcp_chunk *k = c->kept; k; k = k->next)
        readable += k->to - k->from;
    for (const struct rte_mbuf *m = c->rcv_first; m; m = m->next)
        readable += m->data_len;
    REQUIRE(queued == c->queued && readable == c->readable);
    REQUIRE(queued <= e->tcp->limits.send_buffer && readable <= e->tcp->limits.window + 65536);
    if (c->state < TCP_ESTABLISHED)
        return;
    REQUIRE(seq_leq(c->rcv_nxt, c->rcv_adv) && seq_leq(c->snd_una, c->snd_nxt));
    REQUIRE((c->flight != NULL) == (c->snd_una != c->snd_nxt));
    if (c->flight)
        check_flight(c);
    if (c->flight || conn_unsent(c)) /* somebody will look at it again */
        REQUIRE(c->at[TCP_AT_SEND] != 0 && wheel_armed(&c->timer));
    REQUIRE(!(c->bits & CONN_ACK_NOW));
}

void rig_check(const struct rig_end *e)
{
    const struct tcp *t = e->tcp;
    uint64_t pinned = 0;
    uint32_t conns = 0;
    for (uint32_t i = 0; i < t->conn_fresh; i++) {
        const struct tcp_conn *c = &t->conn[i];
        if (!(c->generation & 1))
            continue;
        conns++;
        pinned += c->pinned + (c->reassembly ? c->reassembly->pinned : 0);
        check_conn(e, c);
    }
    REQUIRE(conns == t->conns && pinned == t->pinned);
    REQUIRE(pinned <= t->limits.pinned + 65536);
}
