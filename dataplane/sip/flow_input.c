/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams in: messages are found where they lie and go through the same stages as datagrams, in bursts over
 * all connections. A message in one piece is not copied; one in pieces is put together for the burst. What is
 * not whole stays with the stream, unread. */
#include "lib/log_out.h"
#include "sip/flow.h"

#define SLICES   128
#define PER_TURN 16 /* messages of one flow, so that others get theirs */

static void burst_end_flow(struct sip *s, uint64_t id)
{
    struct flow *f = flow_of(s, id);

    if (!f)
        return;
    stream_consume(s->stream, f->stream, f->ahead);
    f->ahead = 0;
    if (!f->broken)
        return;
    ctx_count(s->ctx, HG_C_sip_stream_broken);
    stream_close(s->stream, f->stream);
    flow_free(s, f);
}

static void burst_run(struct sip *s)
{
    struct flow_burst *b = &s->flows->burst;

    if (b->n > 0)
        input_indexed(s, b->d, b->indexed, b->n);
    for (unsigned i = 0; i < b->flows; i++)
        burst_end_flow(s, b->flow[i]);
    b->n = b->flows = 0;
    s->flows->arena_used = 0;
}

/* Its bytes are consumed when the burst has run. */
static void burst_note(struct sip *s, struct flow *f, uint32_t bytes)
{
    struct flow_burst *b = &s->flows->burst;

    if (f->ahead == 0)
        b->flow[b->flows++] = flow_id(s, f);
    f->ahead += bytes;
}

/* s->msg[b->n] holds the index of the message; false: the guard does not let it pass now. */
static bool burst_add(struct sip *s, struct flow *f, const char *text, uint32_t len, enum sip_result indexed)
{
    struct flow_burst *b = &s->flows->burst;
    struct datagram *d = &b->d[b->n];

    *d = (struct datagram){
        .data = text, .len = len, .src = f->remote, .dst = f->local, .flow = flow_id(s, f), .ttl = 64};
    ctx_count(s->ctx, HG_C_sip_stream_messages);
    unsigned r = guard_check(s, d);
    if (r) {
        ctx_count(s->ctx, r);
        return false;
    }
    if (unlikely(log_trace_filter(s->ctx) != NULL))
        trace_message(s, slice_of(text, len), &d->src, &d->dst, false);
    b->indexed[b->n++] = indexed;
    return true;
}

struct view { /* what is unread of a stream, behind what the burst has of it */
    struct slice s[SLICES];
    unsigned n;
    uint32_t len;
};

static void view_skip(struct view *v, uint32_t bytes)
{
    unsigned gone = 0;

    v->len -= bytes;
    while (gone < v->n && bytes >= v->s[gone].len)
        bytes -= v->s[gone++].len;
    v->n -= gone;
    memmove(v->s, v->s + gone, v->n * sizeof(v->s[0]));
    if (v->n > 0)
        v->s[0] = slice_of(v->s[0].p + bytes, v->s[0].len - bytes);
}

static void view_of(struct sip *s, const struct flow *f, struct view *v)
{
    v->n = stream_peek(s->stream, f->stream, v->s, SLICES);
    v->len = 0;
    for (unsigned i = 0; i < v->n; i++)
        v->len += v->s[i].len;
    if (f->ahead > 0)
        view_skip(v, f->ahead);
}

/* RFC 5626 4.4.1: CRLFCRLF between messages is a ping, and CRLF its pong. Half a ping may still become a
 * whole one. */
static void skip_blank(struct sip *s, struct flow *f, struct view *v)
{
    uint32_t blank = sip_frame_blank(v->s, v->n), taken = blank == v->len ? blank & ~3u : blank;
    struct slice pong = SLICE_LIT("\r\n");

    if (taken >= 4) {
        ctx_count(s->ctx, HG_C_sip_keepalives);
        if (stream_room(s->stream, f->stream) >= pong.len)
            stream_write(s->stream, f->stream, &pong, 1);
    }
    if (taken == 0)
        return;
    if (f->ahead > 0) {
        burst_note(s, f, taken);
        view_skip(v, taken);
    } else { /* nobody points to what stands there */
        stream_consume(s->stream, f->stream, taken);
        view_of(s, f, v);
    }
}

static const char *in_one_piece(struct sip *s, const struct view *v, uint32_t len)
{
    struct flows *all = s->flows;
    char *room = all->arena + all->arena_used;

    if (v->s[0].len >= len)
        return v->s[0].p;
    if (len > FLOW_ARENA - all->arena_used)
        return NULL;
    all->arena_used += len;
    return sip_frame_flat(v->s, v->n, len, room);
}

static unsigned headers_max(const struct sip *s)
{
    return (unsigned)s->ctx->config->sip_headers_max;
}

/* The end of the stream: what can be said is said, then it is closed. */
static void broken(struct sip *s, struct flow *f, struct view *v, bool too_long)
{
    struct sip_msg *m = &s->msg[s->flows->burst.n];
    uint32_t len = f->frame.head ? f->frame.head : v->len;

    len = len < SIP_HEAD_MAX ? len : SIP_HEAD_MAX;
    const char *text = in_one_piece(s, v, len);
    burst_note(s, f, v->len);
    f->broken = true;
    if (!text)
        return;
    enum sip_result r = sip_index_with(s->isa, m, text, len, false, headers_max(s));
    if (too_long && f->frame.head) {
        m->error = SIP_E_TOO_LONG;
        r = SIP_BAD;
    }
    if (r == SIP_BAD)
        (void)burst_add(s, f, text, len, r);
}

enum next { NEXT_NONE, NEXT_AGAIN, NEXT_FULL };

/* One message more, if there is one. */
static enum next next_message(struct sip *s, struct flow *f, struct view *v)
{
    uint64_t most = (uint64_t)s->ctx->config->sip_message_max;
    struct sip_msg *m = &s->msg[s->flows->burst.n];

    if (f->frame.scanned == 0 && v->s[0].len > 0 &&
        sip_index_with(s->isa, m, v->s[0].p, v->s[0].len, false, headers_max(s)) == SIP_DONE &&
        m->len <= most) {
        burst_note(s, f, m->len);
        (void)burst_add(s, f, m->buf, m->len, SIP_DONE);
        view_skip(v, m->len);
        return NEXT_AGAIN;
    }
    char *room = s->flows->arena + FLOW_ARENA; /* behind what messages in pieces take */
    enum sip_frame_result r = sip_frame(&f->frame, v->s, v->n, (uint32_t)most, m, room);
    if (r == SIP_FRAME_MORE)
        return NEXT_NONE;
    if (r != SIP_FRAME_WHOLE) {
        broken(s, f, v, r == SIP_FRAME_LONG);
        return NEXT_NONE;
    }
    uint32_t whole = f->frame.whole;
    const char *text = in_one_piece(s, v, whole);
    if (!text)
        return NEXT_FULL;
    burst_note(s, f, whole);
    (void)burst_add(s, f, text, whole, sip_index_with(s->isa, m, text, whole, false, headers_max(s)));
    f->frame = (struct sip_frame){0};
    view_skip(v, whole);
    return NEXT_AGAIN;
}

static bool burst_full(const struct sip *s)
{
    return s->flows->burst.n == SIP_BURST || s->flows->burst.flows == SIP_BURST;
}

void flow_readable(struct sip *s, struct flow *f)
{
    uint64_t id = flow_id(s, f);
    enum next next = NEXT_AGAIN;
    struct view v;

    flow_more(s, f, false);
    flow_touch(s, f);
    view_of(s, f, &v);
    for (unsigned i = 0; i < PER_TURN; i++) {
        if (next == NEXT_FULL || burst_full(s)) {
            burst_run(s);
            f = flow_of(s, id);
            if (!f)
                return;
            view_of(s, f, &v);
        }
        if (f->frame.scanned == 0)
            skip_blank(s, f, &v);
        if (v.len == 0 || *v.s[0].p == '\r' || *v.s[0].p == '\n')
            return;
        next = next_message(s, f, &v);
        if (next == NEXT_NONE)
            return;
    }
    flow_more(s, f, true);
}

/* ---- the stage ---- */

static struct flow *accepted(struct sip *s, const struct stream_event *e)
{
    struct stream_peer peer;
    struct flow *f = NULL;

    if (stream_peer(s->stream, e->id, &peer)) {
        if (target_address_allowed(s, &peer.remote.ip))
            f = flow_new(s, &peer.local, &peer.remote);
        else
            ctx_count(s->ctx, HG_C_sip_flows_denied);
    }
    if (!f) {
        stream_abort(s->stream, e->id);
        return NULL;
    }
    ctx_count(s->ctx, HG_C_sip_flows_accepted);
    f->stream = e->id;
    f->state = FLOW_OPEN;
    stream_set_cookie(s->stream, e->id, (uint32_t)flow_id(s, f) & FLOW_INDEX_MASK);
    flow_touch(s, f);
    return f;
}

/* Who asked us still gets the answers. Of whom we asked nothing comes any more. */
static void peer_closed(struct sip *s, struct flow *f)
{
    f->deaf = true;
    flow_touch(s, f);
    if (!f->listed)
        return;
    burst_run(s);
    stream_close(s->stream, f->stream);
    flow_lost(s, f);
}

static void event(struct sip *s, const struct stream_event *e)
{
    bool opens = e->bits & STREAM_OPEN, from_there = e->listener != STREAM_NO_LISTENER;
    struct flow *f = opens && from_there ? accepted(s, e) : flow_at(s, e->cookie);

    if (!f || f->stream != e->id)
        return;
    uint64_t id = flow_id(s, f);
    if (opens && !from_there) {
        burst_run(s); /* what waited may be answered here, by the same stages */
        flow_opened(s, f);
        f = flow_of(s, id);
    }
    if (f && e->bits & STREAM_READABLE)
        flow_readable(s, f);
    f = flow_of(s, id); /* reading may have ended it */
    if (f && e->bits & STREAM_PEER_CLOSED)
        peer_closed(s, f);
    f = flow_of(s, id);
    if (f && e->bits & (STREAM_FAILED | STREAM_CLOSED)) {
        burst_run(s); /* what it sent before is still answered, as far as others are concerned */
        flow_lost(s, f);
    }
}

/* Those who had more than their share in an earlier turn; each once. */
static void read_on(struct sip *s)
{
    uint32_t last = s->flows->last_more;

    for (uint32_t i = s->flows->first_more; i != FLOW_NONE;) {
        struct flow *f = flow_at(s, i);
        uint32_t next = i == last ? FLOW_NONE : f->next_more;
        flow_readable(s, f);
        i = next;
    }
}

unsigned sip_streams(struct sip *s, const struct stream_event *e, unsigned n)
{
    unsigned more = s->flows->first_more != FLOW_NONE;

    if (n == 0 && !more)
        return 0;
    (void)hg_user_domain_set(&s->domain, slice_str(s->ctx->config->cluster_domain));
    read_on(s);
    for (unsigned i = 0; i < n; i++)
        event(s, &e[i]);
    burst_run(s);
    s->fenced = false;
    return n + more;
}
