/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configuration bounds, and how many connections each source has. */
#include "tcp/state.h"

#include "hg/config.h"

static uint8_t scale_for(uint32_t window)
{
    uint8_t scale = 0;
    while (scale < 14 && window >> scale > UINT16_MAX)
        scale++;
    return scale;
}

/* Sizes of what is taken at start count at start only; the rest may be changed by a reload. */
void limits_read(struct tcp *t)
{
    const struct hg_config *c = t->ctx->config;
    struct tcp_limits *l = &t->limits;
    if (!l->connections) {
        l->connections = (uint32_t)c->tcp_connections_max;
        l->half_open = (uint32_t)c->tcp_half_open_max;
        l->waits = (uint32_t)c->tcp_time_wait_max;
    }
    l->per_source = (uint32_t)c->tcp_per_source_max;
    l->window = (uint32_t)c->tcp_receive_window;
    l->scale = scale_for(l->window);
    l->send_buffer = (uint32_t)c->tcp_send_buffer;
    l->pinned = (uint32_t)c->tcp_pinned_max_kb * 1024;
    l->reassembly = (uint32_t)c->tcp_reassembly_max_kb * 1024;
    l->keepalive_ms = (uint32_t)c->tcp_keepalive_ms;
    l->keepalive_interval_ms = (uint32_t)c->tcp_keepalive_interval_ms;
    l->keepalive_probes = (uint32_t)c->tcp_keepalive_probes;
    l->user_timeout_ms = (uint32_t)c->tcp_user_timeout_ms;
    l->time_wait_ms = (uint32_t)c->tcp_time_wait_ms;
    l->rto_min_ms = (uint32_t)c->tcp_rto_min_ms;
    l->syn_retries = (uint32_t)c->tcp_syn_retries;
    l->linger_ms = (uint32_t)c->tcp_linger_ms;
    l->delayed_ack_ms = (uint32_t)c->tcp_delayed_ack_ms;
}

/* A host of IPv4; a /64 of IPv6, since whoever has one address of it has them all. */
static uint64_t source_hash(const struct tcp *t, const struct hg_ip *ip)
{
    uint64_t a, b;
    memcpy(&a, ip->b, 8);
    memcpy(&b, ip->b + 8, 8);
    return tcp_mix(a ^ t->secret[3], (hg_ip_is4(ip) ? b : 0) ^ t->secret[0]);
}

bool source_full(struct tcp *t, const struct hg_ip *ip)
{
    const uint32_t *n = t->limits.per_source ? tcp_table_count(&t->sources, source_hash(t, ip)) : NULL;
    return n && *n >= t->limits.per_source;
}

bool source_add(struct tcp *t, const struct hg_ip *ip)
{
    uint64_t hash = source_hash(t, ip);
    uint32_t *n = tcp_table_count(&t->sources, hash);
    if (!n)
        return tcp_table_add(&t->sources, hash, 1);
    (*n)++;
    return true;
}

void source_remove(struct tcp *t, const struct hg_ip *ip)
{
    uint64_t hash = source_hash(t, ip);
    uint32_t *n = tcp_table_count(&t->sources, hash);
    if (n && *n > 1)
        (*n)--;
    else if (n)
        tcp_table_remove(&t->sources, hash, 1);
}
