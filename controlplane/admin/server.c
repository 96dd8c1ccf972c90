/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of the admin socket: lines in, lines out, everything bounded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/request.h"
#include "admin/connections.h"
#include "admin/trace.h"
#include "controlplane.h"

struct admin_client {
    uv_pipe_t pipe;
    struct admin *admin;
    struct admin_client *next, **prev;
    struct admin_request *request; /* only to know that there is one */
    bool busy, closing;
    const char *leaving; /* why it is closed once it has read what waits, or when that takes too long */
    uint64_t leave_ms;
    size_t queued;
    char *in;
    size_t len, size, scanned;
};

#define LEAVE_MS 5000

struct admin {
    uv_pipe_t server;
    struct controlplane *cp;
    struct admin_client *clients;
    struct admin_request *requests;
    unsigned nclients;
    bool closing;
    char path[108];
};

struct line_write {
    uv_write_t req;
    struct admin_client *client;
    char *text;
    size_t len;
};

static void serve(struct admin_client *c);

static void on_client_closed(uv_handle_t *handle)
{
    struct admin_client *c = handle->data;

    free(c->in);
    free(c);
}

static void client_close(struct admin_client *c)
{
    struct admin_request *next;

    if (c->closing)
        return;
    c->closing = true;
    for (struct admin_request *req = c->admin->requests; req; req = next) {
        next = req->next;
        if (req->client != c)
            continue;
        req->client = NULL;
        if (req->gone)
            req->gone(req);
    }
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->admin->nclients--;
    uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static void on_line_written(uv_write_t *req, int status)
{
    struct line_write *w = (struct line_write *)req;
    struct admin_client *c = w->client;

    c->queued -= w->len;
    free(w->text);
    free(w);
    if (status < 0 || (c->leaving && c->queued == 0))
        client_close(c);
}

/* Not at once: whoever writes to it still holds it. */
static void client_leave(struct admin_client *c, uint64_t grace_ms, const char *why)
{
    if (c->closing || c->leaving)
        return;
    c->leaving = why;
    c->leave_ms = uv_now(c->pipe.loop) + grace_ms;
    uv_read_stop((uv_stream_t *)&c->pipe);
    log_printf(&c->admin->cp->log, HG_LOG_WARNING, "admin_client",
               "a client of the admin socket is closed: %s", why);
}

bool admin_client_line(struct admin_client *c, json_t *line)
{
    if (c->closing || c->leaving)
        return false;
    if (c->queued > ADMIN_QUEUE_MAX) {
        client_leave(c, 0, "it does not read, 8 MiB wait for it");
        return false;
    }
    struct line_write *w = malloc(sizeof(*w));
    char *text = w ? json_dumps(line, JSON_COMPACT) : NULL;
    if (!text) {
        free(w);
        return false;
    }
    w->client = c;
    w->text = text;
    w->len = strlen(text);
    text[w->len++] = '\n'; /* takes the place of the NUL */
    uv_buf_t buf = uv_buf_init(text, (unsigned)w->len);
    if (uv_write(&w->req, (uv_stream_t *)&c->pipe, &buf, 1, on_line_written) < 0) {
        free(w->text);
        free(w);
        return false;
    }
    c->queued += w->len;
    return true;
}

size_t admin_client_queued(const struct admin_client *c)
{
    return c->queued;
}

void admin_client_done(struct admin_client *c)
{
    c->busy = false;
}

static void line_too_long(struct admin_client *c)
{
    json_t *line = json_pack("{s:b, s:s, s:s}", "ok", 0, "code", "bad_request", "error",
                             "a line has at most 4 MiB; the connection is closed");

    admin_client_line(c, line);
    json_decref(line);
    client_leave(c, LEAVE_MS, "it sent a line of more than 4 MiB");
}

/* Whole lines that came; a line may be answered at once or later. */
static void serve(struct admin_client *c)
{
    while (!c->busy && !c->closing && !c->leaving) {
        char *end = memchr(c->in + c->scanned, '\n', c->len - c->scanned);
        if (!end) {
            c->scanned = c->len;
            if (c->len > ADMIN_LINE_MAX)
                line_too_long(c);
            return;
        }
        size_t len = (size_t)(end - c->in);
        c->busy = true;
        admin_request_start(c->admin, c, c->admin->cp, c->in, len, &c->admin->requests);
        c->len -= len + 1;
        memmove(c->in, end + 1, c->len);
        c->scanned = 0;
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct admin_client *c = handle->data;
    size_t want = c->len + 16384;

    (void)suggested;
    if (want > c->size && c->size < ADMIN_LINE_MAX + 65536) {
        size_t size = c->size ? c->size * 2 : 32768;
        char *bigger = realloc(c->in, size < want ? want : size);
        if (bigger) {
            c->in = bigger;
            c->size = size < want ? want : size;
        }
    }
    *buf = uv_buf_init(c->in + c->len, c->in ? (unsigned)(c->size - c->len) : 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct admin_client *c = stream->data;

    (void)buf;
    if (n == UV_ENOBUFS && c->len > ADMIN_LINE_MAX) { /* while a request is under way */
        line_too_long(c);
        return;
    }
    if (n < 0) {
        client_close(c);
        return;
    }
    c->len += (size_t)n;
    serve(c);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct admin *admin = server->data;

    if (status < 0)
        return;
    struct admin_client *c = calloc(1, sizeof(*c));
    if (!c)
        return;
    uv_pipe_init(server->loop, &c->pipe, 0);
    c->pipe.data = c;
    c->admin = admin;
    c->next = admin->clients;
    c->prev = &admin->clients;
    if (c->next)
        c->next->prev = &c->next;
    admin->clients = c;
    admin->nclients++;
    if (uv_accept(server, (uv_stream_t *)&c->pipe) < 0) {
        client_close(c);
        return;
    }
    if (admin->nclients > ADMIN_CLIENTS_MAX) {
        json_t *line = json_pack("{s:b, s:s, s:s}", "ok", 0, "code", "unavailable", "error",
                                 "too many clients are connected");
        admin_client_line(c, line);
        json_decref(line);
        client_close(c);
        return;
    }
    uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

void admin_poll(struct admin *admin, uint64_t now_ms)
{
    struct admin_request *next;

    for (struct admin_request *req = admin->requests; req; req = next) {
        next = req->next;
        if (req->poll)
            req->poll(req, now_ms);
    }
    struct admin_client *following;
    for (struct admin_client *c = admin->clients; c; c = following) {
        following = c->next;
        if (c->leaving && now_ms >= c->leave_ms)
            client_close(c);
        else if (!c->busy && c->len)
            serve(c);
    }
}

void admin_trace(struct admin *admin, unsigned core, const struct hg_up_trace *trace, struct slice message)
{
    for (struct admin_request *req = admin->requests; req; req = req->next) {
        if (trace_is(req)) {
            trace_message(req, core, trace, message);
            return;
        }
    }
}

void admin_connections(struct admin *admin, unsigned core, const struct hg_up_connections *page)
{
    for (struct admin_request *req = admin->requests; req; req = req->next) {
        if (connections_wants(req, page->id)) {
            connections_page(req, core, page);
            return;
        }
    }
}

struct admin_request *admin_running_trace(struct admin *admin)
{
    for (struct admin_request *req = admin->requests; req; req = req->next)
        if (trace_is(req))
            return req;
    return NULL;
}

struct admin *admin_create(struct controlplane *cp, const char *path, char *why, unsigned size)
{
    struct admin *admin = calloc(1, sizeof(*admin));

    if (!admin) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    admin->cp = cp;
    snprintf(admin->path, sizeof(admin->path), "%s", path);
    uv_pipe_init(&cp->loop, &admin->server, 0);
    admin->server.data = admin;
    int rc = admin_socket_bind(&admin->server, path);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&admin->server, 16, on_connection);
    if (rc < 0) {
        /* libuv tells a missing directory as "permission denied" */
        snprintf(why, size, "%s: %s%s", path, uv_strerror(rc),
                 rc == UV_EADDRINUSE ? "; another control plane listens there"
                 : rc == UV_EACCES   ? "; its directory must exist and be writable"
                                     : "");
        admin->path[0] = '\0';
        admin_close(admin);
        return NULL;
    }
    return admin;
}

static void on_server_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void admin_close(struct admin *admin)
{
    if (!admin)
        return;
    admin->closing = true;
    while (admin->requests) {
        struct admin_request *req = admin->requests;
        if (req->gone) /* a stream lets go of what it holds */
            req->gone(req);
        if (admin->requests == req)
            admin_fail(req, ADMIN_UNAVAILABLE, NULL, "the control plane stops");
    }
    while (admin->clients)
        client_close(admin->clients);
    uv_close((uv_handle_t *)&admin->server, on_server_closed);
}
