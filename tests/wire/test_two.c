/* SPDX-License-Identifier: BSD-2-Clause */
/* The harness itself: what a case relies on. The rules of TCP have files of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "two.h"

static void a_connection_opens_and_closes(void **state)
{
    (void)state;
    struct two *w = two_open(NULL);
    struct sock *c, *s;
    sock_listen(w, A, 5060, 3);
    c = sock_connect(w, B, 0, 5060);
    TWO_CHECK(w, c != NULL);
    two_run(w, 200);
    s = sock_accepted(w, A);
    TWO_CHECK(w, s != NULL);
    TWO_EQUAL(w, s->listener, 3);
    WIRE_EXPECT(w, "B S seq 0 mss 1460", "A S. seq 0 ack 1 mss 1460", "B . seq 1 ack 1", "end");
    sock_send(c, 100);
    two_run(w, 200);
    TWO_EQUAL(w, s->received, 100);
    WIRE_EXPECT(w, "B P. seq 1 end 101 ack 1", "A . ack 101", "end");
    s->close_when_done = true;
    c->shut_when_sent = true;
    sock_send(c, 0);
    two_run(w, 200);
    WIRE_EXPECT(w, "B F. seq 101", "A F. ack 102", "B . seq 102 ack 2", "end");
    TWO_CHECK(w, s->closed && c->bits & TCP_EVENT_PEER_CLOSED && !s->bad);
    two_close(w);
}

static void bulk_of(bool v6)
{
    struct two *w = two_open(&(struct two_options){.v6 = v6});
    struct sock *c, *s;
    sock_pair(w, B, &c, &s);
    sock_send(c, 300000);
    sock_send(s, 200000);
    two_settle(w, 300, 20000);
    TWO_EQUAL(w, s->received, 300000);
    TWO_EQUAL(w, c->received, 200000);
    TWO_CHECK(w, !s->bad && !c->bad);
    two_close(w);
}

static void bulk_both_ways(void **state)
{
    (void)state;
    bulk_of(false);
    bulk_of(true);
}

static void rules_choose_segments(void **state)
{
    (void)state;
    struct two *w = two_open(NULL);
    struct sock *c, *s;
    sock_pair(w, B, &c, &s);
    wire_add(w, (struct wire_rule){
                    .from = B, .action = WIRE_DROP, .data = true, .has_seq = true, .seq = 3000, .count = 1});
    wire_add(w, (struct wire_rule){
                    .from = B, .action = WIRE_CORRUPT, .arg = 30, .data = true, .first = 8, .count = 1});
    wire_add(w, (struct wire_rule){
                    .from = B, .action = WIRE_DUPLICATE, .arg = 500, .data = true, .first = 5, .count = 1});
    wire_add(w, (struct wire_rule){
                    .from = B, .action = WIRE_TRUNCATE, .arg = 700, .data = true, .first = 12, .count = 1});
    wire_add(w, (struct wire_rule){
                    .from = B, .action = WIRE_DELAY, .arg = 3000, .data = true, .first = 3, .count = 1});
    sock_send(c, 60000);
    two_settle(w, 1000, 20000);
    TWO_EQUAL(w, s->received, 60000);
    TWO_CHECK(w, !s->bad);
    unsigned fates[6] = {0};
    for (unsigned i = 0; i < w->nseen; i++)
        fates[w->seen[i].fate]++;
    for (unsigned i = 1; i < 6; i++)
        TWO_EQUAL(w, fates[i], 1);
    two_close(w);
}

/* The same seed gives the same wire, to the last segment. */
static unsigned walk(uint64_t seed, uint32_t *sum)
{
    struct two *w = two_open(&(struct two_options){.seed = seed});
    struct sock *c, *s;
    sock_pair(w, A, &c, &s);
    for (unsigned i = 0; i < 2; i++) {
        w->link[i].loss = w->link[i].duplicate = w->link[i].reorder = w->link[i].corrupt = 0.02;
        w->link[i].jitter_us = 300;
    }
    sock_send(c, 200000);
    sock_send(s, 100000);
    two_settle(w, 5000, 200000);
    TWO_EQUAL(w, s->received, 200000);
    TWO_EQUAL(w, c->received, 100000);
    TWO_CHECK(w, !s->bad && !c->bad);
    *sum = 0;
    for (unsigned i = 0; i < w->nseen; i++)
        *sum = *sum * 31 + w->seen[i].seq + w->seen[i].fate + (uint32_t)w->seen[i].us;
    unsigned n = w->nseen;
    two_close(w);
    return n;
}

static void a_seed_is_a_wire(void **state)
{
    (void)state;
    uint32_t a, b;
    assert_int_equal(walk(7, &a), walk(7, &b));
    assert_int_equal(a, b);
    walk(8, &b);
    assert_int_not_equal(a, b);
}

static void a_link_has_a_rate(void **state)
{
    (void)state;
    struct two *w = two_open(NULL);
    struct sock *c, *s;
    sock_pair(w, B, &c, &s);
    w->link[B].bytes_per_s = 100000;
    uint64_t from = w->us;
    sock_send(c, 100000);
    two_settle(w, 400, 20000);
    TWO_EQUAL(w, s->received, 100000);
    uint64_t took = w->us - from - 400000;
    TWO_CHECK(w, took > 1000000 && took < 1500000);
    two_close(w);
}

static void one_end_alone(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct two *w = two_open(&(struct two_options){.lone = true, .v6 = v6});
        lone_handshake(w, (const uint8_t[]){2, 4, 5, 0xb4}, 4);
        lone_send(
            w, (struct made){
                   .flags = SEEN_ACK | SEEN_PSH, .seq = w->snd, .ack = w->rcv, .data = "\0\7\16", .len = 3});
        two_run(w, 300);
        WIRE_EXPECT(w, "B P. seq 1 len 3", "A . seq 1 ack 4", "end");
        TWO_EQUAL(w, sock_accepted(w, A)->received, 3);
        lone_send(w, (struct made){.flags = SEEN_ACK,
                                   .seq = w->snd + 3,
                                   .ack = w->rcv,
                                   .data = "\25",
                                   .len = 1,
                                   .bad_sum = true});
        two_run(w, 300);
        TWO_EQUAL(w, sock_accepted(w, A)->received, 3);
        TWO_EQUAL(w, two_count(w, A, HG_DROP_tcp_bad_checksum), 1);
        two_close(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_opens_and_closes),
        cmocka_unit_test(bulk_both_ways),
        cmocka_unit_test(rules_choose_segments),
        cmocka_unit_test(a_seed_is_a_wire),
        cmocka_unit_test(a_link_has_a_rate),
        cmocka_unit_test(one_end_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
