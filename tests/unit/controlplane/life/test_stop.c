/* SPDX-License-Identifier: BSD-2-Clause */
/* The control plane stops while an administrator's change is under way in Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cp_rig.h"
#include "fake_redis.h"
#include "life/life.h"
#include "store/record.h"

static const char request[] =
    "{\"v\":1,\"cmd\":\"route.add\",\"args\":{\"route\":{\"name\":\"gw\",\"pattern\":"
    "\"19*\",\"next_hop\":\"10.0.0.5\"}}}\n";

struct rig {
    uv_loop_t loop; /* of the fake Redis */
    struct fake_redis fake;
    struct cp_rig own;
    struct controlplane *cp; /* of own */
};

static void start(struct rig *rig)
{
    uv_loop_init(&rig->loop);
    fake_redis_start(&rig->fake, &rig->loop);
    cp_rig_start(&rig->own, "stop", rig->fake.port, "cluster: { domain = \"example.com\"; };\n");
    rig->cp = rig->own.cp;
}

static void turn(struct rig *rig)
{
    uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
    usleep(500);
}

static void who_asked_hears_that_it_stops(void **state)
{
    struct rig rig = {0};
    char reply[1024];

    (void)state;
    start(&rig);
    for (uint64_t end = uv_hrtime() + 60000000000ull; !record_loaded(rig.cp->record) && uv_hrtime() < end;)
        turn(&rig);
    assert_true(record_loaded(rig.cp->record));
    unsigned before = rig.fake.evalshas;
    rig.fake.silent = true;
    int fd = cp_rig_dial(&rig.own, 0);
    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    for (uint64_t end = uv_hrtime() + 60000000000ull; !strstr(rig.fake.last, " gw ") && uv_hrtime() < end;)
        turn(&rig);
    assert_non_null(strstr(rig.fake.last, " gw "));
    assert_int_equal(rig.fake.evalshas, before); /* it has no answer */
    life_stop(rig.cp);
    ssize_t n = recv(fd, reply, sizeof(reply) - 1, 0);
    assert_true(n > 0);
    reply[n] = '\0';
    assert_non_null(strstr(reply, "unavailable"));
    close(fd);
    fake_redis_stop(&rig.fake);
    turn_for(&rig.loop, 20);
    assert_int_equal(uv_loop_close(&rig.loop), 0);
    cp_rig_clear(&rig.own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_asked_hears_that_it_stops)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
