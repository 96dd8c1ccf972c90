/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection by TLS to a real Redis; what is refused, and with which words. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "real_redis.h"
#include "store/redis.h"

#define BIG (3u << 20)

struct rig {
    uv_loop_t loop;
    struct real_redis redis;
    struct redis *r;
    unsigned ups;
    bool answered;
    char why[512];
    char dir[64];
};

static void in_dir(const struct rig *rig, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", rig->dir, name);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    char command[256], crt[128], key[128], ca[128];

    signal(SIGPIPE, SIG_IGN); /* as main() */
    snprintf(rig->dir, sizeof(rig->dir), "/tmp/hg-tls-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    snprintf(command, sizeof(command), "%s %s 127.0.0.1 redis.example.com", CERTIFICATES, rig->dir);
    assert_int_equal(system(command), 0);
    in_dir(rig, "server.crt", crt);
    in_dir(rig, "server.key", key);
    in_dir(rig, "ca.crt", ca);
    real_redis_start_tls(&rig->redis, (const char *const[]){"--tls-cert-file", crt, "--tls-key-file", key,
                                                            "--tls-ca-cert-file", ca, NULL});
    uv_loop_init(&rig->loop);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    char command[128];

    assert_int_equal(uv_loop_close(&rig->loop), 0);
    real_redis_stop(&rig->redis);
    snprintf(command, sizeof(command), "rm -rf '%s'", rig->dir);
    assert_int_equal(system(command), 0);
    free(rig);
    return 0;
}

static void on_up(void *arg)
{
    ((struct rig *)arg)->ups++;
}

static void on_down(void *arg, const char *why)
{
    struct rig *rig = arg;

    snprintf(rig->why, sizeof(rig->why), "%s", why);
}

/* NULL: not used. Names of files are of the rig's folder. */
static struct redis_tls *certificates(const struct rig *rig, const char *ca, const char *own,
                                      const char *server_name)
{
    char ca_file[128], cert[128] = "", key[128] = "", name[64], why[REDIS_TLS_WHY];
    struct redis_tls_options o = {.ca = ca_file, .cert = cert, .key = key, .server_name = server_name};

    in_dir(rig, ca, ca_file);
    if (own) {
        snprintf(name, sizeof(name), "%s.crt", own);
        in_dir(rig, name, cert);
        snprintf(name, sizeof(name), "%s.key", own);
        in_dir(rig, name, key);
    }
    struct redis_tls *tls = redis_tls_create(&o, why);
    if (!tls)
        fail_msg("%s", why);
    return tls;
}

static void connect_by(struct rig *rig, struct redis_tls *tls, uint16_t port)
{
    struct redis_options o = {.loop = &rig->loop,
                              .kind = REDIS_MASTER,
                              .host = "127.0.0.1",
                              .port = port,
                              .tls = tls,
                              .timeout_ms = 20000};
    struct redis_events ev = {.up = on_up, .down = on_down, .arg = rig};

    rig->ups = 0;
    rig->why[0] = '\0';
    rig->r = redis_create(&o, &ev);
    assert_non_null(rig->r);
    redis_tls_unref(tls);
    while (!rig->ups && !rig->why[0])
        uv_run(&rig->loop, UV_RUN_ONCE);
}

static void disconnect(struct rig *rig)
{
    redis_close(rig->r);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
}

static void is_refused(struct rig *rig, const char *words)
{
    disconnect(rig); /* the loop is of all tests */
    if (rig->ups || !strstr(rig->why, words))
        fail_msg("not \"%s\": %s", words, rig->why);
}

static void on_big(void *arg, const redisReply *reply, const char *error)
{
    struct rig *rig = arg;

    assert_null(error);
    if (reply->type == REDIS_REPLY_STRING) {
        assert_int_equal(reply->len, BIG);
        for (size_t i = 0; i < BIG; i += 4099)
            assert_int_equal(reply->str[i], 'a' + (int)(i % 26));
        rig->answered = true;
    }
}

/* More than a record, than what is read at once and than a socket takes, in both directions. */
static void all_goes_through(void **state)
{
    struct rig *rig = *state;
    char *value = malloc(BIG);

    connect_by(rig, certificates(rig, "ca.crt", "client", ""), rig->redis.port);
    assert_int_equal(rig->ups, 1);
    for (size_t i = 0; i < BIG; i++)
        value[i] = (char)('a' + i % 26);
    const char *argv[] = {"SET", "big", value};
    size_t len[] = {3, 3, BIG};
    rig->answered = false;
    assert_true(redis_send(rig->r, 3, argv, len, 0, on_big, rig));
    assert_true(redis_words(rig->r, on_big, rig, "GET", "big", NULL));
    while (!rig->answered)
        uv_run(&rig->loop, UV_RUN_ONCE);
    disconnect(rig);
    free(value);
}

static void a_name_may_stand_for_the_address(void **state)
{
    struct rig *rig = *state;

    connect_by(rig, certificates(rig, "ca.crt", "client", "redis.example.com"), rig->redis.port);
    assert_int_equal(rig->ups, 1);
    disconnect(rig);
}

static void it_connects_again(void **state)
{
    struct rig *rig = *state;

    connect_by(rig, certificates(rig, "ca.crt", "client", ""), rig->redis.port);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(rig->ups, i);
        redis_drop(rig->r, "by the test");
        while (rig->ups == i)
            uv_run(&rig->loop, UV_RUN_ONCE);
    }
    disconnect(rig);
}

static void another_authority_is_refused(void **state)
{
    struct rig *rig = *state;

    connect_by(rig, certificates(rig, "other.crt", "client", ""), rig->redis.port);
    is_refused(rig, "TLS: the certificate of Redis: ");
}

static void another_name_is_refused(void **state)
{
    struct rig *rig = *state;

    connect_by(rig, certificates(rig, "ca.crt", "client", "other.example.com"), rig->redis.port);
    is_refused(rig, "TLS: the certificate of Redis: hostname mismatch");
}

static void without_a_certificate_redis_refuses(void **state)
{
    struct rig *rig = *state;

    connect_by(rig, certificates(rig, "ca.crt", NULL, ""), rig->redis.port);
    is_refused(rig, ""); /* with TLS 1.3 after the handshake: a reset may overtake what it says */
}

/* Who speaks in clear to a port of TLS, and the other way round. */
static void in_clear_there_is_nothing(void **state)
{
    struct rig *rig = *state;
    struct real_redis clear;

    connect_by(rig, NULL, rig->redis.port);
    is_refused(rig, "");
    real_redis_start(&clear, NULL);
    connect_by(rig, certificates(rig, "ca.crt", "client", ""), clear.port);
    is_refused(rig, "");
    real_redis_stop(&clear);
}

static void a_bad_file_is_named(void **state)
{
    struct rig *rig = *state;
    struct redis_tls_options o = {.ca = "/nonexistent.crt", .cert = "", .key = "", .server_name = ""};
    char why[REDIS_TLS_WHY], crt[128], key[128];

    assert_null(redis_tls_create(&o, why));
    assert_non_null(strstr(why, "node.redis.tls_ca /nonexistent.crt: "));
    in_dir(rig, "ca.crt", crt);
    in_dir(rig, "client.key", key); /* of another certificate */
    o = (struct redis_tls_options){.ca = crt, .cert = crt, .key = key, .server_name = ""};
    assert_null(redis_tls_create(&o, why));
    assert_non_null(strstr(why, "node.redis.tls_key "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_goes_through),          cmocka_unit_test(a_name_may_stand_for_the_address),
        cmocka_unit_test(it_connects_again),         cmocka_unit_test(another_authority_is_refused),
        cmocka_unit_test(another_name_is_refused),   cmocka_unit_test(without_a_certificate_redis_refuses),
        cmocka_unit_test(in_clear_there_is_nothing), cmocka_unit_test(a_bad_file_is_named),
    };

    return cmocka_run_group_tests_name("redis_tls", tests, setup, teardown);
}
