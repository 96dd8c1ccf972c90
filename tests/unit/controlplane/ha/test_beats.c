/* SPDX-License-Identifier: BSD-2-Clause */
/* Two nodes, a forger and a listener that records, on the loopback; the "service network" is a function call.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "ha/beats.h"
#include "hg/slice.h"

struct end {
    struct beats *beats;
    struct own_counters own;
    struct end *other;
    struct hg_endpoint address, service;
    char text[64];
    unsigned heard, met, starts, echoed, by_service;
    bool service_cut;
    struct beat last;
    uint8_t recorded[BEAT_TRAIN]; /* last of the service network */
    uint32_t recorded_len;
};

static uv_loop_t loop;
static struct end a, b;
static struct ha_clock clock_;

static const struct beat content = {.rev = 42};

static void heard(void *arg, const struct beat *beat, uint64_t sent_ns)
{
    struct end *e = arg;
    const struct beat yes = {.rev = 43, .grants = 2};

    e->heard++;
    e->starts += beat->boot != e->last.boot;
    e->echoed += sent_ns != 0;
    e->by_service += beat->path == BEAT_SERVICE;
    e->last = *beat;
    if (beat->kind == BEAT_ASK)
        beats_answer(e->beats, beat, &yes);
}

static void met(void *arg, uint16_t index)
{
    struct end *e = arg;

    e->met++;
    beats_ask(e->beats, index, &content);
}

static bool send_service(void *arg, const struct hg_endpoint *to, const void *data, uint32_t len)
{
    struct end *e = arg;

    (void)to;
    memcpy(e->recorded, data, len);
    e->recorded_len = len;
    if (e->service_cut)
        return false;
    beats_datagram(e->other->beats, data, len);
    return true;
}

/* A port that nobody has now. */
static uint16_t free_port(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
    getsockname(fd, (struct sockaddr *)&addr, &len);
    close(fd);
    return ntohs(addr.sin_port);
}

static void begin(struct end *e, struct end *other, const char *secret, const char *cluster)
{
    char why[200];
    struct beats_options o = {.loop = &loop,
                              .secret = secret,
                              .cluster = cluster,
                              .own = &e->own,
                              .clock = &clock_,
                              .events = {heard, met, send_service, e}};

    memset(e, 0, sizeof(*e));
    e->other = other;
    snprintf(e->text, sizeof(e->text), "127.0.0.1:%u", free_port());
    o.address = e->text;
    assert_true(hg_endpoint_parse(slice_str(e->text), 0, &e->address));
    assert_true(hg_endpoint_parse(SLICE_LIT("127.0.0.1:9"), 0, &e->service));
    e->beats = beats_create(&o, why, sizeof(why));
    if (!e->beats)
        fail_msg("%s", why);
}

static void introduce(void)
{
    beats_self(a.beats, 1);
    beats_self(b.beats, 2);
    beats_node(a.beats, 2, &b.address, &b.service);
    beats_node(b.beats, 1, &a.address, &a.service);
}

static int setup(void **state)
{
    (void)state;
    uv_loop_init(&loop);
    ha_clock_init(&clock_, 0);
    begin(&a, &b, "secret", "c");
    begin(&b, &a, "secret", "c");
    introduce();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    beats_close(a.beats);
    beats_close(b.beats);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

static void expired(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* Turns the loop until the value is there, 10 s at most. */
static void until(const unsigned *value, unsigned least)
{
    uv_timer_t timer;
    bool late = false;

    uv_timer_init(&loop, &timer);
    timer.data = &late;
    uv_timer_start(&timer, expired, 10000, 0);
    while (*value < least && !late)
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    if (*value < least)
        fail_msg("%u of %u in 10 s", *value, least);
}

static void until_counted(struct end *e, enum own_counter id, uint64_t least)
{
    for (unsigned i = 0; i < 200 && e->own.v[id] < least; i++) {
        uv_timer_t timer;
        bool tick = false;
        uv_timer_init(&loop, &timer);
        timer.data = &tick;
        uv_timer_start(&timer, expired, 50, 0);
        uv_run(&loop, UV_RUN_ONCE);
        uv_close((uv_handle_t *)&timer, NULL);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_true(e->own.v[id] >= least);
}

/* a asks, is welcomed, asks again by itself, and is believed, over both networks. */
static void meet(void)
{
    beats_ask(a.beats, 2, &content);
    until(&a.met, 2);
    until(&b.heard, 2);
    until(&a.heard, 2);
}

static void two_nodes_meet_over_both_networks(void **state)
{
    struct beats_view view;

    (void)state;
    meet();
    assert_true(b.own.v[OWN_ha_beats_unproven] >= 2);
    assert_int_equal(b.last.rev, 42);
    assert_int_equal(b.last.kind, BEAT_ASK);
    assert_int_equal(b.last.grants, 0);
    assert_int_equal(a.last.rev, 43);
    assert_int_equal(a.last.grants, 2);
    assert_true(a.echoed >= 2);
    assert_true(a.by_service >= 1);
    assert_int_equal(a.starts, 1); /* though it was met twice */
    assert_int_equal(b.starts, 1);
    for (unsigned p = 0; p < BEAT_PATHS; p++) {
        beats_look(a.beats, 2, (enum beat_path)p, &view);
        assert_true(view.reachable && view.heard_ns && view.rtt_ns);
        assert_int_equal(view.boot, beats_boot(b.beats));
    }
}

static void a_cut_network_leaves_the_other(void **state)
{
    (void)state;
    meet();
    a.service_cut = b.service_cut = true;
    unsigned had = b.heard;
    beats_ask(a.beats, 2, &content);
    until(&b.heard, had + 1);
    assert_int_equal(b.last.path, BEAT_MANAGEMENT);
    assert_true(a.own.v[OWN_ha_send_failed] > 0);
}

static void trains_are_reported(void **state)
{
    struct beats_view view;

    (void)state;
    meet();
    for (unsigned i = 0; i < 3; i++) {
        uint64_t had = a.own.v[OWN_ha_beats_received];
        beats_train(a.beats, 2, BEAT_MANAGEMENT);
        until_counted(&a, OWN_ha_beats_received, had + 1); /* the report */
    }
    beats_look(a.beats, 2, BEAT_MANAGEMENT, &view);
    assert_true(view.kbps > 0);
}

static void replayed_and_stray_ones_are_counted(void **state)
{
    (void)state;
    meet();
    beats_ask(a.beats, 2, &content);
    uint64_t had = b.own.v[OWN_ha_beats_received];
    beats_datagram(b.beats, a.recorded, a.recorded_len);
    assert_int_equal(b.own.v[OWN_ha_beats_replayed], 1);
    assert_int_equal(b.own.v[OWN_ha_beats_received], had);
    beats_datagram(a.beats, a.recorded, a.recorded_len); /* not for a */
    assert_int_equal(a.own.v[OWN_ha_beats_stray], 1);
    beats_forget(b.beats, 1);
    beats_datagram(b.beats, a.recorded, a.recorded_len);
    assert_int_equal(b.own.v[OWN_ha_beats_stray], 1);
}

/* b was met by both ways, starts anew and is met by one: what its earlier start said by the other way comes
 * late. */
static void late_words_of_an_earlier_start(void **state)
{
    uint8_t late[BEAT_SIZE];

    (void)state;
    meet();
    b.service_cut = true;
    beats_ask(b.beats, 1, &content);
    memcpy(late, b.recorded, sizeof(late));
    unsigned heard_by_a = a.heard;
    until(&a.heard, heard_by_a + 1);
    beats_close(b.beats);
    begin(&b, &a, "secret", "c");
    b.service_cut = true;
    introduce();
    a.service_cut = true;
    beats_ask(b.beats, 1, &content);
    until(&a.starts, 2);
    uint64_t had = a.own.v[OWN_ha_beats_received];
    beats_datagram(a.beats, late, sizeof(late));
    assert_int_equal(a.own.v[OWN_ha_beats_received], had);
    assert_int_equal(a.own.v[OWN_ha_beats_replayed], 1);
    assert_int_equal(a.starts, 2);
}

/* A node is removed and added again while both go on: to the other one this start never ended. */
static void a_node_that_comes_back_is_heard_both_ways(void **state)
{
    struct beats_view view;

    (void)state;
    meet();
    for (unsigned i = 0; i < 100; i++) {
        unsigned had = b.heard;
        beats_ask(a.beats, 2, &content);
        until(&b.heard, had + 2);
    }
    beats_forget(a.beats, 2);
    beats_node(a.beats, 2, &b.address, &b.service);
    beats_look(a.beats, 2, BEAT_MANAGEMENT, &view);
    assert_int_equal(view.heard_ns, 0);
    assert_int_equal(view.rtt_ns, 0);
    unsigned b_heard = b.heard, a_heard = a.heard;
    beats_ask(a.beats, 2, &content);
    until(&b.heard, b_heard + 2);
    until(&a.heard, a_heard + 2);
    beats_ask(b.beats, 1, &content);
    until(&a.heard, a_heard + 4);
    assert_int_equal(b.own.v[OWN_ha_beats_replayed] + a.own.v[OWN_ha_beats_replayed], 0);
}

/* Its answers of before say nothing about what it is asked after. */
static void an_old_answer_is_refused_after_it_came_back(void **state)
{
    uint8_t old[BEAT_SIZE];

    (void)state;
    meet();
    memcpy(old, b.recorded, sizeof(old)); /* an answer, by the service network */
    beats_forget(a.beats, 2);
    beats_node(a.beats, 2, &b.address, &b.service);
    a.service_cut = b.service_cut = true;
    for (unsigned i = 0; i < 5; i++)
        beats_ask(a.beats, 2, &content);
    unsigned had = a.heard;
    beats_datagram(a.beats, old, sizeof(old));
    assert_int_equal(a.heard, had);
    assert_int_equal(a.own.v[OWN_ha_beats_replayed], 1);
}

static void garbage_from_the_network_is_counted(void **state)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    static char large[4000];

    (void)state;
    addr.sin_port = htons(b.address.port);
    for (size_t len = 0; len < sizeof(large); len += 500)
        assert_true(sendto(fd, large, len, 0, (struct sockaddr *)&addr, sizeof(addr)) >= 0);
    until_counted(&b, OWN_ha_beats_garbled, 8);
    close(fd);
    meet(); /* and it goes on */
}

static void who_has_another_secret_or_cluster_is_nobody(void **state)
{
    (void)state;
    beats_close(a.beats);
    begin(&a, &b, "other", "c");
    introduce();
    beats_ask(a.beats, 2, &content);
    until_counted(&b, OWN_ha_beats_forged, 2);
    beats_close(a.beats);
    begin(&a, &b, "secret", "d");
    introduce();
    beats_ask(a.beats, 2, &content);
    until_counted(&b, OWN_ha_beats_foreign, 2);
    assert_int_equal(b.heard, 0);
}

static void a_taken_address_is_said(void **state)
{
    char why[200];
    struct own_counters own = {0};
    struct beats_options o = {.loop = &loop, .address = b.text, .secret = "s", .cluster = "c", .own = &own};

    (void)state;
    assert_null(beats_create(&o, why, sizeof(why)));
    assert_non_null(strstr(why, b.text));
    o.secret = ""; /* anybody could make heartbeats */
    o.address = "127.0.0.1:0";
    assert_null(beats_create(&o, why, sizeof(why)));
    assert_non_null(strstr(why, "cluster.secret is empty"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_nodes_meet_over_both_networks, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_network_leaves_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(trains_are_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(replayed_and_stray_ones_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(late_words_of_an_earlier_start, setup, teardown),
        cmocka_unit_test_setup_teardown(a_node_that_comes_back_is_heard_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(an_old_answer_is_refused_after_it_came_back, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_from_the_network_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(who_has_another_secret_or_cluster_is_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_taken_address_is_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
