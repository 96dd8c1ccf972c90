/* SPDX-License-Identifier: BSD-2-Clause */
/* Loss and its repair: RFC 8985, 6582, 6298, 2018, 4015, 9438; and what is short: buffers, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rig.h"

#define MSS 1448

static uint32_t want;
static bool got_it(struct rig *r)
{
    return r->b.ngot >= want;
}

/* Which data segments of a's are lost, by number; and whether what follows is late. */
struct plan {
    unsigned data, lose[8], late;
    uint32_t late_us;
    bool no_sack;
};

static bool by_plan(struct rig *r, struct rig_end *from, const struct seg *s, uint32_t *delay)
{
    struct plan *p = r->arg;
    if (from != &r->a || !s->len)
        return true;
    p->data++;
    if (p->data == p->late)
        *delay += p->late_us;
    for (unsigned i = 0; i < 8; i++)
        if (p->lose[i] == p->data)
            return false;
    return true;
}

static void send_from_a(struct rig *r, tcp_id id, uint32_t n)
{
    static uint8_t data[1000000];
    r->a.out = data;
    r->a.nout = n;
    r->a.out_at = 0;
    r->a.out_id = id;
    want = r->b.ngot + n;
}

static struct rig *open_planned(struct plan *p, tcp_id *id)
{
    struct rig *r = rig_open(NULL);
    r->delay_us = 10000;
    *id = rig_connect(r, NULL);
    rig_run(r, 100);
    r->arg = p;
    r->tamper = by_plan;
    return r;
}

/* One in the middle: repaired within a round trip or two, without a time-out, and sent once more only. */
static void one_hole(void **state)
{
    (void)state;
    struct plan p = {.lose = {3}};
    tcp_id id;
    struct rig *r = open_planned(&p, &id);
    send_from_a(r, id, 10 * MSS);
    assert_true(rig_until(r, 70, got_it));
    rig_run(r, 100);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_retransmits), 1);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_recoveries), 1);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_timeouts), 0);
    assert_true(rig_conn(&r->a, id)->ssthresh < 10 * MSS);
    rig_close(r);
}

static void three_holes_in_one_window(void **state)
{
    (void)state;
    struct plan p = {.lose = {2, 5, 8}};
    tcp_id id;
    struct rig *r = open_planned(&p, &id);
    send_from_a(r, id, 10 * MSS);
    assert_true(rig_until(r, 90, got_it));
    assert_int_equal(rig_count(&r->a, HG_C_tcp_retransmits), 3);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_recoveries), 1); /* one loss event */
    assert_int_equal(rig_count(&r->a, HG_C_tcp_timeouts), 0);
    rig_close(r);
}

/* The retransmission of segment 3 is lost as well: RACK finds it by time. */
static void lost_retransmission(void **state)
{
    (void)state;
    struct plan p = {.lose = {3, 11}};
    tcp_id id;
    struct rig *r = open_planned(&p, &id);
    send_from_a(r, id, 40 * MSS);
    assert_true(rig_until(r, 180, got_it));
    assert_int_equal(rig_count(&r->a, HG_C_tcp_timeouts), 0);
    rig_close(r);
}

/* The last ones are lost: nobody would tell, so a probe asks (RFC 8985 section 7). */
static void tail(void **state)
{
    (void)state;
    struct plan p = {.lose = {9, 10}};
    tcp_id id;
    struct rig *r = open_planned(&p, &id);
    send_from_a(r, id, 10 * MSS);
    assert_true(rig_until(r, 180, got_it)); /* sooner than any time-out */
    assert_int_equal(rig_count(&r->a, HG_C_tcp_tail_probes), 1);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_timeouts), 0);
    rig_close(r);
}

/* All of a window: time-outs, backed off, and slow start. */
static void all_lost(void **state)
{
    (void)state;
    struct plan p = {.lose = {1, 2, 3, 4, 5}};
    tcp_id id;
    struct rig *r = open_planned(&p, &id);
    send_from_a(r, id, 4 * MSS);
    rig_run(r, 600);
    assert_true(rig_count(&r->a, HG_C_tcp_timeouts) >= 1);
    assert_true(rig_until(r, 3000, got_it));
    assert_int_equal(rig_conn(&r->a, id)->backoff, 0);
    rig_close(r);
}

static void backs_off(void **state)
{
    (void)state;
    tcp_id id;
    struct plan p = {0};
    struct rig *r = open_planned(&p, &id);
    r->a.mute = true;
    r->a.recorded = 0;
    send_from_a(r, id, 100);
    rig_run(r, 20000);
    const struct tcp_conn *c = rig_conn(&r->a, id);
    assert_in_range(c->backoff, 5, 7);
    assert_in_range(r->a.recorded, 7,
                    9); /* 0, then 1, 2, 4, 8, ... times the time-out, one of them twice: the probe */
    assert_int_equal(c->cwnd, c->mss);
    rig_close(r);
}

/* Segment 3 overtaken by three others: nothing is lost, nothing is slower afterwards. */
static void reordering_is_no_loss(void **state)
{
    (void)state;
    struct plan p = {.late = 3, .late_us = 3000};
    tcp_id id;
    struct rig *r = open_planned(&p, &id);
    send_from_a(r, id, 10 * MSS);
    assert_true(rig_until(r, 90, got_it));
    rig_run(r, 100);
    uint32_t spurious = (uint32_t)rig_count(&r->a, HG_C_tcp_retransmits);
    assert_true(spurious <= 1);
    if (spurious) /* taken back by timestamps */
        assert_int_equal(rig_count(&r->a, HG_C_tcp_undos), 1);
    assert_true(rig_conn(&r->a, id)->cwnd >= 10 * MSS);
    /* from now on the path is known for it */
    p = (struct plan){.late = 3, .late_us = 3000};
    send_from_a(r, id, 10 * MSS);
    assert_true(rig_until(r, 200, got_it));
    rig_run(r, 100);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_retransmits), spurious);
    rig_close(r);
}

static bool all_late(struct rig *r, struct rig_end *from, const struct seg *s, uint32_t *delay)
{
    (void)s;
    if (from == &r->a)
        *delay += 400000;
    return true;
}

/* A path that stalls for longer than the time-out: the reaction is taken back (RFC 4015). */
static void needless_timeout(void **state)
{
    (void)state;
    struct plan p = {0};
    tcp_id id;
    struct rig *r = open_planned(&p, &id);
    r->tamper = all_late;
    send_from_a(r, id, 10 * MSS);
    rig_run(r, 300);
    r->tamper = NULL;
    assert_true(rig_until(r, 3000, got_it));
    rig_run(r, 500);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_undos), 1);
    assert_true(rig_conn(&r->a, id)->cwnd >= 10 * MSS);
    rig_close(r);
}

/* ---- a peer without SACK and timestamps, by hand ---- */

static uint32_t iss;

static tcp_id plain_peer(struct rig *r)
{
    struct hand h = {.seq = 100, .flags = TCP_SYN, .wnd = 65535, .from_port = 4000, .to_port = 5060};
    uint8_t mss[4] = {2, 4, 1000 >> 8, 1000 & 255};
    r->b.mute = true;
    h.options = mss;
    h.noptions = 4;
    rig_hand(&r->b, &h);
    iss = r->b.last.seq;
    h.seq = 101;
    h.ack = iss + 1;
    h.flags = TCP_ACK;
    h.noptions = 0;
    rig_hand(&r->b, &h);
    rig_turn(&r->b);
    return r->b.event[0].id;
}

static void ack(struct rig *r, uint32_t octets)
{
    struct hand h = {.seq = 101,
                     .ack = iss + 1 + octets,
                     .flags = TCP_ACK,
                     .wnd = 65535,
                     .from_port = 4000,
                     .to_port = 5060};
    r->us += 20000;
    r->b.recorded = 0;
    rig_hand(&r->b, &h);
    rig_turn(&r->b);
}

/* RFC 6582: the third duplicate sends the first again, a partial ACK the next hole, at once. */
static void newreno(void **state)
{
    (void)state;
    static const char data[10000];
    struct rig *r = rig_open(NULL);
    tcp_id id = plain_peer(r);
    const struct tcp_conn *c = rig_conn(&r->b, id);
    tcp_write(r->b.tcp, id, &(struct slice){data, 10000}, 1);
    rig_turn(&r->b);
    assert_int_equal(c->snd_nxt - c->snd_una, 10000);
    ack(r, 2000);
    ack(r, 2000);
    ack(r, 2000);
    assert_int_equal(r->b.recorded, 0);
    ack(r, 2000);
    assert_int_equal(r->b.recorded, 1);
    assert_int_equal(r->b.record[0].seq, iss + 1 + 2000);
    assert_int_equal(r->b.record[0].len, 1000);
    assert_true(c->bits & CONN_RECOVERY);
    ack(r, 5000); /* partial: the next hole begins there */
    assert_int_equal(r->b.record[0].seq, iss + 1 + 5000);
    assert_true(c->bits & CONN_RECOVERY);
    ack(r, 10000);
    assert_false(c->bits & CONN_RECOVERY);
    assert_int_equal(c->cwnd, c->ssthresh);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_recoveries), 1);
    rig_close(r);
}

/* An ACK a second full segment at least (RFC 5681), and no later than the delayed ACK. */
static void delayed_acks(void **state)
{
    (void)state;
    static const char data[3000];
    struct rig *r = rig_open(NULL);
    plain_peer(r);
    struct hand h = {.seq = 101,
                     .ack = iss + 1,
                     .flags = TCP_ACK,
                     .wnd = 65535,
                     .from_port = 4000,
                     .to_port = 5060,
                     .data = data,
                     .len = 1000};
    r->b.recorded = 0;
    rig_hand(&r->b, &h);
    rig_turn(&r->b);
    assert_int_equal(r->b.recorded, 0);
    rig_run(r, 30);
    assert_int_equal(r->b.recorded, 0);
    rig_run(r, 15);
    assert_int_equal(r->b.recorded, 1);
    h.seq += 1000;
    rig_hand(&r->b, &h);
    h.seq += 1000;
    rig_hand(&r->b, &h);
    rig_turn(&r->b);
    assert_int_equal(r->b.recorded, 2);
    assert_int_equal(r->b.last.ack, 101 + 3000);
    rig_close(r);
}

/* ---- what is short ---- */

static void no_buffers_for_a_while(void **state)
{
    (void)state;
    struct plan p = {0};
    tcp_id id;
    struct rig *r = open_planned(&p, &id);
    r->a.no_buffer = true;
    send_from_a(r, id, 10 * MSS);
    rig_run(r, 1000);
    assert_int_equal(r->b.ngot, 0);
    r->a.no_buffer = false;
    assert_true(rig_until(r, 3000, got_it));
    rig_close(r);
}

static void little(struct hg_config *c)
{
    c->tcp_send_memory_mb = 1; /* less than the configuration allows: 16 pieces of each size */
    c->tcp_send_buffer = 1 << 22;
    c->tcp_receive_window = 65536;
}

/* One connection takes all memory in large pieces: who writes little still can; who is refused is told later.
 */
static void send_memory_is_short(void **state)
{
    (void)state;
    struct rig *r = rig_open(little);
    static uint8_t data[4000000];
    tcp_id hog = rig_connect(r, NULL), small = rig_connect(r, NULL), late = rig_connect(r, NULL);
    r->b.deaf = true;
    struct slice all = slice_of((const char *)data, sizeof(data)), some = slice_of((const char *)data, 20000);
    assert_true(tcp_write(r->a.tcp, hog, &all, 1) < sizeof(data));
    assert_int_equal(tcp_write(r->a.tcp, small, &(struct slice){"x", 1}, 1), 1);
    assert_int_equal(tcp_write(r->a.tcp, late, &some, 1), 0);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_send_memory_short), 2);
    r->a.nevents = 0;
    tcp_abort(r->a.tcp, hog);
    rig_run(r, 100);
    assert_true(rig_bits(&r->a, late) & TCP_EVENT_WRITABLE);
    assert_int_equal(tcp_write(r->a.tcp, late, &some, 1), 20000);
    rig_close(r);
}

/* A retransmission that brings the ACK of what arrived long ago is no measure of the round trip. */
static bool acks_lost(struct rig *r, struct rig_end *from, const struct seg *s, uint32_t *delay)
{
    (void)s;
    (void)delay;
    return from == &r->a;
}

static void lost_acks_do_not_make_time_outs_longer(void **state)
{
    (void)state;
    struct plan p = {0};
    tcp_id id;
    struct rig *r = open_planned(&p, &id);
    r->tamper = acks_lost;
    send_from_a(r, id, 5 * MSS);
    rig_run(r, 5000);
    assert_int_equal(r->b.ngot, 5 * MSS);
    r->tamper = NULL;
    rig_run(r, 10000);
    const struct tcp_conn *c = rig_conn(&r->a, id);
    assert_null(c->flight);
    assert_true(c->srtt_us < 60000);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hole),
        cmocka_unit_test(three_holes_in_one_window),
        cmocka_unit_test(lost_retransmission),
        cmocka_unit_test(tail),
        cmocka_unit_test(all_lost),
        cmocka_unit_test(backs_off),
        cmocka_unit_test(reordering_is_no_loss),
        cmocka_unit_test(needless_timeout),
        cmocka_unit_test(newreno),
        cmocka_unit_test(delayed_acks),
        cmocka_unit_test(no_buffers_for_a_while),
        cmocka_unit_test(send_memory_is_short),
        cmocka_unit_test(lost_acks_do_not_make_time_outs_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
