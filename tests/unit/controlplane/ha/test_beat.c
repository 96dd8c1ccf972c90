/* SPDX-License-Identifier: BSD-2-Clause */
/* Heartbeats on the wire: forged, replayed and garbled ones are told apart, nothing recorded is believed
 * again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ha/beat.h"
#include "ha/beat_window.h"

static struct beat_key key;
static uint64_t cluster;

static int setup(void **state)
{
    (void)state;
    beat_key_derive("secret", "StandaloneCluster", &key);
    cluster = beat_cluster("StandaloneCluster");
    return 0;
}

static struct beat full(void)
{
    return (struct beat){.kind = BEAT_ANSWER,
                         .path = BEAT_SERVICE,
                         .grants = 3,
                         .from = 2,
                         .to = 63,
                         .protocol = 7,
                         .boot = 0x1122334455667788,
                         .seq = 9,
                         .echo_boot = UINT64_MAX,
                         .echo_seq = 10,
                         .term = 11,
                         .rev = 12,
                         .epoch = 13,
                         .row = 23,
                         .order = 14,
                         .flags = 0x80000001,
                         .services = 1ull << 63,
                         .watched = 3,
                         .load = 77,
                         .unresolved = 1ull << 63 | 2,
                         .lease = 18,
                         .span = 19,
                         .train = 16,
                         .index = 17};
}

static void travels(const struct beat *b, size_t size)
{
    uint8_t wire[BEAT_TRAIN], again[BEAT_TRAIN];
    struct beat c;

    assert_int_equal(beat_encode(b, &key, cluster, wire), size);
    assert_int_equal(beat_decode(wire, size, &key, cluster, &c), BEAT_GOOD);
    beat_encode(&c, &key, cluster, again);
    assert_memory_equal(wire, again, size);
    assert_int_equal(c.services, b->services);
    assert_int_equal(c.echo_boot, b->echo_boot);
    assert_int_equal(c.index, b->index);
    assert_int_equal(c.order, b->order);
    assert_int_equal(c.load, b->load);
    assert_int_equal(c.unresolved, b->unresolved);
    assert_int_equal(c.lease, b->lease);
    assert_int_equal(c.span, b->span);
    assert_int_equal(c.grants, b->grants);
}

static void every_field_travels(void **state)
{
    struct beat b = full();

    (void)state;
    travels(&b, BEAT_SIZE);
    b.kind = BEAT_PROBE;
    travels(&b, BEAT_TRAIN);
}

static void no_bit_may_change(void **state)
{
    uint8_t wire[BEAT_SIZE];
    struct beat b = full(), c;

    (void)state;
    beat_encode(&b, &key, cluster, wire);
    for (unsigned bit = 0; bit < sizeof(wire) * 8; bit++) {
        wire[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(beat_decode(wire, sizeof(wire), &key, cluster, &c), BEAT_GOOD);
        wire[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < sizeof(wire); len++)
        assert_int_equal(beat_decode(wire, len, &key, cluster, &c), BEAT_GARBLED);
}

static void strangers_and_forgers_are_told_apart(void **state)
{
    uint8_t wire[BEAT_SIZE];
    struct beat b = full(), c;
    struct beat_key other;

    (void)state;
    beat_key_derive("secreT", "StandaloneCluster", &other);
    beat_encode(&b, &other, cluster, wire);
    assert_int_equal(beat_decode(wire, sizeof(wire), &key, cluster, &c), BEAT_FORGED);
    beat_key_derive("secret", "Other", &other);
    assert_memory_not_equal(&other, &key, sizeof(key));
    beat_encode(&b, &other, beat_cluster("Other"), wire);
    assert_int_equal(beat_decode(wire, sizeof(wire), &key, cluster, &c), BEAT_FOREIGN);
    b.from = b.to;
    beat_encode(&b, &key, cluster, wire);
    assert_int_equal(beat_decode(wire, sizeof(wire), &key, cluster, &c), BEAT_GARBLED);
}

/* Two ends; what a says is handed to b. */
struct end {
    struct beat_window w;
};

static struct beat say(struct end *from, uint64_t now)
{
    return (struct beat){.kind = BEAT_ASK,
                         .from = 1,
                         .to = 2,
                         .boot = from->w.own_boot,
                         .seq = beat_window_send(&from->w, now),
                         .echo_boot = from->w.boot,
                         .echo_seq = from->w.high};
}

static struct beat answer(struct end *from, const struct beat *hello, uint64_t now)
{
    struct beat b = say(from, now);
    b.echo_boot = hello->boot;
    b.echo_seq = hello->seq;
    return b;
}

static void meet(struct end *a, struct end *b)
{
    struct beat hello = say(a, 1);
    assert_int_equal(beat_window_take(&b->w, &hello), BEAT_HELLO);
    struct beat reply = answer(b, &hello, 2);
    assert_int_equal(beat_window_take(&a->w, &reply), BEAT_NEW_START);
    struct beat next = say(a, 3);
    assert_int_equal(beat_window_take(&b->w, &next), BEAT_NEW_START);
}

static void a_start_proves_that_it_lives(void **state)
{
    struct end a, b;

    (void)state;
    beat_window_init(&a.w, 100);
    beat_window_init(&b.w, 200);
    meet(&a, &b);
    struct beat ask = say(&a, 5000), reply;
    assert_int_equal(beat_window_take(&b.w, &ask), BEAT_FRESH);
    reply = say(&b, 6000);
    assert_int_equal(beat_window_take(&a.w, &reply), BEAT_FRESH);
    assert_int_equal(beat_window_echo(&a.w, &reply), 5000);
}

static void nothing_recorded_is_believed_again(void **state)
{
    struct end a, b, again;
    struct beat recorded[40];

    (void)state;
    beat_window_init(&a.w, 100);
    beat_window_init(&b.w, 200);
    meet(&a, &b);
    for (unsigned i = 0; i < 40; i++) {
        recorded[i] = say(&a, 10 + i);
        assert_int_equal(beat_window_take(&b.w, &recorded[i]), BEAT_FRESH);
        struct beat back = say(&b, 10 + i);
        assert_int_equal(beat_window_take(&a.w, &back), BEAT_FRESH);
    }
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(beat_window_take(&b.w, &recorded[i]), BEAT_REPLAYED);
    /* a starts anew; what its earlier start said proves nothing */
    beat_window_init(&again.w, 101);
    struct beat hello = say(&again, 100);
    assert_int_equal(beat_window_take(&b.w, &hello), BEAT_HELLO);
    struct beat reply = answer(&b, &hello, 101);
    assert_int_equal(beat_window_take(&again.w, &reply), BEAT_NEW_START);
    struct beat first = say(&again, 102);
    assert_int_equal(beat_window_take(&b.w, &first), BEAT_NEW_START);
    for (unsigned i = 0; i < 40; i++)
        assert_int_not_equal(beat_window_take(&b.w, &recorded[i]), BEAT_NEW_START);
    assert_int_equal(b.w.boot, 101);
}

/* A start that nobody met yet, recorded while b ran an earlier time: b's new start has never asked it. */
static void an_echo_of_another_start_proves_nothing(void **state)
{
    struct end a, b;

    (void)state;
    beat_window_init(&a.w, 100);
    beat_window_init(&b.w, 200);
    meet(&a, &b);
    struct beat recorded = say(&a, 9);
    beat_window_init(&b.w, 201);
    for (int i = 0; i < 300; i++)
        beat_window_send(&b.w, 10);
    assert_int_equal(beat_window_take(&b.w, &recorded), BEAT_HELLO);
    assert_int_equal(b.w.boot, 0);
}

static void order_may_change_but_nothing_counts_twice(void **state)
{
    struct end a, b;
    struct beat sent[130];
    unsigned fresh = 0;

    (void)state;
    beat_window_init(&a.w, 100);
    beat_window_init(&b.w, 200);
    meet(&a, &b);
    for (unsigned i = 0; i < 130; i++)
        sent[i] = say(&a, i);
    for (unsigned i = 0; i < 130; i++) /* pairs change places, each comes twice */
        for (unsigned twice = 0; twice < 2; twice++)
            fresh += beat_window_take(&b.w, &sent[i ^ 1]) == BEAT_FRESH;
    assert_int_equal(fresh, 130);
}

static void an_old_echo_has_no_time(void **state)
{
    struct end a;
    struct beat b = {.echo_boot = 100, .echo_seq = 1};

    (void)state;
    beat_window_init(&a.w, 100);
    assert_int_equal(beat_window_echo(&a.w, &b), 0); /* never sent */
    beat_window_send(&a.w, 77);
    assert_int_equal(beat_window_echo(&a.w, &b), 77);
    for (unsigned i = 0; i < BEAT_SENT; i++)
        beat_window_send(&a.w, 78);
    assert_int_equal(beat_window_echo(&a.w, &b), 0);
    b.echo_boot = 99;
    b.echo_seq = a.w.own_seq;
    assert_int_equal(beat_window_echo(&a.w, &b), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_travels),
        cmocka_unit_test(no_bit_may_change),
        cmocka_unit_test(strangers_and_forgers_are_told_apart),
        cmocka_unit_test(a_start_proves_that_it_lives),
        cmocka_unit_test(nothing_recorded_is_believed_again),
        cmocka_unit_test(an_echo_of_another_start_proves_nothing),
        cmocka_unit_test(order_may_change_but_nothing_counts_twice),
        cmocka_unit_test(an_old_echo_has_no_time),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
