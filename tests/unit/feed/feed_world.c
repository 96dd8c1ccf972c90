/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed_world.h"

struct world w;

static void on_attached(void *ctx, const struct hg_segment *segment)
{
    (void)ctx;
    w.attached++;
    w.secret = segment->header->secret;
}

static void on_detached(void *ctx)
{
    (void)ctx;
    w.detached++;
}

static void on_ready(void *ctx, unsigned core)
{
    (void)ctx;
    w.ready |= 1u << core;
}

static void on_drained(void *ctx, unsigned core)
{
    (void)ctx;
    w.drained |= 1u << core;
}

static void on_log(void *ctx, const struct feed_log *log)
{
    (void)ctx;
    w.logs++;
    w.log_suppressed = log->suppressed;
    int at = snprintf(w.log, sizeof(w.log), "%u %s", log->core, hg_log_info[log->id].name);
    for (unsigned i = 0; i < log->nargs; i++)
        at += snprintf(w.log + at, sizeof(w.log) - (size_t)at, " " SLICE_FMT, SLICE_ARG(log->arg[i]));
}

static void on_hop_state(void *ctx, unsigned core, uint16_t slot, uint8_t state, const struct hg_endpoint *ep)
{
    (void)ctx, (void)core, (void)slot, (void)state, (void)ep;
    w.hops++;
}

static void on_trace(void *ctx, unsigned core, const struct hg_up_trace *trace, struct slice message)
{
    (void)ctx, (void)core;
    w.traces++;
    w.trace = *trace;
    snprintf(w.traced, sizeof(w.traced), SLICE_FMT, SLICE_ARG(message));
}

static void on_connections(void *ctx, unsigned core, const struct hg_up_connections *page)
{
    (void)ctx;
    if (page->id != w.answer)
        return;
    w.rows[core] += page->n;
    if (page->n)
        w.last_row = page->row[page->n - 1];
    if (page->done)
        w.answered |= 1u << core;
}

static void on_datagram(void *ctx, const struct hg_endpoint *src, uint64_t tsc, const void *data,
                        uint32_t length)
{
    (void)ctx, (void)tsc;
    w.datagrams++;
    w.datagram_src = *src;
    snprintf(w.datagram, sizeof(w.datagram), "%.*s", (int)length, (const char *)data);
}

static void on_message(void *ctx, enum hg_log_level level, const char *text)
{
    (void)ctx, (void)level;
    snprintf(w.message, sizeof(w.message), "%s", text);
}

static const struct feed_handlers handlers = {
    .on_attached = on_attached,
    .on_detached = on_detached,
    .on_ready = on_ready,
    .on_drained = on_drained,
    .on_log = on_log,
    .on_trace = on_trace,
    .on_connections = on_connections,
    .on_datagram = on_datagram,
    .on_message = on_message,
    .on_hop_state = on_hop_state,
};

void start_dp(void)
{
    w.dp = feed_node_start(w.node, CORES, CELLS, 100000, w.error);
    if (!w.dp)
        fail_msg("%s", w.error);
}

void start_cp(void)
{
    w.cp = feed_create(w.node, &handlers, NULL);
    assert_non_null(w.cp);
}

int setup(void **state)
{
    (void)state;
    memset(&w, 0, sizeof(w));
    w.ms = 1000;
    snprintf(w.node, sizeof(w.node), "uf-%d", (int)getpid());
    for (unsigned i = 0; i < 4; i++)
        if (!feed_image_make(w.node, 100 + 10 * i, &w.image[i]))
            return -1;
    start_dp();
    start_cp();
    return 0;
}

int teardown(void **state)
{
    (void)state;
    feed_destroy(w.cp);
    if (w.dp)
        feed_node_stop(w.dp);
    for (unsigned i = 0; i < 4; i++)
        feed_image_remove(&w.image[i]);
    return 0;
}

struct hg_user_key key(uint64_t n)
{
    return (struct hg_user_key){{n * 0x9e3779b97f4a7c15ull, n ^ w.secret.k[0]}};
}

void set(uint64_t n, uint16_t node)
{
    struct hg_user_key k = key(n);
    assert_true(feed_user_set(w.cp, &k, node));
    assert_int_equal(feed_user_find(w.cp, &k), node);
}

void expect(uint64_t n, uint16_t node)
{
    struct hg_user_key k = key(n);
    for (unsigned i = 0; i < CORES; i++)
        assert_int_equal(feed_node_user(w.dp, i, &k), node);
}

void poll_cp(void)
{
    w.ms += 10;
    feed_poll(w.cp, w.ms);
}

void run(unsigned rounds)
{
    while (rounds--) {
        poll_cp();
        for (unsigned i = 0; i < 8; i++)
            feed_node_turn(w.dp);
        feed_node_ms(w.dp, 10);
    }
}

void give_image(unsigned i)
{
    assert_true(feed_image_set(w.cp, w.image[i].generation, w.image[i].size, w.image[i].name));
}

enum feed_progress until_applied(void)
{
    struct feed_token token;
    enum feed_progress p = FEED_PENDING;
    unsigned core;
    feed_mark(w.cp, &token);
    for (unsigned i = 0; i < 3000 && p == FEED_PENDING; i++) {
        run(1);
        p = feed_applied(w.cp, &token, &core);
    }
    return p;
}

uint64_t counter(unsigned core, unsigned id)
{
    return feed_node_segment(w.dp)->core[core].area->counters[id];
}

void attach_whole(uint64_t users)
{
    struct hg_endpoint ep = {.port = 5060};
    run(1);
    for (uint64_t n = 0; n < users; n++)
        set(n, 1 + (uint16_t)(n % 5));
    feed_users_loaded(w.cp);
    for (uint16_t i = 1; i <= 5; i++)
        assert_true(feed_node_set(w.cp, i, "a", &ep, i == 1));
    give_image(0);
    assert_int_equal(until_applied(), FEED_APPLIED);
}
