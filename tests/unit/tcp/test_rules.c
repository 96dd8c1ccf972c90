/* SPDX-License-Identifier: BSD-2-Clause */
/* One end against segments made by hand: RFC 9293 section 3.10, RFC 5961, RFC 7323, RFC 6191, RFC 2018. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rig.h"

#define PEER_PORT 4000
#define IRS       0xfffffff0u /* numbers wrap soon */

static uint32_t iss; /* of the end under test */

static struct hand segment(uint32_t seq, uint32_t ack, uint8_t flags)
{
    return (struct hand){
        .seq = seq, .ack = ack, .flags = flags, .wnd = 65535, .from_port = PEER_PORT, .to_port = 5060};
}

static unsigned give(struct rig *r, uint32_t seq, uint32_t ack, uint8_t flags)
{
    struct hand h = segment(seq, ack, flags);
    unsigned verdict = rig_hand(&r->b, &h);
    rig_turn(&r->b);
    return verdict;
}

static unsigned give_data(struct rig *r, uint32_t seq, uint32_t ack, uint8_t flags, const char *data)
{
    struct hand h = segment(seq, ack, flags);
    h.data = data;
    h.len = (uint32_t)strlen(data);
    unsigned verdict = rig_hand(&r->b, &h);
    rig_turn(&r->b);
    return verdict;
}

static unsigned give_ts(struct rig *r, uint32_t seq, uint32_t ack, uint8_t flags, const char *data,
                        uint32_t val)
{
    uint8_t o[12];
    struct hand h = segment(seq, ack, flags);
    tcp_options_ts(o, val, r->b.last.o.ts_val);
    h.options = o;
    h.noptions = 12;
    h.data = data;
    h.len = (uint32_t)strlen(data);
    unsigned verdict = rig_hand(&r->b, &h);
    rig_turn(&r->b);
    return verdict;
}

/* b is under test; what it sends goes nowhere. */
static struct rig *open_b(void)
{
    struct rig *r = rig_open(NULL);
    r->b.mute = true;
    rig_turn(&r->b);
    return r;
}

static tcp_id accept_by_hand(struct rig *r)
{
    assert_int_equal(give(r, IRS, 0, TCP_SYN), HG_C_tcp_opening);
    assert_int_equal(r->b.last.flags, TCP_SYN | TCP_ACK);
    assert_int_equal(r->b.last.ack, IRS + 1);
    iss = r->b.last.seq;
    assert_int_equal(give(r, IRS + 1, iss + 1, TCP_ACK), HG_C_tcp_taken);
    assert_int_equal(r->b.event[r->b.nevents - 1].bits, TCP_EVENT_ACCEPTED);
    r->b.sent = 0;
    return r->b.event[r->b.nevents - 1].id;
}

static tcp_id accept_ts(struct rig *r, uint32_t val)
{
    uint8_t o[24];
    struct tcp_options offer = {
        .mss = 1460, .has = TCP_OPTION_TS | TCP_OPTION_SACK_OK | TCP_OPTION_SCALE, .scale = 7, .ts_val = val};
    struct hand h = segment(IRS, 0, TCP_SYN);
    h.options = o;
    h.noptions = tcp_options_syn(o, &offer);
    assert_int_equal(rig_hand(&r->b, &h), HG_C_tcp_opening);
    rig_turn(&r->b);
    iss = r->b.last.seq;
    assert_int_equal(r->b.last.o.has, TCP_OPTION_MSS | TCP_OPTION_TS | TCP_OPTION_SACK_OK | TCP_OPTION_SCALE);
    assert_int_equal(r->b.last.o.ts_ecr, val);
    assert_int_equal(give_ts(r, IRS + 1, iss + 1, TCP_ACK, "", val), HG_C_tcp_taken);
    r->b.sent = 0;
    return r->b.event[r->b.nevents - 1].id;
}

/* 3.10.7.1: CLOSED */
static void closed(void **state)
{
    (void)state;
    struct rig *r = open_b();
    struct hand h = segment(100, 200, TCP_SYN);
    h.to_port = 9;
    assert_int_equal(rig_hand(&r->b, &h), HG_C_tcp_refused);
    assert_int_equal(r->b.last.flags, TCP_RST | TCP_ACK);
    assert_int_equal(r->b.last.seq, 0);
    assert_int_equal(r->b.last.ack, 101);
    h.flags = TCP_ACK;
    assert_int_equal(rig_hand(&r->b, &h), HG_C_tcp_refused);
    assert_int_equal(r->b.last.flags, TCP_RST);
    assert_int_equal(r->b.last.seq, 200);
    h.flags = TCP_RST;
    unsigned sent = r->b.sent;
    assert_int_equal(rig_hand(&r->b, &h), HG_DROP_tcp_stray_reset);
    assert_int_equal(r->b.sent, sent);
    rig_close(r);
}

/* 3.10.7.2: LISTEN */
static void listening(void **state)
{
    (void)state;
    struct rig *r = open_b();
    assert_int_equal(give(r, 1, 0, TCP_RST), HG_DROP_tcp_stray_reset);
    assert_int_equal(r->b.sent, 0);
    assert_int_equal(give(r, 1, 77, TCP_ACK), HG_C_tcp_refused);
    assert_int_equal(r->b.last.flags, TCP_RST);
    assert_int_equal(r->b.last.seq, 77);
    assert_int_equal(give(r, 1, 77, TCP_SYN | TCP_ACK), HG_C_tcp_refused);
    assert_int_equal(give(r, 1, 0, 0), HG_DROP_tcp_stray);
    assert_int_equal(give(r, 1, 0, TCP_SYN), HG_C_tcp_opening);
    rig_close(r);
}

static void bad_headers(void **state)
{
    (void)state;
    struct rig *r = open_b();
    struct hand h = segment(1, 0, TCP_SYN);
    h.bad_sum = true;
    assert_int_equal(rig_hand(&r->b, &h), HG_DROP_tcp_bad_checksum);
    h.bad_sum = false;
    h.from_port = 0;
    assert_int_equal(rig_hand(&r->b, &h), HG_DROP_tcp_bad_header);
    h.from_port = PEER_PORT;
    h.options = (const uint8_t[]){2, 5, 0, 0};
    h.noptions = 4;
    assert_int_equal(rig_hand(&r->b, &h), HG_DROP_tcp_bad_header);
    assert_int_equal(r->b.sent, 0);
    rig_close(r);
}

/* SYN-RECEIVED of a passive open */
static void half_open(void **state)
{
    (void)state;
    struct rig *r = open_b();
    give(r, IRS, 0, TCP_SYN);
    iss = r->b.last.seq;
    assert_int_equal(give(r, IRS, 0, TCP_SYN), HG_C_tcp_opening); /* our answer was lost */
    assert_int_equal(r->b.last.seq, iss);
    assert_int_equal(give(r, IRS + 5, 0, TCP_RST), HG_DROP_tcp_challenged);
    assert_int_equal(give(r, IRS - 5, 0, TCP_RST), HG_DROP_tcp_out_of_window);
    assert_int_equal(give(r, IRS + 1, iss + 9, TCP_ACK), HG_DROP_tcp_bad_ack);
    assert_int_equal(r->b.last.flags, TCP_RST);
    assert_int_equal(r->b.last.seq, iss + 9);
    assert_int_equal(give(r, IRS + 1, 0, 0), HG_DROP_tcp_stray);
    assert_int_equal(slab_used(r->b.tcp->halves), 1);
    assert_int_equal(give(r, IRS + 1, 0, TCP_RST), HG_C_tcp_opening);
    assert_int_equal(slab_used(r->b.tcp->halves), 0);
    give(r, IRS, 0, TCP_SYN);
    rig_run(r, 70000);
    assert_int_equal(slab_used(r->b.tcp->halves), 0);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_half_open_timeouts), 1);
    rig_close(r);
}

/* The third segment may carry data and a FIN. */
static void third_segment_with_all(void **state)
{
    (void)state;
    struct rig *r = open_b();
    give(r, IRS, 0, TCP_SYN);
    iss = r->b.last.seq;
    assert_int_equal(give_data(r, IRS + 1, iss + 1, TCP_ACK | TCP_FIN, "hello"), HG_C_tcp_taken);
    assert_int_equal(r->b.event[0].bits, TCP_EVENT_ACCEPTED | TCP_EVENT_READABLE | TCP_EVENT_PEER_CLOSED);
    assert_int_equal(r->b.ngot, 5);
    assert_int_equal(r->b.last.ack, IRS + 1 + 5 + 1);
    rig_close(r);
}

/* 3.10.7.4, first step */
static void sequence(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_by_hand(r);
    const struct tcp_conn *c = rig_conn(&r->b, id);
    uint32_t nxt = IRS + 1;
    assert_int_equal(give_data(r, nxt, iss + 1, TCP_ACK, "across the wrap of numbers"), HG_C_tcp_taken);
    assert_int_equal(r->b.ngot, 26);
    nxt += 26;
    rig_run(r, 50);
    assert_int_equal(r->b.last.ack, nxt);
    r->b.sent = 0;
    assert_int_equal(give_data(r, nxt - 26, iss + 1, TCP_ACK, "across"), HG_DROP_tcp_duplicate);
    assert_int_equal(r->b.sent, 1);
    assert_int_equal(r->b.last.ack, nxt);
    assert_int_equal(give_data(r, nxt - 3, iss + 1, TCP_ACK, "ersnew"), HG_C_tcp_taken); /* partly old */
    assert_int_equal(r->b.ngot, 29);
    assert_memory_equal(r->b.got + 26, "new", 3);
    nxt += 3;
    r->b.sent = 0;
    assert_int_equal(give_data(r, c->rcv_adv + 5, iss + 1, TCP_ACK, "far"), HG_DROP_tcp_out_of_window);
    assert_int_equal(r->b.sent, 1);
    assert_int_equal(give(r, c->rcv_adv + 5, iss + 1, TCP_ACK), HG_DROP_tcp_out_of_window);
    assert_int_equal(r->b.sent, 2);
    for (unsigned i = 0; i < 50; i++) /* limited: two ends that disagree must not answer for ever */
        give(r, c->rcv_adv + 5, iss + 1, TCP_ACK);
    assert_in_range(r->b.sent, 10, 13);
    assert_int_equal(c->rcv_nxt, nxt);
    rig_close(r);
}

/* Second step, RFC 5961 section 3 */
static void resets(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_by_hand(r);
    const struct tcp_conn *c = rig_conn(&r->b, id);
    assert_int_equal(give(r, IRS, 0, TCP_RST), HG_DROP_tcp_out_of_window);
    assert_int_equal(r->b.sent, 0);
    assert_int_equal(give(r, IRS + 9, 0, TCP_RST), HG_DROP_tcp_challenged);
    assert_int_equal(r->b.sent, 1);
    assert_int_equal(r->b.last.flags, TCP_ACK);
    assert_int_equal(c->state, TCP_ESTABLISHED);
    assert_int_equal(give(r, IRS + 1, 0, TCP_RST), HG_C_tcp_taken);
    assert_int_equal(rig_reason(&r->b, id), TCP_REASON_RESET);
    assert_int_equal(tcp_connections(r->b.tcp), 0);
    rig_close(r);
}

/* Fourth step, RFC 5961 section 4 */
static void syn_in_window(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_by_hand(r);
    assert_int_equal(give(r, IRS + 1, 0, TCP_SYN), HG_DROP_tcp_challenged);
    assert_int_equal(r->b.last.flags, TCP_ACK);
    assert_int_equal(r->b.last.ack, IRS + 1);
    assert_int_equal(give(r, IRS, 0, TCP_SYN), HG_DROP_tcp_challenged); /* one of before */
    assert_int_equal(rig_conn(&r->b, id)->state, TCP_ESTABLISHED);
    assert_int_equal(give(r, IRS + 1, 0, 0), HG_DROP_tcp_stray); /* no ACK bit */
    rig_close(r);
}

/* Fifth step, RFC 5961 section 5 */
static void acks(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_by_hand(r);
    const struct tcp_conn *c = rig_conn(&r->b, id);
    tcp_write(r->b.tcp, id, &(struct slice){"0123456789", 10}, 1);
    rig_turn(&r->b);
    assert_int_equal(r->b.last.len, 10);
    assert_int_equal(r->b.last.flags, TCP_ACK | TCP_PSH);
    assert_int_equal(give(r, IRS + 1, iss + 12, TCP_ACK), HG_DROP_tcp_bad_ack); /* of what was never sent */
    assert_int_equal(r->b.last.len, 0);
    assert_int_equal(c->snd_una, iss + 1);
    assert_int_equal(give(r, IRS + 1, iss - 100000, TCP_ACK), HG_DROP_tcp_bad_ack);
    assert_int_equal(give(r, IRS + 1, iss + 6, TCP_ACK), HG_C_tcp_taken);
    assert_int_equal(c->snd_una, iss + 6);
    assert_int_equal(c->queued, 5);
    assert_int_equal(give(r, IRS + 1, iss + 11, TCP_ACK), HG_C_tcp_taken);
    assert_null(c->flight);
    assert_null(c->snd_first);
    rig_close(r);
}

/* An old segment does not move the window (wl1, wl2). */
static void windows(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_by_hand(r);
    const struct tcp_conn *c = rig_conn(&r->b, id);
    struct hand h = segment(IRS + 1, iss + 1, TCP_ACK);
    h.wnd = 100;
    rig_hand(&r->b, &h);
    assert_int_equal(c->snd_wnd, 100);
    static const uint8_t data[500];
    tcp_write(r->b.tcp, id, &(struct slice){(const char *)data, 500}, 1);
    rig_turn(&r->b);
    assert_int_equal(c->snd_nxt - c->snd_una, 0); /* too little of the largest window: SWS */
    rig_run(r, 1100);
    assert_int_equal(r->b.last.len, 100); /* the override */
    h.ack = iss + 101;
    h.wnd = 0;
    rig_hand(&r->b, &h);
    rig_run(r, 5000);
    assert_int_equal(r->b.last.len, 1); /* one octet of new data asks for the window */
    assert_int_equal(r->b.last.seq, iss + 101);
    h.ack = iss + 102; /* it was taken */
    h.wnd = 65535;
    assert_int_equal(rig_hand(&r->b, &h), HG_C_tcp_taken);
    rig_turn(&r->b);
    assert_int_equal(r->b.last.seq, iss + 102);
    assert_int_equal(r->b.last.len, 399);
    rig_close(r);
}

/* Eighth step and the states behind it */
static void fins(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_by_hand(r);
    const struct tcp_conn *c = rig_conn(&r->b, id);
    assert_int_equal(give(r, IRS + 1, iss + 1, TCP_FIN | TCP_ACK), HG_C_tcp_taken);
    assert_int_equal(c->state, TCP_CLOSE_WAIT);
    assert_int_equal(r->b.last.ack, IRS + 2);
    assert_int_equal(give(r, IRS + 1, iss + 1, TCP_FIN | TCP_ACK), HG_DROP_tcp_duplicate);
    assert_int_equal(r->b.last.ack, IRS + 2);
    tcp_write(r->b.tcp, id, &(struct slice){"bye", 3}, 1);
    tcp_shutdown(r->b.tcp, id);
    rig_turn(&r->b);
    assert_int_equal(r->b.last.flags, TCP_FIN | TCP_ACK | TCP_PSH);
    assert_int_equal(r->b.last.len, 3);
    assert_int_equal(c->state, TCP_LAST_ACK);
    assert_int_equal(give(r, IRS + 2, iss + 5, TCP_ACK), HG_C_tcp_taken);
    assert_int_equal(rig_bits(&r->b, id) & TCP_EVENT_CLOSED, TCP_EVENT_CLOSED);
    assert_int_equal(r->b.tcp->table.used, 0);
    rig_close(r);
}

static void time_wait(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_by_hand(r);
    tcp_shutdown(r->b.tcp, id);
    rig_turn(&r->b);
    assert_int_equal(rig_conn(&r->b, id)->state, TCP_FIN_WAIT_1);
    give(r, IRS + 1, iss + 2, TCP_ACK);
    assert_int_equal(rig_conn(&r->b, id)->state, TCP_FIN_WAIT_2);
    give(r, IRS + 1, iss + 2, TCP_FIN | TCP_ACK);
    assert_int_equal(slab_used(r->b.tcp->waits), 1);
    assert_int_equal(r->b.last.ack, IRS + 2);
    rig_run(r, 40000);
    r->b.sent = 0;
    assert_int_equal(give(r, IRS + 1, iss + 2, TCP_FIN | TCP_ACK), HG_C_tcp_taken); /* our ACK was lost */
    assert_int_equal(r->b.sent, 1);
    assert_int_equal(r->b.last.ack, IRS + 2);
    rig_run(r, 40000);
    assert_int_equal(slab_used(r->b.tcp->waits), 1); /* twice the lifetime from then on */
    assert_int_equal(give(r, IRS - 100, 0, TCP_SYN), HG_DROP_tcp_out_of_window);
    assert_int_equal(give(r, IRS + 2, iss + 2, TCP_ACK), HG_C_tcp_taken);
    uint32_t nxt = iss + 2;
    assert_int_equal(give(r, IRS + 100, 0, TCP_SYN), HG_C_tcp_opening); /* a later one takes over */
    assert_int_equal(r->b.last.flags, TCP_SYN | TCP_ACK);
    assert_true(seq_gt(r->b.last.seq, nxt));
    assert_int_equal(slab_used(r->b.tcp->waits), 0);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_time_wait_reused), 1);
    rig_close(r);
}

static void time_wait_is_bounded(void **state)
{
    (void)state;
    struct rig *r = open_b();
    for (unsigned i = 0; i < 100; i++) {
        struct hand h = segment(IRS, 0, TCP_SYN);
        h.from_port = (uint16_t)(1000 + i);
        rig_hand(&r->b, &h);
        h.seq = IRS + 1;
        h.ack = r->b.last.seq + 1;
        h.flags = TCP_ACK;
        rig_hand(&r->b, &h);
        rig_turn(&r->b);
        tcp_id id = r->b.event[r->b.nevents - 1].id;
        r->b.nevents = 0;
        tcp_close(r->b.tcp, id);
        rig_turn(&r->b);
        h.ack++;
        h.flags = TCP_ACK | TCP_FIN;
        rig_hand(&r->b, &h);
        rig_turn(&r->b);
    }
    assert_int_equal(slab_used(r->b.tcp->waits), 64);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_time_wait_evicted), 36);
    assert_int_equal(tcp_connections(r->b.tcp), 0);
    rig_close(r);
}

/* RFC 7323 */
static void timestamps(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_ts(r, 1000);
    const struct tcp_conn *c = rig_conn(&r->b, id);
    assert_int_equal(give_ts(r, IRS + 1, iss + 1, TCP_ACK, "one", 1010), HG_C_tcp_taken);
    assert_int_equal(c->ts_recent, 1010);
    rig_run(r, 100);
    r->b.sent = 0;
    assert_int_equal(give_ts(r, IRS + 4, iss + 1, TCP_ACK, "old", 1005), HG_DROP_tcp_paws);
    assert_int_equal(r->b.sent, 1);
    assert_int_equal(r->b.ngot, 3);
    assert_int_equal(give_data(r, IRS + 4, iss + 1, TCP_ACK, "none"), HG_DROP_tcp_no_timestamp);
    assert_int_equal(give_ts(r, IRS + 9, iss + 1, TCP_ACK, "hole", 1020), HG_C_tcp_taken);
    assert_int_equal(c->ts_recent, 1010); /* not of what is behind a hole */
    assert_int_equal(r->b.last.o.ts_ecr, 1010);
    assert_int_equal(give(r, IRS + 4, 0, TCP_RST), HG_C_tcp_taken); /* a reset needs none */
    rig_close(r);
}

/* RFC 2018, RFC 2883; and of octets that come twice the first ones count */
static void out_of_order(void **state)
{
    (void)state;
    struct rig *r = open_b();
    accept_ts(r, 1000);
    uint32_t base = IRS + 1;
    give_ts(r, base + 4, iss + 1, TCP_ACK, "efgh", 1001);
    assert_int_equal(r->b.last.o.sacks, 1);
    assert_int_equal(r->b.last.o.sack[0].from, base + 4);
    assert_int_equal(r->b.last.o.sack[0].to, base + 8);
    give_ts(r, base + 12, iss + 1, TCP_ACK, "mnop", 1001);
    assert_int_equal(r->b.last.o.sacks, 2);
    assert_int_equal(r->b.last.o.sack[0].from, base + 12); /* the latest first */
    assert_int_equal(r->b.last.o.sack[1].from, base + 4);
    give_ts(r, base + 2, iss + 1, TCP_ACK, "CDXXXX", 1001); /* overlaps what is there */
    assert_int_equal(r->b.last.o.sack[0].from, base + 2);
    assert_int_equal(r->b.last.o.sack[0].to, base + 8);
    assert_int_equal(give_ts(r, base + 5, iss + 1, TCP_ACK, "ZZ", 1001), HG_DROP_tcp_duplicate);
    assert_int_equal(r->b.last.o.sack[0].from, base + 5); /* D-SACK */
    assert_int_equal(r->b.last.o.sack[0].to, base + 7);
    assert_int_equal(r->b.ngot, 0);
    give_ts(r, base + 6, iss + 1, TCP_ACK, "YYijklYY", 1001);
    give_ts(r, base, iss + 1, TCP_ACK, "abYY", 1001);
    assert_int_equal(r->b.ngot, 16);
    assert_memory_equal(r->b.got, "abCDefghijklmnop", 16);
    assert_int_equal(r->b.last.ack, base + 16);
    assert_int_equal(r->b.last.o.sacks, 0);
    assert_int_equal(slab_used(r->b.tcp->reassemblies), 0);
    assert_int_equal(r->b.tcp->pinned, 0);
    rig_close(r);
}

static void fin_out_of_order(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_ts(r, 1000);
    uint32_t base = IRS + 1;
    give_ts(r, base + 4, iss + 1, TCP_ACK | TCP_FIN, "", 1001);
    assert_int_equal(rig_conn(&r->b, id)->state, TCP_ESTABLISHED);
    give_ts(r, base + 2, iss + 1, TCP_ACK | TCP_FIN, "cd", 1001);
    give_ts(r, base, iss + 1, TCP_ACK, "ab", 1001);
    assert_int_equal(r->b.ngot, 4);
    assert_int_equal(rig_conn(&r->b, id)->state, TCP_CLOSE_WAIT);
    assert_int_equal(r->b.last.ack, base + 5);
    assert_int_equal(slab_used(r->b.tcp->reassemblies), 0);
    rig_close(r);
}

static void reassembly_is_bounded(void **state)
{
    (void)state;
    struct rig *r = open_b();
    accept_ts(r, 1000);
    unsigned full = 0;
    for (unsigned i = 0; i < 400; i++)
        full += give_ts(r, IRS + 10 + 2 * i, iss + 1, TCP_ACK, "x", 1001) == HG_DROP_tcp_reassembly_full;
    assert_true(full > 100);
    assert_true(r->b.tcp->pinned <= 512 * 1024);
    rig_close(r);
}

/* RFC 4987: what the SYN said comes back with the ACK */
static void cookies(void **state)
{
    (void)state;
    struct rig *r = open_b();
    for (unsigned i = 0; i < 60; i++) {
        struct hand h = segment(IRS, 0, TCP_SYN);
        h.from_port = (uint16_t)(1000 + i);
        assert_int_equal(rig_hand(&r->b, &h), HG_C_tcp_opening);
    }
    assert_int_equal(slab_used(r->b.tcp->halves), 48);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_cookies_sent), 12);
    tcp_id id = accept_ts(r, 1000);
    const struct tcp_conn *c = rig_conn(&r->b, id);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_cookies_good), 1);
    assert_int_equal(c->mss, 1460);
    assert_int_equal(c->snd_scale, 7);
    assert_int_equal(c->bits & (CONN_TS | CONN_SACK | CONN_SCALE), CONN_TS | CONN_SACK | CONN_SCALE);
    assert_int_equal(give_ts(r, IRS + 1, iss + 1, TCP_ACK, "hello", 1001), HG_C_tcp_taken);
    assert_int_equal(r->b.ngot, 5);
    struct hand h = segment(IRS + 1, 12345, TCP_ACK); /* guessed */
    h.from_port = 1055;
    assert_int_equal(rig_hand(&r->b, &h), HG_C_tcp_refused);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_cookies_bad), 1);
    rig_close(r);
}

static void few(struct hg_config *c)
{
    c->tcp_connections_max = 16;
    c->tcp_per_source_max = 3;
}

static void limits(void **state)
{
    (void)state;
    struct rig *r = rig_open(few);
    r->b.mute = true;
    struct hand h = segment(IRS, 0, TCP_SYN);
    for (unsigned i = 0; i < 4; i++) {
        h.from_port++;
        h.seq = IRS;
        h.flags = TCP_SYN;
        unsigned verdict = rig_hand(&r->b, &h);
        assert_int_equal(verdict, i < 3 ? HG_C_tcp_opening : HG_DROP_tcp_source_full);
        h.seq++;
        h.ack = r->b.last.seq + 1;
        h.flags = TCP_ACK;
        if (i < 3)
            rig_hand(&r->b, &h);
    }
    h.from = "10.0.0.77";
    h.flags = TCP_SYN;
    assert_int_equal(rig_hand(&r->b, &h), HG_C_tcp_opening);
    rig_turn(&r->b);
    tcp_abort(r->b.tcp, r->b.event[0].id);
    rig_turn(&r->b);
    h.from = NULL;
    assert_int_equal(rig_hand(&r->b, &h), HG_C_tcp_opening); /* one is gone */
    rig_close(r);
}

/* RFC 1191, RFC 5927: believed only of what is in flight */
static void path_mtu(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_ts(r, 1000);
    const struct tcp_conn *c = rig_conn(&r->b, id);
    static const char data[3000];
    tcp_write(r->b.tcp, id, &(struct slice){data, 3000}, 1);
    rig_turn(&r->b);
    assert_int_equal(r->b.sent, 3);
    struct net_icmp_news news = {.local = r->b.ep.ip,
                                 .remote = r->a.ep.ip,
                                 .local_port = 5060,
                                 .remote_port = PEER_PORT,
                                 .seq = iss + 5000,
                                 .kind = NET_ICMP_MTU,
                                 .mtu = 1000};
    tcp_news(r->b.tcp, &news, 1);
    assert_int_equal(c->mss, 1460);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_icmp_ignored), 1);
    news.seq = iss + 1;
    tcp_news(r->b.tcp, &news, 1);
    assert_int_equal(c->mss, 960);
    r->b.recorded = 0;
    rig_turn(&r->b);
    assert_int_equal(r->b.recorded, 4); /* 948 + 500, twice; what was small enough stays */
    assert_int_equal(r->b.record[0].len, 948);
    assert_int_equal(r->b.record[1].len, 500);
    assert_int_equal(r->b.record[1].seq, iss + 1 + 948);
    news.kind = NET_ICMP_HARD;
    tcp_news(r->b.tcp, &news, 1);
    assert_int_equal(c->state, TCP_ESTABLISHED); /* RFC 5461 */
    rig_close(r);
}

static void black_hole(void **state)
{
    (void)state;
    struct rig *r = open_b();
    tcp_id id = accept_ts(r, 1000);
    static const char data[3000];
    tcp_write(r->b.tcp, id, &(struct slice){data, 3000}, 1);
    rig_run(r, 10000);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_blackholes), 2);
    assert_int_equal(r->b.last.len, 536 - 12);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed),
        cmocka_unit_test(listening),
        cmocka_unit_test(bad_headers),
        cmocka_unit_test(half_open),
        cmocka_unit_test(third_segment_with_all),
        cmocka_unit_test(sequence),
        cmocka_unit_test(resets),
        cmocka_unit_test(syn_in_window),
        cmocka_unit_test(acks),
        cmocka_unit_test(windows),
        cmocka_unit_test(fins),
        cmocka_unit_test(time_wait),
        cmocka_unit_test(time_wait_is_bounded),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(out_of_order),
        cmocka_unit_test(fin_out_of_order),
        cmocka_unit_test(reassembly_is_bounded),
        cmocka_unit_test(cookies),
        cmocka_unit_test(limits),
        cmocka_unit_test(path_mtu),
        cmocka_unit_test(black_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
