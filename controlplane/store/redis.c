/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of a connection: resolve, connect, say hello, be up, be lost, wait, again. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns.h"
#include "store/redis_impl.h"

#define TICK_MS   20
#define HEALTH_MS 1000
/* DNS and TCP together; commands have their own deadline */
#define CONNECT_MS 5000

static void set_state(struct redis *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void set_state(struct redis *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->state, sizeof(r->state), fmt, ap);
    va_end(ap);
}

static void drop_link(struct redis *r)
{
    struct redis_link *link = r->link;

    if (!link)
        return;
    r->link = NULL;
    link->r = NULL;
    redis_link_close(link);
}

void redis_lost(struct redis *r, const char *fmt, ...)
{
    char why[256];
    va_list ap;
    bool was_up = r->phase == REDIS_UP;

    if (r->phase == REDIS_IDLE || r->phase == REDIS_CLOSED)
        return;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    r->phase = REDIS_IDLE;
    r->resolve_token++;
    drop_link(r);
    r->backoff_ms = r->backoff_ms ? r->backoff_ms * 2 : r->o.backoff_min_ms;
    if (r->backoff_ms > r->o.backoff_max_ms)
        r->backoff_ms = r->o.backoff_max_ms;
    r->retry_at = uv_now(r->o.loop) + r->backoff_ms;
    set_state(r, "away: %s", why);
    redis_queue_fail(r, was_up ? "the connection to Redis was lost" : why);
    if (r->ev.down)
        r->ev.down(r->ev.arg, why);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct redis_link *link = req->data;
    struct redis *r = link->r;

    if (!r)
        return;
    if (status < 0) {
        redis_lost(r, "%s:%u: %s", r->o.host, r->o.port, uv_strerror(status));
        return;
    }
    uv_tcp_nodelay(&link->tcp, 1);
    uv_tcp_keepalive(&link->tcp, 1, 15);
    redis_link_begin(link);
}

void redis_link_ready(struct redis *r)
{
    r->phase = REDIS_HELLO;
    r->run_id[0] = '\0';
    set_state(r, "connected, asking for its role");
    redis_hello(r);
}

static void connect_to(struct redis *r, const struct sockaddr *addr)
{
    struct redis_link *link = redis_link_create(r);

    r->phase = REDIS_CONNECTING;
    if (!link) {
        redis_lost(r, "out of memory");
        return;
    }
    r->link = link;
    int rc = uv_tcp_connect(&link->connect, &link->tcp, addr, on_connected);
    if (rc < 0)
        redis_lost(r, "%s:%u: %s", r->o.host, r->o.port, uv_strerror(rc));
}

static void connect_ip(struct redis *r, const struct hg_ip *ip)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } addr;

    memset(&addr, 0, sizeof(addr));
    if (hg_ip_is4(ip)) {
        addr.v4.sin_family = AF_INET;
        addr.v4.sin_port = htons(r->o.port);
        addr.v4.sin_addr.s_addr = hg_ip_to4(ip);
    } else {
        addr.v6.sin6_family = AF_INET6;
        addr.v6.sin6_port = htons(r->o.port);
        memcpy(&addr.v6.sin6_addr, ip->b, 16);
    }
    connect_to(r, &addr.sa);
}

static void on_resolved(void *arg, const struct dns_answer *answer)
{
    struct redis *r = arg;

    if (r->phase != REDIS_RESOLVING) /* too late */
        return;
    if (answer->n == 0) {
        redis_lost(r, "%s: %s", r->o.host, answer->error);
        return;
    }
    connect_ip(r, &answer->rr[r->resolve_token % answer->n].ip);
}

static void start(struct redis *r)
{
    struct hg_ip ip;

    if (!r->o.host[0]) {
        set_state(r, "no Sentinel has named the master yet");
        return;
    }
    r->phase_deadline = uv_now(r->o.loop) + CONNECT_MS;
    r->phase = REDIS_RESOLVING;
    set_state(r, "connecting to %s:%u", r->o.host, r->o.port);
    if (hg_ip_parse(slice_str(r->o.host), &ip))
        connect_ip(r, &ip);
    else
        dns_addresses(r->o.dns, r->o.host, on_resolved, r);
}

void redis_hello_done(struct redis *r)
{
    r->phase = REDIS_UP;
    r->backoff_ms = 0;
    r->health_at = uv_now(r->o.loop) + HEALTH_MS;
    set_state(r, "connected to %s:%u", r->o.host, r->o.port);
    if (r->ev.up)
        r->ev.up(r->ev.arg);
}

static void on_tick(uv_timer_t *timer)
{
    struct redis *r = timer->data;
    uint64_t now = uv_now(r->o.loop);

    switch (r->phase) {
    case REDIS_IDLE:
        if (now >= r->retry_at)
            start(r);
        break;
    case REDIS_RESOLVING:
    case REDIS_CONNECTING:
        if (now >= r->phase_deadline)
            redis_lost(r, "%s:%u does not answer", r->o.host, r->o.port);
        break;
    case REDIS_HELLO:
    case REDIS_UP:
        if (r->link->broken) {
            redis_lost(r, "out of memory");
        } else if (redis_queue_late(r, now)) {
            redis_lost(r, "no answer within %u ms", r->o.timeout_ms);
        } else if (r->phase == REDIS_UP && r->o.kind == REDIS_MASTER && now >= r->health_at) {
            r->health_at = now + HEALTH_MS;
            redis_health(r);
        }
        break;
    case REDIS_CLOSED:
        break;
    }
}

struct redis *redis_create(const struct redis_options *options, const struct redis_events *events)
{
    struct redis *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->o = *options;
    redis_tls_ref(r->o.tls);
    r->ev = *events;
    if (!r->o.timeout_ms)
        r->o.timeout_ms = 1000;
    if (!r->o.backoff_min_ms)
        r->o.backoff_min_ms = 100;
    if (!r->o.backoff_max_ms)
        r->o.backoff_max_ms = 5000;
    if (!r->o.queue_bytes)
        r->o.queue_bytes = REDIS_QUEUE_BYTES;
    r->ring_size = r->o.pending_max ? r->o.pending_max : REDIS_PENDING_MAX;
    r->ring = calloc(r->ring_size, sizeof(r->ring[0]));
    if (!r->ring) {
        redis_tls_unref(r->o.tls);
        free(r);
        return NULL;
    }
    set_state(r, "not connected yet");
    uv_timer_init(r->o.loop, &r->timer);
    r->timer.data = r;
    uv_timer_start(&r->timer, on_tick, 0, TICK_MS);
    return r;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct redis *r = handle->data;

    explicit_bzero(r->o.password, sizeof(r->o.password));
    redis_tls_unref(r->o.tls);
    free(r->ring);
    free(r);
}

void redis_close(struct redis *r)
{
    if (!r || r->phase == REDIS_CLOSED)
        return;
    r->phase = REDIS_CLOSED;
    drop_link(r);
    redis_queue_fail(r, "the control plane stops");
    if (r->o.dns)
        dns_forget(r->o.dns, r);
    uv_timer_stop(&r->timer);
    uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

void redis_set_endpoint(struct redis *r, const char *host, uint16_t port)
{
    if (r->phase == REDIS_CLOSED || (strcmp(r->o.host, host) == 0 && r->o.port == port))
        return;
    snprintf(r->o.host, sizeof(r->o.host), "%s", host);
    r->o.port = port;
    redis_lost(r, "the master is %s:%u now", host, port);
    r->backoff_ms = 0;
    r->retry_at = 0;
}

void redis_drop(struct redis *r, const char *why)
{
    redis_lost(r, "%s", why);
}

const char *redis_run_id(const struct redis *r)
{
    return r->run_id;
}

redisReply *redis_take_reply(struct redis *r)
{
    redisReply *reply = r->reply;

    r->reply = NULL;
    return reply;
}

void redis_on_message(struct redis *r, redis_answer answer, void *arg)
{
    r->message = answer;
    r->message_arg = arg;
}

bool redis_is_up(const struct redis *r)
{
    return r && r->phase == REDIS_UP;
}

unsigned redis_replicas(const struct redis *r)
{
    return r->replicas;
}

const char *redis_state(const struct redis *r)
{
    return r->state;
}

void redis_address(const struct redis *r, char *out, size_t size)
{
    out[0] = '\0';
    if (r->o.host[0])
        snprintf(out, size, "%s:%u", r->o.host, r->o.port);
}

void redis_set_timeout(struct redis *r, unsigned timeout_ms)
{
    r->o.timeout_ms = timeout_ms;
}
