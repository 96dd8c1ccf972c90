/* SPDX-License-Identifier: BSD-2-Clause */
/* What the lease fences, by the wire: everything that is done for users and whatever comes from a service
 * address; also where it was begun before a restart, or before the user moved. Transit is never fenced. */
#include "cluster_rig.h"

#include <rte_cycles.h>

#include "core/core.h"
#include "route/route.h"
#include "sip/proxy.h"

static void after_the_lease(void **state)
{
    static char waiting[4000];
    struct hg_static_route r;
    (void)state;
    cluster_open(1, NULL);
    cluster_phone("ours@example.com");
    r = rig_route("far", "far.example.org", true, "10.0.0.30", 1, false, false);
    rig_routes(&r, 1);
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "1", NULL));
    rig_expect(PHONE, "MESSAGE ");
    strcpy(waiting, rig_answer("200 OK", "b", NULL));
    cluster_lease = 0;
    rig_send(PHONE, waiting); /* the answer to what was done for the user stays here, too */
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_C_lease_over), 1);
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "2", NULL));
    rig_expect(ALICE, "SIP/2.0 503 Not Serving\r\n");
    rig_has("\r\nRetry-After: ");
    assert_int_equal(rig_count(HG_C_sip_lease_over), 1);
    rig_send(ALICE, cluster_registration("ours", "3"));
    rig_expect(ALICE, "SIP/2.0 503 Not Serving\r\n");
    /* transit and static routes are never fenced */
    rig_send(ALICE, rig_request("MESSAGE", "sip:others@example.com", "4", NULL));
    rig_expect(OTHER, "MESSAGE ");
    rig_send(OTHER, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "5", NULL));
    rig_expect(CAROL, "MESSAGE ");
    cluster_lease = rte_rdtsc() + 1000000000000ull;
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "6", NULL));
    rig_expect(PHONE, "MESSAGE ");
    rig_close();
}

/* The turn began within the lease, and transmits after it: a process that was stopped in between. */
static void stopped_between_deciding_and_sending(void **state)
{
    const struct ctx *ctx;
    (void)state;
    cluster_open(1, "user_mode = \"stateful\";");
    cluster_phone("ours@example.com");
    ctx = &harness_core(rig.h, 0)->ctx;
    cluster_lease = ctx->tsc + 1; /* the virtual clock stands still, the TSC does not */
    assert_true(cluster_lease <= rte_rdtsc());
    rig_send(ALICE, rig_request("INVITE", "sip:ours@example.com", "1", NULL));
    assert_int_equal(rig_count(HG_C_sip_delivered), 1);
    rig_expect_nothing(); /* neither the copy nor the 100 */
    assert_int_equal(rig_count(HG_C_lease_over), 2);
    harness_advance_ms(rig.h, 5000); /* retransmissions neither */
    rig_expect_nothing();
    assert_true(rig_count(HG_C_lease_over) > 4);
    cluster_lease = UINT64_MAX;
    harness_advance_ms(rig.h, 5000);
    rig_expect(PHONE, "INVITE ");
    rig_nothing_left();
}

/* ---- an earlier run of this dataplane ---- */

/* The answer as it comes when the request was sent before a restart. */
static const char *of_another_boot(const char *answer)
{
    static char out[4000];
    const char *branch = strstr(answer, ";branch=" BRANCH_MAGIC);
    assert_non_null(branch);
    size_t boot = (size_t)(branch - answer) + strlen(";branch=" BRANCH_MAGIC) + 3;
    assert_true(strlen(answer) < sizeof(out));
    strcpy(out, answer);
    out[boot] = out[boot] == '0' ? '1' : '0';
    return out;
}

/* One request to that user and its answer by another boot's branch: whether the answer went to the caller. */
static bool passes(const char *uri, const char *at, const char *id, uint64_t lease)
{
    cluster_lease = UINT64_MAX;
    rig_send(ALICE, rig_request("MESSAGE", uri, id, NULL));
    rig_expect(at, "MESSAGE ");
    const char *answer = of_another_boot(rig_answer("200 OK", "b", NULL));
    uint64_t dropped = rig_count(HG_C_lease_over);
    cluster_lease = lease;
    rig_send(at, answer);
    if (!rig_next()) {
        assert_int_equal(rig_count(HG_C_lease_over), dropped + 1);
        return false;
    }
    assert_memory_equal(rig.text, "SIP/2.0 200 OK", 14);
    assert_string_equal(rig.to, ALICE);
    return true;
}

static void begun_before_a_restart(void **state)
{
    const char *mode[] = {"user_mode = \"stateless\";", "user_mode = \"stateful\";"};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        cluster_open(1, mode[i]);
        cluster_phone("ours@example.com");
        assert_true(passes("sip:ours@example.com", PHONE, "1", UINT64_MAX));
        assert_false(passes("sip:ours@example.com", PHONE, "2", 0));
        assert_true(passes("sip:others@example.com", OTHER, "3", 0)); /* transit */
        cluster_lease = UINT64_MAX;
        rig_nothing_left();
    }
}

/* ---- counted once ---- */

/* Half of the calls belong to the core that does not receive them: it is asked, too, and nothing counts
 * twice. */
static void one_count_for_each_request(void **state)
{
    char id[16];
    (void)state;
    cluster_open(2, NULL);
    cluster_phone("ours@example.com");
    cluster_lease = 0;
    assert_true(harness_serving(rig.h, 3, 0));
    for (unsigned i = 0; i < 32; i++) {
        snprintf(id, sizeof(id), "m%u", i);
        rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", id, NULL));
        rig_expect(ALICE, "SIP/2.0 503 Not Serving");
        rig_send(ALICE, rig_request("MESSAGE", "sip:others@example.com", id, NULL));
        rig_expect(ALICE, "SIP/2.0 503 Not Served");
    }
    for (unsigned i = 0; i < 32; i++) {
        snprintf(id, sizeof(id), "q%u", i);
        rig_send(ALICE, rig_request("ACK", "sip:ours@example.com", id, NULL));
        rig_send(ALICE, rig_request("ACK", "sip:others@example.com", id, NULL));
        rig_expect_nothing();
        rig_send(ALICE, rig_request("CANCEL", "sip:ours@example.com", id, NULL));
        rig_expect(ALICE, "SIP/2.0 481 ");
    }
    assert_in_range(rig_count(HG_C_sip_handed_over), 20, 76); /* ACKs and CANCELs of the other core */
    assert_int_equal(rig_count(HG_C_sip_lease_over), 32);
    assert_int_equal(rig_count(HG_C_sip_unserved), 32);
    assert_int_equal(rig_count(HG_DROP_sip_stray_ack), 64);
    rig_close(); /* which adds the dispositions up */
}

/* ---- users on the move ---- */

static void ring(const char *id, const char *local)
{
    rig_send_to(ALICE, local, rig_request("INVITE", "sip:ours@example.com", id, NULL));
    rig_expect(ALICE, "SIP/2.0 100 ");
    rig_expect(PHONE, "INVITE ");
    rig_send_to(PHONE, local, rig_answer("180 Ringing", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 180 ");
}

/* A call that rings when its user moves: only this node has its transaction, so its answer passes here, as
 * long as the node has a lease at all; the next call goes to the other node. */
static void a_call_outlives_the_move(void **state)
{
    (void)state;
    cluster_open(1, "user_mode = \"stateful\";");
    cluster_phone("ours@example.com");
    ring("1", US);
    const char *answer = strdup(rig_answer("200 OK", "b", NULL));
    assert_true(harness_serving(rig.h, 1, 2));
    rig_send(ALICE, rig_request("INVITE", "sip:ours@example.com", "2", NULL));
    rig_expect(ALICE, "SIP/2.0 100 ");
    rig_expect(PEER, "INVITE sip:ours@example.com ");
    cluster_lease = 0;
    rig_send(PHONE, answer);
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_C_lease_over), 1);
    cluster_lease = UINT64_MAX;
    rig_send(PHONE, answer); /* a callee says it again until it gets the ACK */
    rig_expect(ALICE, "SIP/2.0 200 OK");
    free((void *)(uintptr_t)answer);
    rig_nothing_left();
}

/* What came by a service address is answered from there or not at all: the address is another node's now. */
static void nothing_from_an_address_that_was_lost(void **state)
{
    (void)state;
    cluster_open(1, "user_mode = \"stateful\";");
    cluster_phone("ours@example.com");
    assert_true(harness_service(rig.h, 1, SERVICE "/24"));
    harness_take_all(rig.h);
    ring("1", SERVICE ":5060");
    assert_true(harness_serving(rig.h, 1, 2));
    harness_take_all(rig.h);
    harness_advance_ms(rig.h, 200000); /* timer C cancels, 64 * T1 later the caller is told */
    uint64_t lost = rig_count(HG_C_lease_over);
    assert_true(lost >= 2);
    while (harness_take(rig.h, &rig.packet))
        if (rig.packet.udp) {
            char from[HG_IP_STRLEN];
            int n = hg_ip_format(&rig.packet.src.ip, from);
            assert_false(n == (int)strlen(SERVICE) && memcmp(from, SERVICE, (size_t)n) == 0);
        }
    rig_nothing_left();
}

/* ---- listeners of service addresses ---- */

static struct hg_ip service_ip(unsigned i)
{
    struct hg_ip ip = {.b = {[10] = 0xff, 0xff, 10, 0, 2, 0}};
    ip.b[14] = (uint8_t)(2 + i / 200);
    ip.b[15] = (uint8_t)(1 + i % 200);
    return ip;
}

/* The place of an address that is gone is another's only once no transaction points there. */
static void a_place_is_not_taken_from_a_transaction(void **state)
{
    enum {
        PLACES = HG_LISTENERS_MAX + SIP_SERVICE_MAX - 4
    }; /* two are the configuration's, and send by TCP */
    struct hg_ip ip[PLACES + 1];
    (void)state;
    cluster_open(1, NULL);
    struct sip *s = harness_core(rig.h, 0)->sip;
    for (unsigned i = 0; i <= PLACES; i++)
        ip[i] = service_ip(i);
    assert_true(sip_service_set(s, ip, PLACES));
    assert_false(sip_service_set(s, ip, PLACES + 1));
    const struct listener *held = sip_listener_of(s, &(struct hg_endpoint){.ip = ip[0], .port = 5060});
    assert_non_null(held);
    listener_hold(s, held);
    assert_false(sip_service_set(s, ip + 1, PLACES)); /* the only place that is free has a transaction */
    assert_true(hg_ip_eq(&held->ep.ip, &ip[0]));
    assert_null(sip_listener_of(s, &(struct hg_endpoint){.ip = ip[0], .port = 5060}));
    assert_non_null(sip_listener_of(
        s, &(struct hg_endpoint){.ip = ip[PLACES - 1], .port = 5060})); /* those that stay were not touched */
    assert_null(sip_listener_of(s, &(struct hg_endpoint){.ip = ip[PLACES], .port = 5060}));
    listener_release(s, held);
    assert_true(sip_service_set(s, ip + 1, PLACES));
    for (unsigned i = 1; i <= PLACES; i++)
        assert_non_null(sip_listener_of(s, &(struct hg_endpoint){.ip = ip[i], .port = 5060}));
    rig_close();
}

/* Transactions of a service address count as such until they end. */
static void transactions_hold_their_listener(void **state)
{
    struct hg_ip ip;
    (void)state;
    cluster_open(1, "user_mode = \"stateful\";");
    cluster_phone("ours@example.com");
    assert_true(harness_service(rig.h, 1, SERVICE "/24"));
    harness_take_all(rig.h);
    assert_true(hg_ip_parse(slice_str(SERVICE), &ip));
    const struct listener *l =
        sip_listener_of(harness_core(rig.h, 0)->sip, &(struct hg_endpoint){.ip = ip, .port = 5060});
    assert_non_null(l);
    assert_int_equal(l->users, 0);
    ring("1", SERVICE ":5060");
    assert_int_equal(l->users, 2); /* the caller's side and the callee's */
    rig_send_to(PHONE, SERVICE ":5060", rig_answer("486 Busy Here", "b", NULL));
    rig_expect(PHONE, "ACK ");
    rig_expect(ALICE, "SIP/2.0 486 ");
    harness_advance_ms(rig.h, 70000);
    assert_int_equal(l->users, 0);
    rig_nothing_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(after_the_lease, rig_abandon),
        cmocka_unit_test_teardown(stopped_between_deciding_and_sending, rig_abandon),
        cmocka_unit_test_teardown(begun_before_a_restart, rig_abandon),
        cmocka_unit_test_teardown(one_count_for_each_request, rig_abandon),
        cmocka_unit_test_teardown(a_call_outlives_the_move, rig_abandon),
        cmocka_unit_test_teardown(nothing_from_an_address_that_was_lost, rig_abandon),
        cmocka_unit_test_teardown(a_place_is_not_taken_from_a_transaction, rig_abandon),
        cmocka_unit_test_teardown(transactions_hold_their_listener, rig_abandon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
