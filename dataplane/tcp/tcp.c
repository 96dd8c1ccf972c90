/* SPDX-License-Identifier: BSD-2-Clause */
/* Making and ending the room, and what is done now and then. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "hg/config.h"
#include "tcp/state.h"

#define SIZED_SHARE 6720 /* bytes of sized slabs for one "message" of theirs (lib/slab.c) */

static bool memory_create(struct sized_slabs *s, uint64_t mib)
{
    uint64_t n = mib * 1024 * 1024 / SIZED_SHARE;
    return sized_create(s, n > UINT32_MAX ? UINT32_MAX : (uint32_t)n);
}

static bool conns_create(struct tcp *t)
{
    size_t bytes = (size_t)t->limits.connections * sizeof(*t->conn);
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    t->conn = p == MAP_FAILED ? NULL : p;
    if (t->conn)
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* a wish */
    return t->conn != NULL;
}

static bool rooms_create(struct tcp *t)
{
    const struct hg_config *config = t->ctx->config;
    const struct tcp_limits *l = &t->limits;
    t->halves = slab_create(sizeof(struct tcp_half), l->half_open);
    t->waits = slab_create(sizeof(struct tcp_wait), l->waits);
    t->reassemblies = slab_create(sizeof(struct tcp_reassembly), l->connections / 8 + 64);
    return t->halves && t->waits && t->reassemblies && conns_create(t) &&
           tcp_table_create(&t->table, l->connections + l->half_open + l->waits) &&
           tcp_table_create(&t->sources, l->connections) &&
           memory_create(&t->send_memory, (uint64_t)config->tcp_send_memory_mb) &&
           memory_create(&t->receive_memory, (uint64_t)config->tcp_receive_memory_mb);
}

static bool secrets_create(struct tcp *t)
{
    return getrandom(t->secret, sizeof(t->secret), 0) == (ssize_t)sizeof(t->secret) &&
           getrandom(&t->isn, sizeof(t->isn), 0) == (ssize_t)sizeof(t->isn) &&
           getrandom(&t->cookie, sizeof(t->cookie), 0) == (ssize_t)sizeof(t->cookie) &&
           getrandom(&t->port_next, sizeof(t->port_next), 0) == (ssize_t)sizeof(t->port_next);
}

struct tcp *tcp_create(struct ctx *ctx, struct net *net)
{
    struct tcp *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->ctx = ctx;
    t->net = net;
    t->sum = checksum_best();
    t->us_scale = ctx->tsc_hz ? (uint64_t)((((__uint128_t)1000000) << 32) / ctx->tsc_hz) : 0;
    t->conn_free = t->dirty_first = t->event_first = t->wait_first = t->wait_last = TCP_NIL;
    t->wait_timer.kind = WHEEL_KIND(WHEEL_TCP, TCP_TIMER_WAIT);
    limits_read(t);
    if (!secrets_create(t) || !rooms_create(t)) {
        tcp_destroy(t);
        return NULL;
    }
    clock_look(t);
    return t;
}

static void conns_destroy(struct tcp *t)
{
    for (uint32_t i = 0; i < t->conn_fresh; i++)
        if (t->conn[i].generation & 1)
            conn_free(t, &t->conn[i]);
    munmap(t->conn, (size_t)t->limits.connections * sizeof(*t->conn));
}

static void halves_destroy(struct tcp *t)
{
    struct tcp_half *h;
    for (uint32_t i = 0; t->halves && t->table.line && i <= t->table.mask; i++)
        for (unsigned e = 0; e < TCP_LINE; e++) {
            uint32_t v = t->table.line[i].entry[e].value;
            if (v && TCP_VALUE_KIND(v) == TCP_KIND_HALF &&
                (h = slab_at(t->halves, TCP_VALUE_INDEX(v))) != NULL)
                wheel_cancel(t->ctx->wheel, &h->timer);
        }
}

void tcp_destroy(struct tcp *t)
{
    if (!t)
        return;
    if (t->conn)
        conns_destroy(t);
    halves_destroy(t);
    wheel_cancel(t->ctx->wheel, &t->wait_timer);
    slab_destroy(t->halves);
    slab_destroy(t->waits);
    slab_destroy(t->reassemblies);
    tcp_table_destroy(&t->table);
    tcp_table_destroy(&t->sources);
    sized_destroy(&t->send_memory);
    sized_destroy(&t->receive_memory);
    explicit_bzero(t, sizeof(*t));
    free(t);
}

void tcp_housekeeping(struct tcp *t)
{
    uint64_t *counters = t->ctx->counters;
    clock_look(t);
    limits_read(t);
    hg_gauge(counters, HG_C_tcp_connections, t->conns);
    hg_gauge(counters, HG_C_tcp_half_open, slab_used(t->halves));
    hg_gauge(counters, HG_C_tcp_time_wait, slab_used(t->waits));
    hg_gauge(counters, HG_C_tcp_orphans, t->orphans);
    hg_gauge(counters, HG_C_tcp_pinned_bytes, t->pinned);
    hg_gauge(counters, HG_C_tcp_send_bytes, sized_used_bytes(&t->send_memory));
    hg_gauge(counters, HG_C_tcp_receive_bytes, sized_used_bytes(&t->receive_memory));
}
