/* SPDX-License-Identifier: BSD-2-Clause */
/* libmicrohttpd without threads of its own: its epoll descriptor stands in our loop. */
#include "counters/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane.h"
#include "counters/prometheus.h"
#include "hg/endpoint.h"
#include "node/ready.h"

struct http {
    struct controlplane *cp;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned open; /* handles */
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned code, char *text, size_t len,
                             enum MHD_ResponseMemoryMode mode, const char *type)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(len, text, mode);

    if (!response) {
        if (mode == MHD_RESPMEM_MUST_FREE)
            free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_static(struct MHD_Connection *connection, unsigned code, const char *text)
{
    return reply(connection, code, (char *)(uintptr_t)text, strlen(text), MHD_RESPMEM_PERSISTENT,
                 "text/plain");
}

static enum MHD_Result metrics(struct controlplane *cp, struct MHD_Connection *connection)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return MHD_NO;
    prometheus_write(cp, out);
    if (fclose(out) != 0) {
        free(text);
        return MHD_NO;
    }
    return reply(connection, MHD_HTTP_OK, text, len, MHD_RESPMEM_MUST_FREE, "text/plain; version=0.0.4");
}

static enum MHD_Result health(struct controlplane *cp, struct MHD_Connection *connection)
{
    char reasons[READY_TEXT];

    if (ready_reasons(cp, reasons, sizeof(reasons)) == 0)
        return reply_static(connection, MHD_HTTP_OK, "ready\n");
    size_t len = strlen(reasons);
    return reply(connection, MHD_HTTP_SERVICE_UNAVAILABLE, reasons, len, MHD_RESPMEM_MUST_COPY, "text/plain");
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body, size_t *body_len,
                                  void **state)
{
    struct http *http = cls;

    (void)version;
    (void)body;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        if (*state == NULL) { /* the headers are answered before any body is read */
            *state = http;
            return reply_static(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        }
        *body_len = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/metrics") == 0)
        return metrics(http->cp, connection);
    if (strcmp(url, "/healthz") == 0)
        return health(http->cp, connection);
    return reply_static(connection, MHD_HTTP_NOT_FOUND, "/metrics or /healthz\n");
}

static void run(struct http *http);

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG wait;

    MHD_run(http->daemon);
    if (MHD_get_timeout(http->daemon, &wait) == MHD_YES)
        uv_timer_start(&http->timer, on_timer, wait, 0);
    else
        uv_timer_stop(&http->timer);
}

static const struct sockaddr *bind_address(const struct hg_config *config, struct sockaddr_in6 *v6,
                                           struct sockaddr_in *v4)
{
    struct hg_ip ip;

    memset(v4, 0, sizeof(*v4));
    memset(v6, 0, sizeof(*v6));
    if (!hg_ip_parse(slice_str(config->metrics_address), &ip))
        return NULL;
    if (hg_ip_is4(&ip)) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)config->metrics_port);
        v4->sin_addr.s_addr = hg_ip_to4(&ip);
        return (struct sockaddr *)v4;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)config->metrics_port);
    memcpy(&v6->sin6_addr, ip.b, 16);
    return (struct sockaddr *)v6;
}

static void quiet(void *arg, const char *fmt, va_list ap)
{
    (void)arg;
    (void)fmt;
    (void)ap;
}

struct http *http_create(struct controlplane *cp, char *why, unsigned size)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    const struct sockaddr *addr = bind_address(cp->config, &v6, &v4);

    if (!addr) {
        snprintf(why, size, "node.metrics.address \"%s\" is not an IP address", cp->config->metrics_address);
        return NULL;
    }
    struct http *http = calloc(1, sizeof(*http));
    if (!http) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    http->cp = cp;
    unsigned flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (addr->sa_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    http->daemon = MHD_start_daemon(flags, (uint16_t)cp->config->metrics_port, NULL, NULL, on_request, http,
                                    MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL, MHD_OPTION_SOCK_ADDR, addr,
                                    MHD_OPTION_CONNECTION_LIMIT, 64u, MHD_OPTION_PER_IP_CONNECTION_LIMIT, 16u,
                                    MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                    (size_t)16384, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        http->daemon ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        snprintf(why, size, "the metrics endpoint cannot listen on %s port %d; is the port taken?",
                 cp->config->metrics_address, (int)cp->config->metrics_port);
        if (http->daemon)
            MHD_stop_daemon(http->daemon);
        free(http);
        return NULL;
    }
    uv_poll_init(&cp->loop, &http->poll, info->epoll_fd);
    uv_timer_init(&cp->loop, &http->timer);
    http->poll.data = http->timer.data = http;
    http->open = 2;
    uv_poll_start(&http->poll, UV_READABLE, on_ready);
    return http;
}

static void on_closed(uv_handle_t *handle)
{
    struct http *http = handle->data;

    if (--http->open == 0)
        free(http);
}

void http_close(struct http *http)
{
    if (!http)
        return;
    uv_poll_stop(&http->poll);
    uv_timer_stop(&http->timer);
    uv_close((uv_handle_t *)&http->poll, on_closed);
    uv_close((uv_handle_t *)&http->timer, on_closed);
    MHD_stop_daemon(http->daemon);
}
