/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_tcp.h"

#include <assert.h>
#include <string.h>

static struct fake_conn *of(const struct tcp *tcp, tcp_id id)
{
    if (id == 0 || id > FAKE_CONNS || tcp->conn[id - 1].closed || tcp->conn[id - 1].aborted)
        return NULL;
    return (struct fake_conn *)&tcp->conn[id - 1];
}

void fake_feed(struct fake_conn *c, const void *data, uint32_t len)
{
    assert(c->in_len + len <= FAKE_BYTES);
    memcpy(c->in + c->in_len, data, len);
    c->in_len += len;
}

unsigned tcp_peek(struct tcp *tcp, tcp_id id, struct slice *out, unsigned max)
{
    struct fake_conn *c = of(tcp, id);
    unsigned n = 0;

    if (!c)
        return 0;
    for (uint32_t at = c->in_at; at < c->in_len && n < max; at += out[n++].len)
        out[n] = slice_of(c->in + at, c->piece && c->piece < c->in_len - at ? c->piece : c->in_len - at);
    return n;
}

void tcp_consume(struct tcp *tcp, tcp_id id, uint32_t bytes)
{
    struct fake_conn *c = of(tcp, id);

    if (!c)
        return;
    assert(bytes <= c->in_len - c->in_at);
    c->in_at += bytes;
    if (c->in_at == c->in_len)
        c->in_at = c->in_len = 0;
}

uint32_t tcp_readable(const struct tcp *tcp, tcp_id id)
{
    const struct fake_conn *c = of(tcp, id);
    return c ? c->in_len - c->in_at : 0;
}

uint32_t tcp_write(struct tcp *tcp, tcp_id id, const struct slice *in, unsigned n)
{
    struct fake_conn *c = of(tcp, id);
    uint32_t took = 0;

    for (unsigned i = 0; c && i < n; i++) {
        uint32_t part = in[i].len < c->room ? in[i].len : c->room;
        assert(c->out_len + part <= FAKE_BYTES);
        memcpy(c->out + c->out_len, in[i].p, part);
        c->out_len += part;
        c->room -= part;
        took += part;
        if (part < in[i].len)
            c->wants_room = true;
    }
    return took;
}

uint32_t tcp_room(const struct tcp *tcp, tcp_id id)
{
    const struct fake_conn *c = of(tcp, id);
    return c ? c->room : 0;
}

void tcp_want_writable(struct tcp *tcp, tcp_id id)
{
    struct fake_conn *c = of(tcp, id);
    if (c)
        c->wants_room = true;
}

void tcp_flush(struct tcp *tcp, tcp_id id)
{
    (void)tcp;
    (void)id;
}

void tcp_shutdown(struct tcp *tcp, tcp_id id)
{
    struct fake_conn *c = of(tcp, id);
    if (c)
        c->shut = true;
}

void tcp_close(struct tcp *tcp, tcp_id id)
{
    struct fake_conn *c = of(tcp, id);
    if (c) {
        assert(c->in_at == c->in_len); /* else it would be a reset */
        c->closed = true;
    }
}

void tcp_abort(struct tcp *tcp, tcp_id id)
{
    struct fake_conn *c = of(tcp, id);
    if (c)
        c->aborted = true;
}
