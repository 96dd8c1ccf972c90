/* SPDX-License-Identifier: BSD-2-Clause */
/* Anything at all in the rings, both directions: neither end crashes, hangs or leaks, and afterwards both
 * still get from a change to "applied". An input is a list of {operation, length, bytes}. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../controlplane/feed/feed.h"
#include "../unit/feed/feed_image.h"
#include "../unit/feed/feed_node.h"
#include "hg/records.h"
#include "route/route.h"

#define CELLS 256u

static struct {
    struct feed_node *dp;
    struct feed *cp;
    struct feed_image_file image;
    char node[64];
    uint64_t ms;
    volatile uint64_t sink;
} f;

static void on_attached(void *ctx, const struct hg_segment *segment)
{
    (void)ctx, (void)segment;
    struct hg_user_key k = {{1, 2}};
    feed_user_set(f.cp, &k, 3);
    feed_users_loaded(f.cp);
}

static void on_log(void *ctx, const struct feed_log *log)
{
    (void)ctx;
    for (unsigned i = 0; i < log->nargs; i++)
        for (uint32_t b = 0; b < log->arg[i].len; b++)
            f.sink += (uint8_t)log->arg[i].p[b];
}

static void on_trace(void *ctx, unsigned core, const struct hg_up_trace *trace, struct slice message)
{
    (void)ctx, (void)core;
    f.sink += trace->full_length;
    for (uint32_t b = 0; b < message.len; b++)
        f.sink += (uint8_t)message.p[b];
}

static void on_datagram(void *ctx, const struct hg_endpoint *src, uint64_t tsc, const void *data,
                        uint32_t length)
{
    (void)ctx;
    f.sink += src->port + tsc;
    for (uint32_t b = 0; b < length; b++)
        f.sink += ((const uint8_t *)data)[b];
    feed_datagram_send(f.cp, src, data, length);
}

/* What was believed of contacts and of who serves whom is walked over as a request would. */
static void look(uint64_t a, uint64_t b)
{
    struct route *r = feed_node_route(f.dp, 0);
    struct hg_user_key k = {{a, b}};
    struct route_targets t;
    route_contacts(r, &k, &t);
    for (unsigned i = 0; i < t.n; i++) {
        struct slice uri = route_contact_uri(r, &k, &t.t[i]);
        for (uint32_t n = 0; n < uri.len; n++)
            f.sink += (uint8_t)uri.p[n];
    }
    for (unsigned i = 0; i < HG_NODES_MAX; i++)
        if (route_serving(r, (uint16_t)i) >= HG_NODES_MAX)
            abort();
}

static void clean(void)
{
    feed_image_remove(&f.image);
}

static void turn(unsigned n)
{
    while (n--) {
        f.ms += 10;
        feed_poll(f.cp, f.ms);
        for (unsigned i = 0; i < 3; i++)
            feed_node_turn(f.dp);
        feed_node_ms(f.dp, 10);
    }
}

static bool is_urgent(unsigned op)
{
    unsigned type = op >> 2 & 15;
    if (op & 0x80)
        return true;
    return !(op & 2) &&
           (op & 1 ? type == HG_UP_DATAGRAM : type == HG_DOWN_SERVING || type == HG_DOWN_DATAGRAM);
}

static bool open_ring(struct hg_ring *ring, unsigned op)
{
    const struct hg_segment_core *c = &feed_node_segment(f.dp)->core[0];
    if (is_urgent(op))
        return hg_ring_open(ring, op & 1 ? c->urgent_up : c->urgent_down, HG_URGENT_CELLS);
    return hg_ring_open(ring, op & 1 ? c->up : c->down, CELLS);
}

/* Bit 0: up. Bit 1: the bytes as they are, header and all; else a header that fits, so that the content is
 * reached. Bit 7: the urgent lane whatever it is. */
static void put(unsigned op, const uint8_t *data, uint32_t len)
{
    static _Alignas(64) char record[HG_RECORD_MAX];
    const struct hg_segment *s = feed_node_segment(f.dp);
    struct hg_ring ring;
    struct feed_core_status status;
    uint32_t length = len;
    memcpy(record, data, len);
    if (!(op & 2) && feed_core_status(f.cp, 0, &status)) {
        uint64_t applied = is_urgent(op) ? s->core[0].area->urgent_seq : status.applied_seq;
        length = len + (uint32_t)sizeof(struct hg_record);
        memcpy(record + sizeof(struct hg_record), data, len);
        memcpy(record,
               &(struct hg_record){.type = (uint16_t)(op >> 2 & 15),
                                   .version = HG_RECORD_VERSION,
                                   .length = length,
                                   .seq = op & 1 ? f.ms + 1000 : applied + 1},
               sizeof(struct hg_record));
    }
    if (open_ring(&ring, op))
        hg_ring_put(&ring, record, length);
}

static void start(void)
{
    const struct feed_handlers handlers = {
        .on_attached = on_attached, .on_log = on_log, .on_trace = on_trace, .on_datagram = on_datagram};
    char error[HG_SEGMENT_ERROR];
    if (!f.node[0]) {
        snprintf(f.node, sizeof(f.node), "fuzz-%d", (int)getpid());
        if (!feed_image_make(f.node, 1, &f.image))
            abort();
        atexit(clean);
    }
    f.ms = 1000;
    f.dp = feed_node_start(f.node, 1, CELLS, 1000, error);
    f.cp = feed_create(f.node, &handlers, NULL);
    if (!f.dp || !f.cp || !feed_image_set(f.cp, f.image.generation, f.image.size, f.image.name))
        abort();
    turn(4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    start();
    while (size >= 3) {
        uint32_t len = data[1] | (uint32_t)data[2] << 8;
        len = len % (HG_RECORD_MAX - (uint32_t)sizeof(struct hg_record));
        if (len > size - 3)
            len = (uint32_t)size - 3;
        put(data[0], data + 3, len);
        if (data[0] & 0x40) {
            turn(1);
            look(1, 2);
        }
        data += 3 + len;
        size -= 3 + len;
    }
    turn(40);
    struct hg_user_key k = {{5, 6}};
    struct feed_token token;
    feed_user_set(f.cp, &k, 7);
    feed_mark(f.cp, &token);
    enum feed_progress p = FEED_PENDING;
    for (unsigned i = 0; i < 400 && p == FEED_PENDING; i++) {
        turn(1);
        p = feed_applied(f.cp, &token, NULL);
    }
    /* a record that was believed may have put another image in force, but nothing may hang */
    if (p != FEED_APPLIED && p != FEED_REFUSED)
        abort();
    feed_destroy(f.cp);
    feed_node_stop(f.dp);
    return 0;
}
