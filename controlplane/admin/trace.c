/* SPDX-License-Identifier: BSD-2-Clause */
/* A few matching messages as a stream. The cores filter and limit; here only the count over all of them is
 * kept. */
#include "admin/trace.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "controlplane.h"

struct running {
    uint64_t end_ms;
    int64_t count, seen, suppressed;
};

static void poll_trace(struct admin_request *req, uint64_t now_ms);

bool trace_is(const struct admin_request *req)
{
    return req->poll == poll_trace;
}

static void stop(struct admin_request *req)
{
    struct hg_down_trace off = {0};

    feed_trace(req->cp->feed, &off);
}

static void finish(struct admin_request *req)
{
    const struct running *run = req->state;
    json_t *result =
        json_pack("{s:I, s:I}", "seen", (json_int_t)run->seen, "suppressed", (json_int_t)run->suppressed);

    stop(req);
    admin_ok(req, result);
}

static void gone(struct admin_request *req)
{
    finish(req);
}

static void poll_trace(struct admin_request *req, uint64_t now_ms)
{
    const struct running *run = req->state;

    if (now_ms >= run->end_ms)
        finish(req);
}

/* The core's time of the message on our clock: both read the same invariant counter. */
static double unix_ms(const struct hg_segment *s, uint64_t tsc)
{
    struct timespec now;
    double age = 0;

    clock_gettime(CLOCK_REALTIME, &now);
#if defined(__x86_64__)
    if (s && s->tsc_hz)
        age = (double)(int64_t)(__rdtsc() - tsc) * 1000 / (double)s->tsc_hz;
#else
    (void)s;
    (void)tsc;
#endif
    if (age < 0 || age > 3600000)
        age = 0;
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6 - age;
}

void trace_message(struct admin_request *req, unsigned core, const struct hg_up_trace *t,
                   struct slice message)
{
    struct running *run = req->state;
    char src[HG_ENDPOINT_STRLEN], dst[HG_ENDPOINT_STRLEN];

    if (run->seen >= run->count)
        return;
    if (!req->client || admin_client_queued(req->client) > ADMIN_EVENT_ROOM) {
        run->suppressed++;
        return;
    }
    char *data = malloc((size_t)message.len * 4 / 3 + 8);
    if (!data)
        return;
    EVP_EncodeBlock((unsigned char *)data, (const unsigned char *)message.p, (int)message.len);
    hg_endpoint_format(&t->src, src);
    hg_endpoint_format(&t->dst, dst);
    json_t *event = json_pack(
        "{s:f, s:i, s:s, s:s, s:s, s:I, s:s, s:I}", "time_ms", unix_ms(feed_segment(req->cp->feed), t->tsc),
        "core", (int)core, "direction", t->outgoing ? "out" : "in", "src", src, "dst", dst, "length",
        (json_int_t)t->full_length, "data", data, "suppressed", (json_int_t)run->suppressed);
    free(data);
    if (event && admin_event(req, event))
        run->seen++;
    else
        run->suppressed++;
    if (run->seen >= run->count)
        run->end_ms = 0; /* ended by the next poll: the feed's handler must not change the list of requests */
}

static bool text_arg(struct admin_request *req, const char *name, char *out, size_t size, uint8_t *len)
{
    const char *text = NULL;

    if (!admin_arg_string(req, name, &text))
        return false;
    if (text && strlen(text) > size) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "%s: at most %zu bytes", name, size);
        return false;
    }
    if (text) {
        *len = (uint8_t)strlen(text);
        memcpy(out, text, *len);
    }
    return true;
}

void admin_trace_start(struct admin_request *req)
{
    struct hg_down_trace f = {.on = 1};
    const char *address = NULL;
    int64_t count = 10, seconds = 60, rate = 50;

    if (!text_arg(req, "method", f.method, sizeof(f.method), &f.method_len) ||
        !text_arg(req, "from", f.from, sizeof(f.from), &f.from_len) ||
        !text_arg(req, "to", f.to, sizeof(f.to), &f.to_len) ||
        !text_arg(req, "uri", f.uri, sizeof(f.uri), &f.uri_len) ||
        !text_arg(req, "call_id", f.call_id, sizeof(f.call_id), &f.call_id_len) ||
        !admin_arg_string(req, "address", &address) ||
        !admin_arg_int(req, "count", 1, HG_TRACE_COUNT_MAX, &count) ||
        !admin_arg_int(req, "seconds", 1, HG_TRACE_TIME_MAX, &seconds) ||
        !admin_arg_int(req, "rate", 1, HG_TRACE_RATE_MAX, &rate))
        return;
    if (address && !hg_net_parse(slice_str(address), &f.peer)) {
        admin_fail(req, ADMIN_BAD_REQUEST, "10.0.0.0/8 or 2001:db8::1",
                   "address \"%.64s\" is no address or network", address);
        return;
    }
    if (admin_running_trace(req->admin)) {
        admin_fail(req, ADMIN_CONFLICT, NULL, "a trace is running already; end it first");
        return;
    }
    if (!feed_segment(req->cp->feed)) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status", "no dataplane is attached");
        return;
    }
    struct running *run = calloc(1, sizeof(*run));
    f.count = (uint32_t)count;
    f.seconds = (uint32_t)seconds;
    f.rate = (uint32_t)rate;
    if (!run || !feed_trace(req->cp->feed, &f)) {
        free(run);
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    run->count = count;
    run->end_ms = uv_now(&req->cp->loop) + (uint64_t)seconds * 1000;
    req->state = run;
    req->gone = gone;
    req->poll = poll_trace;
}
