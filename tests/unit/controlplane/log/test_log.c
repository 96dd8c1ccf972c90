/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "log/alarms.h"
#include "log/log.h"

static void arguments_take_the_place_of_braces(void **state)
{
    struct slice args[] = {SLICE_LIT("7"), SLICE_LIT("10000")};
    char out[64];

    (void)state;
    log_render(out, sizeof(out), "port {} is up, {} Mb/s", args, 2);
    assert_string_equal(out, "port 7 is up, 10000 Mb/s");
    log_render(out, sizeof(out), "port {} is up, {} Mb/s", args, 1);
    assert_string_equal(out, "port 7 is up, ? Mb/s");
    assert_int_equal(log_render(out, 10, "port {} is up, {} Mb/s", args, 2), 9);
    assert_string_equal(out, "port 7 is");
}

static void text_lines_cannot_be_forged(void **state)
{
    struct log log = {.node = "n1"};
    char out[LOG_LINE_MAX];

    (void)state;
    log_line(&log, out, sizeof(out), 1732176000123, HG_LOG_WARNING, 3, "hop_down", "a\nb\x1b[31m", 2);
    assert_string_equal(out,
                        "2024-11-21T08:00:00.123Z warning n1 core 3 hop_down: a\\x0ab\\x1b[31m (2 more not "
                        "shown)\n");
    log.journal = true;
    log_line(&log, out, sizeof(out), 1732176000123, HG_LOG_INFO, -1, "x", "y", 0);
    assert_string_equal(out, "<6>2024-11-21T08:00:00.123Z info n1 x: y\n");
}

static void json_lines_are_json_whatever_comes(void **state)
{
    struct log log = {.json = true, .node = "n1"};
    char out[LOG_LINE_MAX], text[3000];

    (void)state;
    srandom(5);
    for (unsigned i = 0; i < 2000; i++) {
        unsigned len = (unsigned)random() % sizeof(text);
        for (unsigned k = 0; k + 1 < len; k++)
            text[k] = (char)(1 + random() % 255);
        text[len ? len - 1 : 0] = '\0';
        unsigned n = log_line(&log, out, sizeof(out), 1, HG_LOG_ERROR, 0, "e", text, 0);
        assert_true(n < sizeof(out) && out[n - 1] == '\n');
        assert_ptr_equal(strchr(out, '\n'), out + n - 1);
        json_error_t error;
        json_t *o = json_loads(out, 0, &error);
        assert_non_null(o);
        assert_string_equal(json_string_value(json_object_get(o, "level")), "error");
        json_decref(o);
    }
}

static void a_reader_that_sleeps_blocks_nobody(void **state)
{
    struct log log;
    int fd[2];

    (void)state;
    assert_int_equal(pipe(fd), 0);
    log_init(&log, fd[1], "n1");
    unsetenv("JOURNAL_STREAM");
    for (unsigned i = 0; i < 100000; i++) { /* far more than a pipe holds, and than the bucket allows */
        log.tokens_ms = LOG_BURST * 1000;
        log_printf(&log, HG_LOG_INFO, "x", "%0500u", i);
    }
    assert_true(log.suppressed > 90000);
    assert_int_equal(fcntl(fd[1], F_GETFL) & O_NONBLOCK, 0); /* the caller's descriptor is as it was */
    log_close(&log);
    close(fd[0]);
    close(fd[1]);
}

static void a_flood_is_cut_and_told(void **state)
{
    struct log log;
    char text[200000];
    FILE *file = tmpfile();

    (void)state;
    log_init(&log, fileno(file), "n1");
    for (unsigned i = 0; i < 5000; i++)
        log_printf(&log, HG_LOG_INFO, "x", "line");
    assert_true(log.suppressed >= 5000 - LOG_BURST - 200);
    log_printf(&log, HG_LOG_DEBUG, "x", "below the level");
    log.tokens_ms = 5000;
    log_printf(&log, HG_LOG_INFO, "last", "line");
    fseek(file, 0, SEEK_SET);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = '\0';
    assert_non_null(strstr(text, "log lines were left out"));
    assert_null(strstr(text, "below the level"));
    log_close(&log);
    fclose(file);
}

/* "hg-controlplane >file 2>&1": the file is not open for appending, and a start error comes through stderr.
 */
static void a_file_keeps_what_others_write_to_it(void **state)
{
    (void)state;
    struct log log;
    char text[1000];
    FILE *file = tmpfile();
    int fd = fileno(file);

    assert_int_equal(write(fd, "before\n", 7), 7);
    log_init(&log, fd, "n1");
    log_printf(&log, HG_LOG_INFO, "one", "the first line");
    assert_int_equal(write(fd, "between\n", 8), 8);
    log_printf(&log, HG_LOG_INFO, "two", "the second line");
    log_close(&log);
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    char *at = strstr(text, "before\n");
    for (unsigned i = 0; i < 3; i++) {
        static const char *const then[] = {"the first line\n", "between\n", "the second line\n"};
        assert_non_null(at);
        at = strstr(at, then[i]);
    }
    assert_non_null(at);
    fclose(file);
}

static void alarms_stand_until_cleared(void **state)
{
    FILE *file = tmpfile();
    struct log log;
    struct alarms alarms = {.log = &log};

    (void)state;
    log_init(&log, fileno(file), "n1");
    alarm_on(&alarms, ALARM_redis_away);
    alarm_on(&alarms, ALARM_redis_away); /* no second line */
    alarm_raise(&alarms, ALARM_core_stuck, "core %u", 3u);
    assert_true(alarms.a[ALARM_redis_away].standing);
    assert_string_equal(alarms.a[ALARM_core_stuck].detail, "core 3");
    alarm_clear(&alarms, ALARM_redis_away);
    alarm_clear(&alarms, ALARM_redis_away);
    assert_false(alarms.a[ALARM_redis_away].standing);
    char text[4096];
    fseek(file, 0, SEEK_SET);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = '\0';
    unsigned lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines, 3);
    log_close(&log);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_take_the_place_of_braces),
        cmocka_unit_test(text_lines_cannot_be_forged),
        cmocka_unit_test(json_lines_are_json_whatever_comes),
        cmocka_unit_test(a_reader_that_sleeps_blocks_nobody),
        cmocka_unit_test(a_flood_is_cut_and_told),
        cmocka_unit_test(a_file_keeps_what_others_write_to_it),
        cmocka_unit_test(alarms_stand_until_cleared),
    };
    return cmocka_run_group_tests_name("controlplane_log", tests, NULL, NULL);
}
