/* SPDX-License-Identifier: BSD-2-Clause */
/* L11, L12, L28, B09: names resolved, kept to their TTL, kept when nobody answers. The server is ours, on the
 * loop. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/dns.h"
#include "dns/resolver.h"
#include "fake_redis.h"

struct rig {
    uv_loop_t loop;
    uv_udp_t server;
    struct dns *dns;
    struct resolver *r;
    char buf[2048];
    bool silent, refuse, changed;
    uint8_t last_byte; /* of the address of gw */
    unsigned asked, answers;
    struct dns_answer answer;
    char error[256];
};

static uint8_t *put(uint8_t *p, const void *data, size_t n)
{
    memcpy(p, data, n);
    return p + n;
}

/* gw.test A 10.0.0.<last_byte>, ttl 1; _sip._udp.srv.test SRV 1 20 5070 gw.test, 2 10 5080 gw.test, ttl 60 */
static void on_question(uv_udp_t *udp, ssize_t n, const uv_buf_t *in, const struct sockaddr *from,
                        unsigned flags)
{
    struct rig *rig = udp->data;
    uint8_t out[1024], *p = out;
    const uint8_t *q = (const uint8_t *)in->base;
    ssize_t end = 12;

    (void)flags;
    if (n < 17 || !from)
        return;
    rig->asked++;
    if (rig->silent)
        return;
    while (end < n && q[end])
        end += q[end] + 1;
    end += 5;
    uint16_t type = (uint16_t)(q[end - 4] << 8 | q[end - 3]);
    p = put(p, q, (size_t)end);
    memcpy(out + 2, "\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00", 10);
    if (rig->refuse) {
        out[3] = 0x83; /* NXDOMAIN */
    } else if (type == 1 && memcmp(q + 12, "\2gw\4test", 9) == 0) {
        out[7] = 1;
        p = put(p, "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\0\0", 15);
        *p++ = rig->last_byte;
    } else if (type == 33) {
        out[7] = 2;
        p = put(p, "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0f\0\1\0\x14\x13\xce\2gw\4test\0", 27);
        p = put(p, "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0f\0\2\0\x0a\x13\xd8\2gw\4test\0", 27);
    }
    uv_buf_t buf = uv_buf_init((char *)out, (unsigned)(p - out));
    uv_udp_try_send(udp, &buf, 1, from);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct rig *rig = handle->data;

    (void)suggested;
    *buf = uv_buf_init(rig->buf, sizeof(rig->buf));
}

static void on_changed(void *arg)
{
    ((struct rig *)arg)->changed = true;
}

static int start(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct sockaddr_in addr;
    int len = sizeof(addr);
    char servers[64];

    uv_loop_init(&rig->loop);
    uv_ip4_addr("127.0.0.1", 0, &addr);
    uv_udp_init(&rig->loop, &rig->server);
    rig->server.data = rig;
    uv_udp_bind(&rig->server, (struct sockaddr *)&addr, 0);
    uv_udp_recv_start(&rig->server, on_alloc, on_question);
    uv_udp_getsockname(&rig->server, (struct sockaddr *)&addr, &len);
    snprintf(servers, sizeof(servers), "127.0.0.1:%u", ntohs(addr.sin_port));
    rig->dns = dns_create(&rig->loop, servers);
    rig->r = resolver_create(rig->dns, &rig->loop, on_changed, rig);
    rig->last_byte = 7;
    *state = rig;
    return 0;
}

static int stop(void **state)
{
    struct rig *rig = *state;

    resolver_close(rig->r);
    dns_close(rig->dns);
    uv_close((uv_handle_t *)&rig->server, NULL);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    free(rig);
    return 0;
}

static void turn(struct rig *rig, unsigned ms)
{
    for (uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000; uv_hrtime() < end && !rig->changed;) {
        resolver_turn(rig->r, uv_now(&rig->loop));
        turn_for(&rig->loop, 20);
    }
}

/* Until each of the first n names has an address that ends with last; other changes are forgotten. */
static void turn_until_all(struct rig *rig, unsigned n, uint8_t last)
{
    for (uint64_t end = uv_hrtime() + 60000000000ull; uv_hrtime() < end;) {
        struct routes_resolved *list;
        unsigned there = 0;
        turn(rig, 100);
        rig->changed = false;
        assert_int_equal(resolver_results(rig->r, &list), n);
        for (unsigned i = 0; i < n; i++)
            there += !list[i].pending && list[i].n && list[i].address[0].ip.b[15] == last;
        free(list);
        if (there == n)
            return;
    }
    fail_msg("the names never led to addresses that end with %u", last);
}

static void on_answer(void *arg, const struct dns_answer *answer)
{
    struct rig *rig = arg;

    rig->answer = *answer;
    snprintf(rig->error, sizeof(rig->error), "%s", answer->error ? answer->error : "");
    rig->answers++;
    rig->changed = true;
}

static void services_lead_to_addresses(void **state)
{
    struct rig *rig = *state;

    dns_service(rig->dns, "_sip._udp.srv.test", on_answer, rig);
    turn_until(&rig->loop, &rig->changed, 60000);
    assert_int_equal(rig->answer.n, 2);
    assert_int_equal(rig->answer.ttl, 1); /* the shortest on the way */
    for (unsigned i = 0; i < 2; i++) {
        bool first = rig->answer.rr[i].priority == 1;
        assert_int_equal(rig->answer.rr[i].port, first ? 5070 : 5080);
        assert_int_equal(rig->answer.rr[i].weight, first ? 20 : 10);
        assert_int_equal(rig->answer.rr[i].ip.b[15], 7);
    }
}

static void the_ttl_is_kept_to_and_the_last_good_answer_kept(void **state)
{
    struct rig *rig = *state;
    struct routes_name names[2] = {{.name = "gw.test", .kind = ROUTES_ADDRESSES},
                                   {.name = "srv.test", .kind = ROUTES_SRV}};
    struct routes_resolved *list;

    assert_true(resolver_want(rig->r, names, 2));
    assert_int_equal(resolver_results(rig->r, &list), 2);
    assert_true(list[0].pending && list[1].pending);
    free(list);
    turn_until_all(rig, 2, 7);
    assert_int_equal(resolver_results(rig->r, &list), 2);
    assert_int_equal(list[0].n, 1);
    assert_int_equal(list[0].address[0].weight, 1); /* M08: addresses share equally */
    assert_int_equal(list[1].n, 2);
    free(list);
    rig->last_byte = 9; /* the operator moves the gateway */
    turn_until_all(rig, 2, 9);
    rig->refuse = true; /* and the zone breaks */
    turn(rig, 2500);
    assert_false(rig->changed);
    assert_int_equal(resolver_results(rig->r, &list), 2);
    assert_int_equal(list[0].n, 1);
    assert_int_equal(list[0].address[0].ip.b[15], 9);
    free(list);
    bool no_server;
    const char *example;
    assert_int_equal(resolver_failed(rig->r, &no_server, &example), 0);
    assert_true(resolver_want(rig->r, names, 1)); /* the other one is forgotten, also while it is asked */
    assert_null(resolver_error(rig->r, "srv.test", ROUTES_SRV));
}

static void without_dns_it_says_what_to_do(void **state)
{
    struct rig *rig = *state;
    struct routes_name name = {.name = "nobody.test", .kind = ROUTES_ADDRESSES};
    bool no_server;
    const char *example;

    rig->silent = true;
    assert_true(resolver_want(rig->r, &name, 1));
    turn(rig, 100000);
    assert_true(rig->changed);
    assert_int_equal(resolver_failed(rig->r, &no_server, &example), 1);
    assert_true(no_server);
    assert_non_null(strstr(resolver_error(rig->r, "nobody.test", ROUTES_ADDRESSES), "give an IP address"));
}

static void stopping_in_the_middle_leaks_nothing(void **state)
{
    struct rig *rig = *state;
    struct routes_name names[100];

    rig->silent = true;
    for (unsigned i = 0; i < 100; i++) {
        memset(&names[i], 0, sizeof(names[i]));
        snprintf(names[i].name, sizeof(names[i].name), "n%u.test", i);
    }
    assert_true(resolver_want(rig->r, names, 100));
    resolver_turn(rig->r, uv_now(&rig->loop));
    assert_int_equal(dns_running(rig->dns), RESOLVER_RUNNING);
    turn_for(&rig->loop, 50);
    dns_addresses(rig->dns, "x.test", on_answer, rig);
    dns_forget(rig->dns, rig);
    turn_for(&rig->loop, 50);
    assert_int_equal(rig->answers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(services_lead_to_addresses, start, stop),
        cmocka_unit_test_setup_teardown(the_ttl_is_kept_to_and_the_last_good_answer_kept, start, stop),
        cmocka_unit_test_setup_teardown(without_dns_it_says_what_to_do, start, stop),
        cmocka_unit_test_setup_teardown(stopping_in_the_middle_leaks_nothing, start, stop),
    };
    return cmocka_run_group_tests_name("controlplane_dns", tests, NULL, NULL);
}
