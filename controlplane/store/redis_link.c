/* SPDX-License-Identifier: BSD-2-Clause */
/* One TCP connection: bytes out, answers in, in clear or by TLS. */
#include <stdlib.h>

#include "store/redis_impl.h"

#define PLAIN_ROOM 16384 /* a TLS record */

struct redis_link *redis_link_create(struct redis *r)
{
    struct redis_link *link = calloc(1, sizeof(*link));

    if (!link)
        return NULL;
    link->reader = redisReaderCreate();
    if (r->o.tls)
        link->tls = redis_tls_open(r->o.tls, r->o.host);
    if (!link->reader || (r->o.tls && !link->tls)) {
        if (link->reader)
            redisReaderFree(link->reader);
        redis_tls_close(link->tls);
        free(link);
        return NULL;
    }
    link->r = r;
    link->connect.data = link;
    uv_tcp_init(r->o.loop, &link->tcp);
    link->tcp.data = link;
    return link;
}

static void on_closed(uv_handle_t *handle)
{
    struct redis_link *link = handle->data;

    redisReaderFree(link->reader);
    redis_tls_close(link->tls);
    free(link);
}

void redis_link_close(struct redis_link *link)
{
    uv_close((uv_handle_t *)&link->tcp, on_closed);
}

/* ---- out ---- */
struct write {
    uv_write_t req;
    struct redis_link *link;
    size_t len;
    char *bytes;
    void (*release)(char *bytes);
};

static void on_written(uv_write_t *req, int status)
{
    struct write *w = (struct write *)req;
    struct redis_link *link = w->link;

    link->queued -= w->len;
    w->release(w->bytes);
    free(w);
    if (status < 0 && status != UV_ECANCELED && link->r)
        redis_lost(link->r, "write: %s", uv_strerror(status));
}

static bool send_bytes(struct redis_link *link, char *bytes, size_t len, void (*release)(char *bytes))
{
    struct write *w = malloc(sizeof(*w));
    uv_buf_t buf = uv_buf_init(bytes, (unsigned)len);

    if (w) {
        *w = (struct write){.link = link, .len = len, .bytes = bytes, .release = release};
        link->queued += len;
        if (uv_write(&w->req, (uv_stream_t *)&link->tcp, &buf, 1, on_written) == 0)
            return true;
        link->queued -= len;
    }
    free(w);
    release(bytes);
    return false;
}

static void free_bytes(char *bytes)
{
    free(bytes);
}

/* What TLS has to say. A record that is lost here cannot be said again. */
static void flush(struct redis_link *link)
{
    size_t len;
    char *bytes = redis_tls_output(link->tls, &len);

    if (bytes && !send_bytes(link, bytes, len, free_bytes))
        link->broken = true;
}

bool redis_link_write(struct redis_link *link, char *bytes, size_t len)
{
    if (!link->tls)
        return send_bytes(link, bytes, len, redisFreeCommand);
    bool taken = !link->broken && redis_tls_write(link->tls, bytes, len);
    redisFreeCommand(bytes);
    if (taken)
        flush(link);
    else
        link->broken = true;
    return taken;
}

/* ---- in ---- */
/* An answer function may end the connection: the link then has no owner, but lives until libuv closed it. */
static void answers(struct redis_link *link)
{
    while (link->r) {
        void *reply = NULL;
        if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
            redis_lost(link->r, "not the Redis protocol: %.100s", link->reader->errstr);
            return;
        }
        if (!reply)
            return;
        struct redis *r = link->r;
        r->reply = reply;
        redis_queue_answer(r, reply);
        if (r->reply) /* an answer function does not close r: that takes turns of the loop */
            freeReplyObject(reply);
        r->reply = NULL;
    }
}

static void take(struct redis_link *link, const char *bytes, size_t len)
{
    if (redisReaderFeed(link->reader, bytes, len) == REDIS_OK)
        answers(link);
    else
        redis_lost(link->r, "out of memory");
}

static void shake(struct redis_link *link)
{
    enum redis_tls_result result = redis_tls_shake(link->tls);

    flush(link); /* an alert as well */
    if (result == REDIS_TLS_BAD || link->broken) {
        redis_lost(link->r, "%s", link->broken ? "out of memory" : redis_tls_why(link->tls));
        return;
    }
    link->secured = result == REDIS_TLS_DONE;
    if (link->secured)
        redis_link_ready(link->r);
}

static void take_secret(struct redis_link *link, const char *bytes, size_t n)
{
    enum redis_tls_result result = REDIS_TLS_DONE;
    char plain[PLAIN_ROOM];
    size_t len;

    if (!redis_tls_feed(link->tls, bytes, n)) {
        redis_lost(link->r, "out of memory");
        return;
    }
    if (!link->secured)
        shake(link);
    if (!link->secured)
        return;
    while (link->r && result == REDIS_TLS_DONE) {
        result = redis_tls_read(link->tls, plain, sizeof(plain), &len);
        if (result == REDIS_TLS_DONE)
            take(link, plain, len);
    }
    if (link->r && result == REDIS_TLS_BAD)
        redis_lost(link->r, "%s", redis_tls_why(link->tls));
    else if (link->r)
        flush(link); /* a change of keys has its answer */
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct redis_link *link = handle->data;

    (void)suggested;
    *buf = uv_buf_init(link->in, sizeof(link->in));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct redis_link *link = stream->data;

    if (!link->r || n == 0)
        return;
    if (n < 0)
        redis_lost(link->r, n == UV_EOF ? "Redis closed the connection" : "read: %s", uv_strerror((int)n));
    else if (link->tls)
        take_secret(link, buf->base, (size_t)n);
    else
        take(link, buf->base, (size_t)n);
}

void redis_link_begin(struct redis_link *link)
{
    uv_read_start((uv_stream_t *)&link->tcp, on_alloc, on_read);
    if (link->tls)
        shake(link);
    else
        redis_link_ready(link->r);
}
