/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/dns.h"

#include <arpa/inet.h>
#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/srv.h"

#define TRY_MS     1500
#define TRIES      3
#define TICK_MS    200
#define FAILED_TTL 5 /* s: when to ask again after a failure */
#define TYPE_SRV   33
#define CLASS_IN   1

struct socket_watch {
    uv_poll_t poll;
    struct dns *dns;
    int fd;
    struct socket_watch *next;
};

struct dns {
    uv_loop_t *loop;
    ares_channel channel;
    uv_timer_t timer;
    struct socket_watch *sockets;
    struct lookup *lookups;
    unsigned running;
    bool closing;
};

struct lookup {
    struct dns *dns;
    struct lookup *next, **prev;
    dns_done done; /* NULL once forgotten */
    void *arg;
    struct dns_answer answer;
    struct srv srv[DNS_SRV_MAX];
    int nsrv, open; /* targets; those still being looked up */
    char error[200];
};

struct target { /* addresses of one SRV target */
    struct lookup *lookup;
    int index;
};

static void on_socket_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
    struct socket_watch *w = poll->data;
    bool in = status < 0 || (events & UV_READABLE), out = status < 0 || (events & UV_WRITABLE);

    ares_process_fd(w->dns->channel, in ? w->fd : ARES_SOCKET_BAD, out ? w->fd : ARES_SOCKET_BAD);
}

static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct dns *dns = data;
    struct socket_watch **p = &dns->sockets;

    while (*p && (*p)->fd != fd)
        p = &(*p)->next;
    struct socket_watch *w = *p;
    if (!readable && !writable) {
        if (w) {
            *p = w->next;
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_socket_closed);
        }
        return;
    }
    if (!w) {
        w = calloc(1, sizeof(*w));
        if (!w)
            return; /* the query times out */
        w->dns = dns;
        w->fd = fd;
        if (uv_poll_init(dns->loop, &w->poll, fd) < 0) {
            free(w);
            return;
        }
        w->poll.data = w;
        w->next = dns->sockets;
        dns->sockets = w;
    }
    uv_poll_start(&w->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_socket_ready);
}

static void on_tick(uv_timer_t *timer)
{
    struct dns *dns = timer->data;

    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (dns->running == 0)
        uv_timer_stop(timer);
}

struct dns *dns_create(uv_loop_t *loop, const char *servers)
{
    struct dns *dns = calloc(1, sizeof(*dns));
    struct ares_options options = {.timeout = TRY_MS, .tries = TRIES, .sock_state_cb = on_socket_state};

    if (!dns)
        return NULL;
    dns->loop = loop;
    options.sock_state_cb_data = dns;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        free(dns);
        return NULL;
    }
    if (ares_init_options(&dns->channel, &options,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS) {
        ares_library_cleanup();
        free(dns);
        return NULL;
    }
    if (servers)
        ares_set_servers_ports_csv(dns->channel, servers);
    uv_timer_init(loop, &dns->timer);
    dns->timer.data = dns;
    return dns;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void dns_close(struct dns *dns)
{
    if (!dns)
        return;
    dns->closing = true;
    for (struct lookup *l = dns->lookups; l; l = l->next)
        l->done = NULL;
    ares_destroy(dns->channel); /* ends every query */
    ares_library_cleanup();
    uv_timer_stop(&dns->timer);
    uv_close((uv_handle_t *)&dns->timer, on_timer_closed);
}

unsigned dns_running(const struct dns *dns)
{
    return dns->running;
}

void dns_forget(struct dns *dns, const void *arg)
{
    for (struct lookup *l = dns->lookups; l; l = l->next)
        if (l->arg == arg)
            l->done = NULL;
}

static void finish(struct lookup *l)
{
    struct dns *dns = l->dns;

    *l->prev = l->next;
    if (l->next)
        l->next->prev = l->prev;
    dns->running--;
    if (l->answer.n > 0) {
        if (l->answer.ttl < 1)
            l->answer.ttl = 1;
    } else {
        l->answer.ttl = FAILED_TTL;
        l->answer.error = l->error;
    }
    if (l->done)
        l->done(l->arg, &l->answer);
    free(l);
}

static void failed(struct lookup *l, int status)
{
    l->answer.no_server = status == ARES_ECONNREFUSED || status == ARES_ETIMEOUT;
    if (l->answer.no_server)
        snprintf(l->error, sizeof(l->error), "no DNS server answers (%s); without DNS give an IP address",
                 ares_strerror(status));
    else
        snprintf(l->error, sizeof(l->error), "%s", ares_strerror(status));
}

static struct lookup *begin(struct dns *dns, dns_done done, void *arg)
{
    struct lookup *l = dns->closing ? NULL : calloc(1, sizeof(*l));

    if (!l) {
        struct dns_answer none = {.ttl = FAILED_TTL, .error = "out of memory"};
        done(arg, &none);
        return NULL;
    }
    *l = (struct lookup){.dns = dns, .done = done, .arg = arg, .next = dns->lookups, .prev = &dns->lookups};
    l->answer.ttl = UINT32_MAX;
    if (l->next)
        l->next->prev = &l->next;
    dns->lookups = l;
    dns->running++;
    if (!uv_is_active((uv_handle_t *)&dns->timer))
        uv_timer_start(&dns->timer, on_tick, TICK_MS, TICK_MS);
    return l;
}

static void take_addresses(struct lookup *l, const struct ares_addrinfo *info, const struct srv *srv)
{
    struct dns_answer *a = &l->answer;

    for (const struct ares_addrinfo_cname *c = info->cnames; c; c = c->next)
        if (c->ttl >= 0 && (uint32_t)c->ttl < a->ttl)
            a->ttl = (uint32_t)c->ttl;
    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
        struct dns_rr rr = {0};
        if (node->ai_family == AF_INET)
            rr.ip = hg_ip_from4(((const struct sockaddr_in *)(const void *)node->ai_addr)->sin_addr.s_addr);
        else if (node->ai_family == AF_INET6)
            memcpy(rr.ip.b, &((const struct sockaddr_in6 *)(const void *)node->ai_addr)->sin6_addr, 16);
        else
            continue;
        if (node->ai_ttl >= 0 && (uint32_t)node->ai_ttl < a->ttl)
            a->ttl = (uint32_t)node->ai_ttl;
        if (srv) {
            rr.port = srv->port;
            rr.priority = srv->priority;
            rr.weight = srv->weight;
        }
        if (a->n < DNS_ANSWER_MAX)
            a->rr[a->n++] = rr;
    }
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct lookup *l = arg;

    (void)timeouts;
    if (status == ARES_SUCCESS && info)
        take_addresses(l, info, NULL);
    if (l->answer.n == 0)
        failed(l, status == ARES_SUCCESS ? ARES_ENODATA : status);
    if (info)
        ares_freeaddrinfo(info);
    finish(l);
}

static void ask_addresses(struct dns *dns, const char *name, ares_addrinfo_callback done, void *arg)
{
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_flags = ARES_AI_NOSORT};

    ares_getaddrinfo(dns->channel, name, NULL, &hints, done, arg);
}

void dns_addresses(struct dns *dns, const char *name, dns_done done, void *arg)
{
    struct lookup *l = begin(dns, done, arg);

    if (l)
        ask_addresses(dns, name, on_addresses, l);
}

static void on_target(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct target *t = arg;
    struct lookup *l = t->lookup;

    (void)timeouts;
    if (status == ARES_SUCCESS && info)
        take_addresses(l, info, &l->srv[t->index]);
    else
        failed(l, status);
    if (info)
        ares_freeaddrinfo(info);
    free(t);
    if (--l->open == 0)
        finish(l);
}

static void on_service(void *arg, int status, int timeouts, unsigned char *msg, int len)
{
    struct lookup *l = arg;
    uint32_t ttl = 0;

    (void)timeouts;
    if (status != ARES_SUCCESS) {
        failed(l, status);
        finish(l);
        return;
    }
    l->nsrv = srv_parse(msg, len, l->srv, DNS_SRV_MAX, &ttl);
    if (l->nsrv <= 0) {
        snprintf(l->error, sizeof(l->error), l->nsrv < 0 ? "malformed SRV answer" : "no SRV record");
        finish(l);
        return;
    }
    l->answer.ttl = ttl;
    snprintf(l->error, sizeof(l->error), "the SRV record says that there is no such service");
    l->open = 1; /* ours, so that early answers do not finish it */
    for (int i = 0; i < l->nsrv; i++) {
        struct target *t = l->srv[i].target[0] ? malloc(sizeof(*t)) : NULL;
        if (!t)
            continue;
        *t = (struct target){.lookup = l, .index = i};
        l->open++;
        ask_addresses(l->dns, l->srv[i].target, on_target, t);
    }
    if (--l->open == 0)
        finish(l);
}

void dns_service(struct dns *dns, const char *name, dns_done done, void *arg)
{
    struct lookup *l = begin(dns, done, arg);

    if (l)
        ares_query(dns->channel, name, CLASS_IN, TYPE_SRV, on_service, l);
}
