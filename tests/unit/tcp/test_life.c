/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections from their first segment to their last, both ends ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rig.h"

static uint8_t *noise(uint32_t n)
{
    uint8_t *p = malloc(n);
    uint32_t x = 12345;
    assert_non_null(p);
    for (uint32_t i = 0; i < n; i++)
        p[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    return p;
}

static uint32_t want_a, want_b;
static bool got_it(struct rig *r)
{
    return r->a.ngot >= want_a && r->b.ngot >= want_b;
}

static void send_from(struct rig_end *e, tcp_id id, const void *p, uint32_t n)
{
    e->out = p;
    e->nout = n;
    e->out_at = 0;
    e->out_id = id;
}

static void opens_talks_closes(struct rig *r)
{
    struct tcp_info info;
    tcp_id accepted, id = rig_connect(r, &accepted);
    assert_int_equal(rig_conn(&r->a, id)->state, TCP_ESTABLISHED);
    assert_int_equal(rig_conn(&r->b, accepted)->state, TCP_ESTABLISHED);
    assert_int_equal(r->a.event[0].cookie, 42);
    assert_int_equal(r->b.event[0].listener, 7);
    r->b.echo = true;
    send_from(&r->a, id, "hello", 5);
    want_a = want_b = 5;
    assert_true(rig_until(r, 1000, got_it));
    assert_memory_equal(r->a.got, "hello", 5);
    tcp_shutdown(r->a.tcp, id);
    r->b.polite = true;
    rig_run(r, 100);
    assert_true(rig_bits(&r->b, accepted) & TCP_EVENT_PEER_CLOSED);
    assert_true(rig_bits(&r->b, accepted) & TCP_EVENT_CLOSED);
    assert_true(rig_bits(&r->a, id) & TCP_EVENT_PEER_CLOSED);
    assert_true(rig_bits(&r->a, id) & TCP_EVENT_CLOSED);
    assert_false(rig_bits(&r->a, id) & TCP_EVENT_FAILED);
    assert_int_equal(tcp_connections(r->a.tcp), 0);
    assert_int_equal(tcp_connections(r->b.tcp), 0);
    assert_int_equal(slab_used(r->a.tcp->waits), 1);
    assert_int_equal(slab_used(r->b.tcp->waits), 0);
    assert_false(tcp_info(r->a.tcp, id, &info)); /* a stale id is nobody's */
    rig_run(r, 61000);
    assert_int_equal(slab_used(r->a.tcp->waits), 0);
    assert_int_equal(r->a.tcp->table.used, 0);
    assert_int_equal(r->b.tcp->table.used, 0);
    assert_int_equal(sized_used_bytes(&r->a.tcp->send_memory), 0);
    assert_int_equal(sized_used_bytes(&r->b.tcp->send_memory), 0);
    rig_close(r);
}

static void life4(void **state)
{
    (void)state;
    opens_talks_closes(rig_open(NULL));
}

static void life6(void **state)
{
    (void)state;
    opens_talks_closes(rig_open6(NULL));
}

static void ack_travels_with_the_answer(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    tcp_id accepted, id = rig_connect(r, &accepted);
    r->b.echo = true;
    send_from(&r->a, id, "hello", 5);
    want_a = want_b = 5;
    unsigned before = r->b.sent;
    assert_true(rig_until(r, 1000, got_it));
    rig_run(r, 100);
    assert_int_equal(r->b.sent - before, 1);
    rig_close(r);
}

static bool lose_some(struct rig *r, struct rig_end *from, const struct seg *s, uint32_t *delay)
{
    (void)from;
    (void)s;
    *delay += rig_random(r) % 300;
    return rig_random(r) % 100 >= *(uint32_t *)r->arg;
}

static void bulk(uint32_t percent, uint32_t size, uint32_t limit_ms)
{
    struct rig *r = rig_open(NULL);
    uint8_t *data = noise(size);
    tcp_id accepted, id = rig_connect(r, &accepted);
    r->arg = &percent;
    r->tamper = lose_some;
    send_from(&r->a, id, data, size);
    send_from(&r->b, accepted, data, size);
    want_a = want_b = size;
    assert_true(rig_until(r, limit_ms, got_it));
    assert_int_equal(r->a.ngot, size);
    assert_memory_equal(r->a.got, data, size);
    assert_memory_equal(r->b.got, data, size);
    tcp_shutdown(r->a.tcp, id);
    tcp_shutdown(r->b.tcp, accepted);
    rig_run(r, 30000);
    assert_int_equal(tcp_connections(r->a.tcp), 0);
    assert_int_equal(tcp_connections(r->b.tcp), 0);
    assert_int_equal(sized_used_bytes(&r->a.tcp->send_memory), 0);
    rig_close(r);
    free(data);
}

static void bulk_clean(void **state)
{
    (void)state;
    bulk(0, 2000000, 3000);
}

static void bulk_lossy(void **state)
{
    (void)state;
    bulk(1, 1000000, 20000);
    bulk(5, 500000, 30000);
    bulk(20, 200000, 120000);
}

static void half_close(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    uint8_t *data = noise(300000);
    tcp_id accepted, id = rig_connect(r, &accepted);
    tcp_shutdown(r->a.tcp, id);
    rig_run(r, 50);
    assert_int_equal(rig_conn(&r->a, id)->state, TCP_FIN_WAIT_2);
    assert_int_equal(rig_conn(&r->b, accepted)->state, TCP_CLOSE_WAIT);
    send_from(&r->b, accepted, data, 300000);
    r->b.out_close = true;
    want_a = 300000;
    want_b = 0;
    assert_true(rig_until(r, 2000, got_it));
    assert_memory_equal(r->a.got, data, 300000);
    rig_run(r, 50);
    assert_true(rig_bits(&r->b, accepted) & TCP_EVENT_CLOSED);
    assert_true(rig_bits(&r->a, id) & TCP_EVENT_CLOSED);
    assert_int_equal(tcp_write(r->a.tcp, id, &(struct slice){"x", 1}, 1), 0);
    rig_close(r);
    free(data);
}

static void simultaneous_close(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    tcp_id accepted, id = rig_connect(r, &accepted);
    rig_run(r, 50);
    tcp_shutdown(r->a.tcp, id);
    tcp_shutdown(r->b.tcp, accepted);
    rig_turn(&r->a);
    rig_turn(&r->b);
    assert_int_equal(rig_conn(&r->a, id)->state, TCP_FIN_WAIT_1);
    assert_int_equal(rig_conn(&r->b, accepted)->state, TCP_FIN_WAIT_1);
    rig_run(r, 50);
    assert_int_equal(slab_used(r->a.tcp->waits), 1);
    assert_int_equal(slab_used(r->b.tcp->waits), 1);
    assert_true(rig_bits(&r->a, id) & TCP_EVENT_CLOSED);
    assert_true(rig_bits(&r->b, accepted) & TCP_EVENT_CLOSED);
    rig_close(r);
}

static void simultaneous_open(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct hg_endpoint a = r->a.ep, b = r->b.ep;
    a.port = 7001;
    b.port = 7002;
    tcp_id x = tcp_connect(r->a.tcp, &a, &b, 1), y = tcp_connect(r->b.tcp, &b, &a, 2);
    assert_true(x && y);
    rig_run(r, 500);
    assert_true(rig_bits(&r->a, x) & TCP_EVENT_CONNECTED);
    assert_true(rig_bits(&r->b, y) & TCP_EVENT_CONNECTED);
    assert_int_equal(rig_conn(&r->a, x)->state, TCP_ESTABLISHED);
    assert_int_equal(rig_conn(&r->b, y)->state, TCP_ESTABLISHED);
    r->b.echo = true;
    send_from(&r->a, x, "both", 4);
    want_a = want_b = 4;
    assert_true(rig_until(r, 1000, got_it));
    rig_close(r);
}

static void refused(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct hg_endpoint to = r->b.ep;
    to.port = 9;
    tcp_id id = tcp_connect(r->a.tcp, &(struct hg_endpoint){.ip = r->a.ep.ip}, &to, 1);
    rig_run(r, 50);
    assert_int_equal(rig_bits(&r->a, id), TCP_EVENT_FAILED | TCP_EVENT_CLOSED);
    assert_int_equal(rig_reason(&r->a, id), TCP_REASON_REFUSED);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_refused), 1);
    assert_int_equal(tcp_connections(r->a.tcp), 0);
    rig_close(r);
}

static void abort_resets(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    tcp_id accepted, id = rig_connect(r, &accepted);
    tcp_abort(r->a.tcp, id);
    rig_run(r, 50);
    assert_int_equal(rig_reason(&r->b, accepted), TCP_REASON_RESET);
    assert_true(rig_bits(&r->b, accepted) & TCP_EVENT_CLOSED);
    assert_int_equal(tcp_connections(r->a.tcp), 0);
    assert_int_equal(tcp_connections(r->b.tcp), 0);
    rig_close(r);
}

static void close_with_unread_data_resets(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    tcp_id accepted, id = rig_connect(r, &accepted);
    r->b.deaf = true;
    send_from(&r->a, id, "hello", 5);
    rig_run(r, 50);
    assert_int_equal(tcp_readable(r->b.tcp, accepted), 5);
    tcp_close(r->b.tcp, accepted);
    rig_run(r, 50);
    assert_int_equal(rig_reason(&r->a, id), TCP_REASON_RESET);
    rig_close(r);
}

static void data_after_close_resets(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    tcp_id accepted, id = rig_connect(r, &accepted);
    tcp_close(r->b.tcp, accepted);
    rig_run(r, 50);
    assert_true(rig_bits(&r->a, id) & TCP_EVENT_PEER_CLOSED);
    send_from(&r->a, id, "hello", 5);
    rig_run(r, 50);
    assert_int_equal(rig_reason(&r->a, id), TCP_REASON_RESET);
    assert_int_equal(rig_count(&r->b, HG_C_tcp_data_after_close), 1);
    assert_int_equal(tcp_connections(r->b.tcp), 0);
    rig_close(r);
}

static void linger_ends(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    tcp_id accepted, id = rig_connect(r, &accepted);
    tcp_close(r->a.tcp, id);
    rig_run(r, 100);
    assert_int_equal(tcp_connections(r->a.tcp), 1); /* FIN-WAIT-2 */
    rig_run(r, 61000);
    assert_int_equal(tcp_connections(r->a.tcp), 0);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_linger_timeouts), 1);
    rig_close(r);
}

static void nobody_answers(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    r->a.mute = true;
    tcp_id id = tcp_connect(r->a.tcp, &(struct hg_endpoint){.ip = r->a.ep.ip}, &r->b.ep, 1);
    rig_run(r, 64000);
    assert_int_equal(r->a.sent, 6);
    assert_int_equal(rig_reason(&r->a, id), TCP_REASON_TIMEOUT);
    assert_int_equal(tcp_connections(r->a.tcp), 0);
    rig_close(r);
}

/* Reads what is there; it must be what was sent. */
static uint32_t read_kept(struct rig_end *e, tcp_id id, const uint8_t *data)
{
    struct slice s[4];
    unsigned n;
    uint32_t at = 0;
    while ((n = tcp_peek(e->tcp, id, s, 4)) != 0) {
        uint32_t total = 0;
        for (unsigned i = 0; i < n; i++) {
            assert_memory_equal(s[i].p, data + at + total, s[i].len);
            total += s[i].len;
        }
        tcp_consume(e->tcp, id, total);
        at += total;
    }
    return at;
}

static void unread_data_close_the_window(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    uint8_t *data = noise(600000);
    tcp_id accepted, id = rig_connect(r, &accepted);
    r->b.deaf = true;
    send_from(&r->a, id, data, 600000);
    rig_run(r, 3000);
    uint32_t unread = tcp_readable(r->b.tcp, accepted);
    assert_in_range(unread, 262144 - 1460, 262144 + 16);
    assert_in_range(rig_conn(&r->a, id)->snd_wnd, 0, 1460);
    assert_true(r->b.tcp->pinned <= 5 * 3000); /* copied out of the packet buffers */
    assert_true(rig_conn(&r->a, id)->send_timer == TCP_SEND_PERSIST);
    r->b.deaf = false;
    assert_int_equal(read_kept(&r->b, accepted, data), unread);
    want_a = 0;
    want_b = 600000 - unread;
    assert_true(rig_until(r, 5000, got_it));
    assert_memory_equal(r->b.got, data + unread, want_b);
    assert_int_equal(sized_used_bytes(&r->b.tcp->receive_memory), 0);
    assert_int_equal(r->b.tcp->pinned, 0);
    rig_close(r);
    free(data);
}

/* A byte a segment, and nobody reads: few slices all the same. */
static void dribble_is_coalesced(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct slice s[128];
    tcp_id accepted, id = rig_connect(r, &accepted);
    r->b.deaf = true;
    for (unsigned i = 0; i < 20000; i++) {
        char byte = (char)(i * 7);
        assert_int_equal(tcp_write(r->a.tcp, id, &(struct slice){&byte, 1}, 1), 1);
        r->a.nevents = r->b.nevents = 0;
        rig_run(r, 1);
    }
    rig_run(r, 100);
    assert_int_equal(tcp_readable(r->b.tcp, accepted), 20000);
    unsigned n = tcp_peek(r->b.tcp, accepted, s, 128);
    assert_in_range(n, 1, 32);
    for (unsigned k = 0, i = 0; k < n; k++)
        for (unsigned at = 0; at < s[k].len; at++, i++)
            assert_int_equal(s[k].p[at], (char)(i * 7));
    rig_close(r);
}

static void room_is_told(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    uint8_t *data = noise(262144);
    tcp_id accepted, id = rig_connect(r, &accepted);
    assert_int_equal(tcp_write(r->a.tcp, id, &(struct slice){(const char *)data, 262144}, 1), 262144);
    assert_int_equal(tcp_room(r->a.tcp, id), 0);
    tcp_want_writable(r->a.tcp, id);
    assert_false(rig_bits(&r->a, id) & TCP_EVENT_WRITABLE);
    rig_run(r, 500);
    assert_true(rig_bits(&r->a, id) & TCP_EVENT_WRITABLE);
    r->a.nevents = 0;
    tcp_want_writable(r->a.tcp, id); /* there is room already */
    rig_run(r, 500);
    assert_true(rig_bits(&r->a, id) & TCP_EVENT_WRITABLE);
    rig_close(r);
    free(data);
}

static void stalled_peer_is_given_up(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    uint8_t *data = noise(600000);
    tcp_id accepted, id = rig_connect(r, &accepted);
    r->b.deaf = true;
    send_from(&r->a, id, data, 600000);
    rig_run(r, 200000);
    assert_int_equal(rig_reason(&r->a, id), TCP_REASON_STALLED);
    assert_int_equal(rig_count(&r->a, HG_C_tcp_stalled), 1);
    assert_int_equal(sized_used_bytes(&r->a.tcp->send_memory), 0);
    rig_close(r);
    free(data);
}

static void silent_peer_is_given_up(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    tcp_id accepted, id = rig_connect(r, &accepted);
    rig_run(r, 50);
    r->b.mute = true;
    send_from(&r->a, id, "hello", 5);
    rig_run(r, 250000);
    assert_int_equal(rig_reason(&r->a, id), TCP_REASON_TIMEOUT);
    rig_close(r);
}

static void keepalive(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    tcp_id accepted, id = rig_connect(r, &accepted);
    rig_run(r, 1300000);
    assert_true(rig_count(&r->a, HG_C_tcp_probes) + rig_count(&r->b, HG_C_tcp_probes) >= 2);
    assert_int_equal(rig_conn(&r->a, id)->state, TCP_ESTABLISHED);
    r->b.mute = true;
    rig_run(r, 600000 + 6 * 30000 + 1000);
    assert_int_equal(rig_reason(&r->a, id), TCP_REASON_KEEPALIVE);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life4),
        cmocka_unit_test(life6),
        cmocka_unit_test(ack_travels_with_the_answer),
        cmocka_unit_test(bulk_clean),
        cmocka_unit_test(bulk_lossy),
        cmocka_unit_test(half_close),
        cmocka_unit_test(simultaneous_close),
        cmocka_unit_test(simultaneous_open),
        cmocka_unit_test(refused),
        cmocka_unit_test(abort_resets),
        cmocka_unit_test(close_with_unread_data_resets),
        cmocka_unit_test(data_after_close_resets),
        cmocka_unit_test(linger_ends),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(unread_data_close_the_window),
        cmocka_unit_test(dribble_is_coalesced),
        cmocka_unit_test(room_is_told),
        cmocka_unit_test(stalled_peer_is_given_up),
        cmocka_unit_test(silent_peer_is_given_up),
        cmocka_unit_test(keepalive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
