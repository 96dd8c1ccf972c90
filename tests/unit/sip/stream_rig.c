/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream_rig.h"

#include "sip/frame.h"
#include "tcp/tcp.h"

#define PIPES 128
#define BYTES (1 << 18)

struct pipe {
    bool used, open, wanted, closed, aborted, gone;
    unsigned core;
    struct hg_endpoint local, remote;
    uint16_t listener;
    uint32_t cookie;
    uint8_t bits;
    uint32_t piece, room, in_at, in_len, out_at, out_len;
    char in[BYTES], out[BYTES];
};

struct tcp {
    unsigned core;
    struct tcp_event event[TCP_EVENTS_MAX];
};

static struct pipe pipes[PIPES];

/* ---- tcp/tcp.h, as far as it is asked for ---- */

struct tcp *tcp_create(struct ctx *ctx, struct net *net)
{
    struct tcp *t = calloc(1, sizeof(*t));
    (void)net;
    t->core = ctx->core;
    return t;
}

void tcp_destroy(struct tcp *t)
{
    free(t);
}

bool tcp_listen(struct tcp *t, const struct hg_endpoint *ep, uint16_t listener,
                const struct tcp_listen_options *options)
{
    (void)t;
    (void)ep;
    (void)listener;
    (void)options;
    return true;
}

void tcp_unlisten(struct tcp *t, const struct hg_endpoint *ep)
{
    (void)t;
    (void)ep;
}

static struct pipe *pipe_new(unsigned core, const struct hg_endpoint *local, const struct hg_endpoint *remote)
{
    for (unsigned i = 0; i < PIPES; i++) {
        struct pipe *p = &pipes[i];
        if (p->used)
            continue;
        p->used = true;
        p->core = core;
        p->local = *local;
        p->remote = *remote;
        p->room = BYTES;
        return p;
    }
    return NULL;
}

static struct pipe *pipe_of(const struct tcp *t, tcp_id id)
{
    struct pipe *p = id > 0 && id <= PIPES ? &pipes[id - 1] : NULL;
    if (p)
        assert_int_equal(p->core, t->core); /* a core touches its own only */
    return p && p->used && !p->gone && !p->closed && !p->aborted ? p : NULL;
}

tcp_id tcp_connect(struct tcp *t, const struct hg_endpoint *local, const struct hg_endpoint *remote,
                   uint32_t cookie)
{
    struct pipe *p = pipe_new(t->core, local, remote);
    if (!p)
        return 0;
    p->wanted = true;
    p->listener = TCP_LISTENER_NONE;
    p->cookie = cookie;
    return (tcp_id)(p - pipes) + 1;
}

void tcp_input(struct tcp *t, struct segment *segment, unsigned n)
{
    (void)t;
    (void)segment;
    assert_int_equal(n, 0);
}

void tcp_timers(struct tcp *t, struct wheel_timer **timer, unsigned n)
{
    (void)t;
    (void)timer;
    (void)n;
}

void tcp_news(struct tcp *t, const struct net_icmp_news *news, unsigned n)
{
    (void)t;
    (void)news;
    (void)n;
}

void tcp_housekeeping(struct tcp *t)
{
    (void)t;
}

void tcp_turn_end(struct tcp *t)
{
    (void)t;
}

unsigned tcp_events(struct tcp *t, const struct tcp_event **events)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PIPES; i++) {
        struct pipe *p = &pipes[i];
        if (!p->used || p->core != t->core || p->bits == 0 || p->closed || p->aborted)
            continue;
        t->event[n++] =
            (struct tcp_event){.id = i + 1, .cookie = p->cookie, .listener = p->listener, .bits = p->bits};
        p->gone |= (p->bits & TCP_EVENT_CLOSED) != 0;
        p->bits = 0;
    }
    *events = t->event;
    return n;
}

void tcp_set_cookie(struct tcp *t, tcp_id id, uint32_t cookie)
{
    struct pipe *p = pipe_of(t, id);
    if (p)
        p->cookie = cookie;
}

unsigned tcp_peek(struct tcp *t, tcp_id id, struct slice *out, unsigned max)
{
    struct pipe *p = pipe_of(t, id);
    unsigned n = 0;
    if (!p)
        return 0;
    uint32_t piece = p->piece ? p->piece : BYTES, unread = p->in_len - p->in_at;
    if (piece * (max - 1) < unread) /* what is kept is coalesced */
        piece = unread / (max - 1) + 1;
    for (uint32_t at = p->in_at; at < p->in_len && n < max; at += out[n++].len)
        out[n] = slice_of(p->in + at, p->in_len - at < piece ? p->in_len - at : piece);
    return n;
}

void tcp_consume(struct tcp *t, tcp_id id, uint32_t bytes)
{
    struct pipe *p = pipe_of(t, id);
    if (!p)
        return;
    assert_true(bytes <= p->in_len - p->in_at);
    memset(p->in + p->in_at, '#', bytes); /* nobody may still look there */
    p->in_at += bytes;
    if (p->in_at == p->in_len)
        p->in_at = p->in_len = 0;
}

uint32_t tcp_readable(const struct tcp *t, tcp_id id)
{
    const struct pipe *p = pipe_of(t, id);
    return p ? p->in_len - p->in_at : 0;
}

uint32_t tcp_write(struct tcp *t, tcp_id id, const struct slice *in, unsigned n)
{
    struct pipe *p = pipe_of(t, id);
    uint32_t took = 0;
    for (unsigned i = 0; p && i < n; i++) {
        uint32_t part = in[i].len < p->room ? in[i].len : p->room;
        assert_true(p->open && p->out_len + part < BYTES);
        memcpy(p->out + p->out_len, in[i].p, part);
        p->out_len += part;
        p->room -= part;
        took += part;
    }
    return took;
}

uint32_t tcp_room(const struct tcp *t, tcp_id id)
{
    const struct pipe *p = pipe_of(t, id);
    return p && p->open ? p->room : 0;
}

void tcp_want_writable(struct tcp *t, tcp_id id)
{
    (void)t;
    (void)id;
}

void tcp_flush(struct tcp *t, tcp_id id)
{
    (void)t;
    (void)id;
}

void tcp_shutdown(struct tcp *t, tcp_id id)
{
    (void)t;
    (void)id;
}

void tcp_close(struct tcp *t, tcp_id id)
{
    struct pipe *p = pipe_of(t, id);
    if (p)
        p->closed = true;
}

void tcp_abort(struct tcp *t, tcp_id id)
{
    struct pipe *p = pipe_of(t, id);
    if (p)
        p->aborted = true;
}

void tcp_kill(struct tcp *t, tcp_id id)
{
    tcp_abort(t, id);
}

bool tcp_info(const struct tcp *t, tcp_id id, struct tcp_info *out)
{
    const struct pipe *p = pipe_of(t, id);
    if (!p)
        return false;
    *out = (struct tcp_info){
        .id = id, .local = p->local, .remote = p->remote, .cookie = p->cookie, .listener = p->listener};
    return true;
}

bool tcp_walk(const struct tcp *t, uint32_t *at, uint32_t look, struct tcp_info *out, unsigned max,
              unsigned *found)
{
    (void)t;
    (void)at;
    (void)look;
    (void)out;
    (void)max;
    *found = 0;
    return false;
}

uint32_t tcp_connections(const struct tcp *t)
{
    (void)t;
    return 0;
}

/* ---- the test's end ---- */

void pipes_open(unsigned cores, const char *extra)
{
    memset(pipes, 0, sizeof(pipes));
    rig_listeners = ", { address = \"10.0.0.1\"; protocol = \"tcp\"; }";
    rig_open(cores, extra);
    rig_listeners = NULL;
}

static struct hg_endpoint at(const char *text)
{
    struct hg_endpoint ep;
    assert_true(hg_endpoint_parse(slice_str(text), 5060, &ep));
    ep.proto = HG_TCP;
    return ep;
}

struct pipe *pipe_from(const char *remote, unsigned core)
{
    struct hg_endpoint us = at(US), them = at(remote);
    struct pipe *p = pipe_new(core, &us, &them);
    assert_non_null(p);
    p->open = true;
    p->listener = 2;
    p->bits = TCP_EVENT_ACCEPTED;
    harness_settle(rig.h);
    return p;
}

bool pipe_any_wanted(void)
{
    for (unsigned i = 0; i < PIPES; i++)
        if (pipes[i].used && pipes[i].wanted && !pipes[i].aborted)
            return true;
    return false;
}

struct pipe *pipe_wanted(const char *remote)
{
    struct hg_endpoint them = at(remote);
    for (unsigned i = 0; i < PIPES; i++) {
        struct pipe *p = &pipes[i];
        if (!p->used || !p->wanted || p->aborted)
            continue;
        if (!hg_endpoint_eq(&p->remote, &them))
            fail_msg("a connection is wanted elsewhere than to %s", remote);
        return p;
    }
    fail_msg("no connection is wanted to %s", remote);
    return NULL;
}

void pipe_accept(struct pipe *p)
{
    p->wanted = false;
    p->open = true;
    p->bits |= TCP_EVENT_CONNECTED;
    harness_settle(rig.h);
}

void pipe_refuse(struct pipe *p)
{
    p->wanted = false;
    p->bits |= TCP_EVENT_FAILED | TCP_EVENT_CLOSED;
    harness_settle(rig.h);
}

void pipe_say_bytes(struct pipe *p, const char *bytes, uint32_t len)
{
    assert_true(p->in_len + len <= BYTES);
    memcpy(p->in + p->in_len, bytes, len);
    p->in_len += len;
    p->bits |= TCP_EVENT_READABLE;
    harness_settle(rig.h);
}

void pipe_say(struct pipe *p, const char *text)
{
    pipe_say_bytes(p, text, (uint32_t)strlen(text));
}

void pipe_pieces(struct pipe *p, uint32_t bytes)
{
    p->piece = bytes;
}

void pipe_room(struct pipe *p, uint32_t bytes)
{
    p->room = bytes;
}

void pipe_end(struct pipe *p)
{
    p->bits |= TCP_EVENT_PEER_CLOSED;
    harness_settle(rig.h);
}

void pipe_reset(struct pipe *p)
{
    p->bits |= TCP_EVENT_FAILED | TCP_EVENT_CLOSED;
    harness_settle(rig.h);
}

void pipe_expect(struct pipe *p, const char *start)
{
    static struct sip_msg m;
    static char room[SIP_HEAD_MAX];
    struct slice s = slice_of(p->out + p->out_at, p->out_len - p->out_at);
    struct sip_frame f = {0};

    if (sip_frame(&f, &s, 1, 70000, &m, room) != SIP_FRAME_WHOLE)
        fail_msg("expected %s, there is no whole message but <%.*s>", start, SLICE_ARG(s));
    memcpy(rig.text, s.p, f.whole);
    rig.text[f.whole] = 0;
    p->out_at += f.whole;
    if (strncmp(rig.text, start, strlen(start)) != 0)
        fail_msg("expected %s, got:\n%s", start, rig.text);
    if (strncmp(rig.text, "SIP/2.0", 7) != 0)
        rig_use_request(rig.text);
}

void pipe_expect_bytes(struct pipe *p, const char *bytes)
{
    uint32_t len = (uint32_t)strlen(bytes);
    assert_true(p->out_len - p->out_at >= len);
    assert_memory_equal(p->out + p->out_at, bytes, len);
    p->out_at += len;
}

void pipe_expect_nothing(struct pipe *p)
{
    if (p->out_at != p->out_len)
        fail_msg("unexpected: %.*s", (int)(p->out_len - p->out_at), p->out + p->out_at);
}

bool pipe_closed(const struct pipe *p)
{
    return p->closed;
}

bool pipe_aborted(const struct pipe *p)
{
    return p->aborted;
}

uint32_t pipe_unread(const struct pipe *p)
{
    return p->in_len - p->in_at;
}
