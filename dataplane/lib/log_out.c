/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/log_out.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "impl/segment.h"
#include "lib/log_text.h"

/* Of each id: so many at once, then one more each so many milliseconds. */
#define LOG_BURST     5
#define LOG_REFILL_MS 1000
/* Of all ids of this core together. */
#define LOG_BURST_ALL     50
#define LOG_REFILL_ALL_MS 50

struct log_bucket {
    uint64_t refilled_ms;
    uint32_t tokens;
    uint32_t suppressed;
};

struct log_out {
    struct hg_ring ring; /* ncells == 0: none, everything is dropped */
    uint64_t seq;
    struct log_bucket all;
    struct log_bucket bucket[HG_LOGS_MAX];
    /* trace */
    const struct hg_down_trace *tracing; /* &filter or 0 */
    struct hg_down_trace filter;
    struct log_bucket trace;
    uint32_t trace_left;
    uint64_t trace_until_ms;
};

static void bucket_fill(struct log_bucket *b, uint32_t tokens)
{
    *b = (struct log_bucket){.tokens = tokens};
}

static bool bucket_take(struct log_bucket *b, uint64_t ms, uint32_t burst, uint64_t refill_ms)
{
    uint64_t n = ms > b->refilled_ms ? (ms - b->refilled_ms) / refill_ms : 0;
    if (n) {
        b->refilled_ms += n * refill_ms;
        b->tokens = n >= burst - b->tokens ? burst : b->tokens + (uint32_t)n;
    }
    if (b->tokens == 0)
        return false;
    b->tokens--;
    return true;
}

struct log_out *log_out_create_null(void)
{
    struct log_out *log = calloc(1, sizeof(*log));
    if (!log)
        return NULL;
    bucket_fill(&log->all, LOG_BURST_ALL);
    for (unsigned i = 0; i < HG_LOGS_MAX; i++)
        bucket_fill(&log->bucket[i], LOG_BURST);
    return log;
}

struct log_out *log_out_create(const struct hg_segment *segment, unsigned core)
{
    struct log_out *log = log_out_create_null();
    if (!log || core >= segment->cores ||
        !hg_ring_open(&log->ring, segment->core[core].up, segment->ring_cells)) {
        free(log);
        return NULL;
    }
    hg_ring_repair_producer(&log->ring);
    return log;
}

void log_out_destroy(struct log_out *log)
{
    free(log);
}

/* Room for a record in the ring with its header filled in; the rest is written into spans, then sent. */
static bool up_begin(struct ctx *c, struct hg_record *r, uint32_t length, struct hg_spans *spans)
{
    struct log_out *log = c->log;
    if (log->ring.ncells == 0 || length > HG_RECORD_MAX || !hg_ring_reserve(&log->ring, length, spans)) {
        ctx_count(c, HG_C_up_full);
        return false;
    }
    r->version = HG_RECORD_VERSION;
    r->flags = 0;
    r->length = length;
    r->seq = ++log->seq;
    return true;
}

static void up_send(struct ctx *c, uint32_t length)
{
    hg_ring_commit(&c->log->ring, length);
    ctx_count(c, HG_C_up_records);
}

bool log_record(struct ctx *c, struct hg_record *r, uint32_t length)
{
    struct hg_spans spans;
    if (!up_begin(c, r, length, &spans))
        return false;
    hg_spans_write(&spans, 0, r, length);
    up_send(c, length);
    return true;
}

/* One token of the id's own bucket and one of all together. */
static bool log_allowed(struct ctx *c, enum hg_log_id id)
{
    struct log_out *log = c->log;
    if ((unsigned)id >= HG_LOGS_MAX)
        return false;
    if (bucket_take(&log->bucket[id], c->ms, LOG_BURST, LOG_REFILL_MS) &&
        bucket_take(&log->all, c->ms, LOG_BURST_ALL, LOG_REFILL_ALL_MS))
        return true;
    log->bucket[id].suppressed++;
    ctx_count(c, HG_C_log_suppressed);
    return false;
}

static void log_send(struct ctx *c, enum hg_log_id id, unsigned nargs, const struct slice *args)
{
    alignas(8) char out[sizeof(struct hg_up_log) + HG_LOG_ARGS_MAX * (1 + HG_LOG_ARG_MAX)];
    struct hg_up_log *h = (void *)out;
    uint32_t n = offsetof(struct hg_up_log, text);
    if (nargs > HG_LOG_ARGS_MAX)
        nargs = HG_LOG_ARGS_MAX;
    for (unsigned i = 0; i < nargs; i++) {
        uint32_t len = log_text_escape(args[i], out + n + 1, HG_LOG_ARG_MAX);
        out[n] = (char)len;
        n += 1 + len;
    }
    struct log_bucket *b = &c->log->bucket[id];
    *h = (struct hg_up_log){.r.type = HG_UP_LOG,
                            .tsc = c->tsc,
                            .id = (uint16_t)id,
                            .args = (uint8_t)nargs,
                            .suppressed = b->suppressed};
    if (log_record(c, &h->r, n))
        b->suppressed = 0;
    else
        b->suppressed++;
}

void log_event(struct ctx *c, enum hg_log_id id, unsigned nargs, const struct slice *args)
{
    if (log_allowed(c, id))
        log_send(c, id, nargs, args);
}

void log_endpoint(struct ctx *c, enum hg_log_id id, const struct hg_endpoint *ep)
{
    char text[HG_ENDPOINT_STRLEN];
    if (log_allowed(c, id))
        log_send(c, id, 1, (struct slice[]){slice_of(text, (uint32_t)hg_endpoint_format(ep, text))});
}

void log_ip(struct ctx *c, enum hg_log_id id, const struct hg_ip *ip)
{
    char text[HG_IP_STRLEN];
    if (log_allowed(c, id))
        log_send(c, id, 1, (struct slice[]){slice_of(text, (uint32_t)hg_ip_format(ip, text))});
}

void log_number(struct ctx *c, enum hg_log_id id, uint64_t a)
{
    char text[LOG_TEXT_NUMBER];
    if (log_allowed(c, id))
        log_send(c, id, 1, (struct slice[]){log_text_number(a, text)});
}

void log_numbers(struct ctx *c, enum hg_log_id id, uint64_t a, uint64_t b)
{
    char ta[LOG_TEXT_NUMBER], tb[LOG_TEXT_NUMBER];
    if (log_allowed(c, id))
        log_send(c, id, 2, (struct slice[]){log_text_number(a, ta), log_text_number(b, tb)});
}

void log_endpoint_numbers(struct ctx *c, enum hg_log_id id, const struct hg_endpoint *ep, uint64_t a,
                          uint64_t b)
{
    char te[HG_ENDPOINT_STRLEN], ta[LOG_TEXT_NUMBER], tb[LOG_TEXT_NUMBER];
    if (log_allowed(c, id))
        log_send(c, id, 3,
                 (struct slice[]){slice_of(te, (uint32_t)hg_endpoint_format(ep, te)), log_text_number(a, ta),
                                  log_text_number(b, tb)});
}

bool log_hop_state(struct ctx *c, uint16_t hop_slot, uint8_t state, const struct hg_endpoint *ep)
{
    struct hg_up_hop_state out = {.r.type = HG_UP_HOP_STATE, .ep = *ep, .hop_slot = hop_slot, .state = state};
    return log_record(c, &out.r, sizeof(out));
}

const struct hg_down_trace *log_trace_filter(const struct ctx *c)
{
    return c->log->tracing;
}

void log_trace_set(struct ctx *c, const struct hg_down_trace *filter)
{
    struct log_out *log = c->log;
    log->tracing = NULL;
    if (!filter->on)
        return;
    log->filter = *filter;
    if (log->filter.cut == 0 || log->filter.cut > HG_TRACE_CUT_MAX)
        log->filter.cut = HG_TRACE_CUT_MAX;
    log->trace = (struct log_bucket){.refilled_ms = c->ms, .tokens = filter->rate};
    log->trace_left = filter->count;
    log->trace_until_ms = c->ms + filter->seconds * 1000ull;
    log->tracing = &log->filter;
}

void log_trace_expire(struct ctx *c)
{
    struct log_out *log = c->log;
    if (log->tracing && (c->ms >= log->trace_until_ms || log->trace_left == 0))
        log->tracing = NULL;
}

static bool trace_allowed(struct ctx *c)
{
    struct log_bucket *b = &c->log->trace;
    uint32_t rate = c->log->filter.rate;
    if (c->ms >= b->refilled_ms + 1000) {
        b->refilled_ms = c->ms;
        b->tokens = rate;
    }
    if (b->tokens == 0)
        return false;
    b->tokens--;
    return true;
}

void log_trace(struct ctx *c, const struct hg_endpoint *src, const struct hg_endpoint *dst, bool outgoing,
               struct slice message)
{
    struct log_out *log = c->log;
    log_trace_expire(c);
    if (!log->tracing)
        return;
    uint32_t cut = message.len < log->filter.cut ? message.len : log->filter.cut;
    uint32_t head = (uint32_t)offsetof(struct hg_up_trace, message), length = head + cut;
    struct hg_up_trace out = {.r.type = HG_UP_TRACE, .tsc = c->tsc, .src = *src, .dst = *dst};
    struct hg_spans spans;
    if (!trace_allowed(c) || !up_begin(c, &out.r, length, &spans)) {
        log->trace.suppressed++;
        return;
    }
    out.outgoing = outgoing;
    out.full_length = message.len;
    out.suppressed = log->trace.suppressed;
    log->trace.suppressed = 0;
    hg_spans_write(&spans, 0, &out, head);
    hg_spans_write(&spans, head, message.p, cut);
    up_send(c, length);
    if (--log->trace_left == 0)
        log->tracing = NULL;
}
