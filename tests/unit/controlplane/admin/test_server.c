/* SPDX-License-Identifier: BSD-2-Clause */
/* The admin socket: lines, clients, who is too slow and who too many. */
#include "admin_rig.h"

static void requests_that_are_none(void **state)
{
    struct rig *rig = *state;

    refused(rig, "", "bad_request", "not a JSON object");
    refused(rig, "[]", "bad_request", "not a JSON object");
    refused(rig, "{\"v\":1,\"cmd\":\"status\",\"cmd\":\"x\"}", "bad_request", "not a JSON object");
    refused(rig, "\xff\xfe", "bad_request", "not a JSON object");
    refused(rig, "{\"cmd\":\"status\"}", "bad_request", "version 1");
    refused(rig, "{\"v\":2,\"cmd\":\"status\"}", "bad_request", "version 1");
    refused(rig, "{\"v\":1}", "bad_request", "cmd must be");
    refused(rig, "{\"v\":1,\"cmd\":\"status\",\"args\":[]}", "bad_request", "args");
    refused(rig, "{\"v\":1,\"cmd\":\"format.disk\"}", "bad_request", "unknown command");
    refused(rig, "{\"v\":1,\"cmd\":\"user.find\",\"args\":{\"user\":7}}", "bad_request",
            "user must be a text");
    refused(rig, "{\"v\":1,\"cmd\":\"user.find\",\"args\":{\"user\":\"a\\u0000@b\"}}", "bad_request",
            "u0000");
    refused(rig, "{\"v\":1,\"cmd\":\"user.list\",\"args\":{\"limit\":0}}", "bad_request", "from 1 to");
    /* refused for its first argument, with others behind it */
    for (unsigned i = 0; i < 4; i++) {
        static const char *const changes[] = {"route.add", "route.set", "route.remove", "user.set"};
        char request[160];
        snprintf(request, sizeof(request),
                 "{\"v\":1,\"cmd\":\"%s\",\"args\":{\"wait\":5,\"route\":{\"name\":\"a\"},\"user\":\"a@b\"}}",
                 changes[i]);
        refused(rig, request, "bad_request", "true or false");
    }
    /* refused for its first argument, with others behind it */
    for (unsigned i = 0; i < 4; i++) {
        static const char *const changes[] = {"route.add", "route.set", "route.remove", "user.set"};
        char request[160];
        snprintf(request, sizeof(request),
                 "{\"v\":1,\"cmd\":\"%s\",\"args\":{\"wait\":5,\"route\":{\"name\":\"a\"},\"user\":\"a@b\"}}",
                 changes[i]);
        refused(rig, request, "bad_request", "true or false");
    }
    refused(rig, "{\"v\":1,\"cmd\":\"route.list\",\"args\":{\"state\":\"up\"}}", "bad_request",
            "out_of_service");
    refused(rig, "{\"v\":1,\"cmd\":\"drain\",\"args\":{\"on\":1}}", "bad_request", "true or false");
    char *deep = malloc(100001);
    memset(deep, '[', 100000);
    deep[100000] = '\0';
    refused(rig, deep, "bad_request", "not a JSON object");
    free(deep);
}

/* A message is not lost because its limit falls into a character, nor because a file is not UTF-8. */
static void texts_cut_in_a_character_are_told(void **state)
{
    struct rig *rig = *state;
    char name[161] = "a", request[400];

    for (size_t i = 1; i + 2 < sizeof(name); i += 2)
        memcpy(name + i, "\xc3\xbc", 3);
    snprintf(request, sizeof(request), "{\"v\":1,\"cmd\":\"%s\"}", name);
    refused(rig, request, "bad_request", "unknown command");
    snprintf(request, sizeof(request), "{\"v\":1,\"cmd\":\"route.remove\",\"args\":{\"name\":\"%s\"}}", name);
    refused(rig, request, "not_found", "no route is named");
    snprintf(request, sizeof(request),
             "{\"v\":1,\"cmd\":\"route.add\",\"args\":{\"route\":{\"name\":\"n\",\"pattern\":\"1*\",\"next_"
             "hop\":\"%s\"}}}",
             name);
    refused(rig, request, "bad_request", "next_hop");
    static char rows[32768] = "{\"v\":1,\"cmd\":\"user.import\",\"args\":{\"rows\":[";
    for (unsigned i = 0; i <= 5000; i++)
        strcat(rows, i ? ",{}" : "{}");
    refused(rig, strcat(rows, "]}}"), "bad_request", "at most 5000");
    admin_rig_config(rig, "Z\xfcrich = 1;\n");
    refused(rig, "{\"v\":1,\"cmd\":\"config.reload\"}", "bad_request", "1 error");
    admin_rig_config(rig, "");
}

static void a_line_without_end_is_cut_off(void **state)
{
    struct rig *rig = *state;
    static char block[65536];
    int fd = dial(rig);
    size_t sent = 0;

    memset(block, 'x', sizeof(block));
    while (sent < 16u * 1024 * 1024) {
        ssize_t n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (n < 0 && errno == EPIPE)
            break;
        uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
    }
    assert_true(sent < 12u * 1024 * 1024);
    char *line = get_line(rig, fd);
    assert_non_null(line);
    assert_non_null(strstr(line, "bad_request"));
    assert_non_null(strstr(line, "at most 4 MiB"));
    assert_null(get_line(rig, fd));
    close(fd);
}

/* Request upon request and nothing read: at 8 MiB of answers it is closed, and everybody else served
 * meanwhile. */
static void who_never_reads_is_closed(void **state)
{
    struct rig *rig = *state;
    static const char request[] = "{\"v\":1,\"cmd\":\"config.show\"}\n";
    int fd = dial(rig);
    uint64_t end = uv_hrtime() + 60000000000ull;
    bool closed = false;

    while (!closed && uv_hrtime() < end) {
        ssize_t n = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
        closed = n < 0 && (errno == EPIPE || errno == ECONNRESET);
        uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
    }
    assert_true(closed);
    json_decref(done(rig, "{\"v\":1,\"cmd\":\"version\"}"));
    close(fd);
}

static void clients_have_a_wall_and_come_back(void **state)
{
    struct rig *rig = *state;
    int fd[40];

    for (unsigned i = 0; i < 40; i++)
        fd[i] = dial(rig);
    for (unsigned i = 0; i < 50; i++)
        uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
    char *line = get_line(rig, fd[39]);
    assert_non_null(line);
    assert_non_null(strstr(line, "too many clients"));
    for (unsigned i = 0; i < 40; i++)
        close(fd[i]);
    for (unsigned i = 0; i < 50; i++)
        uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
    json_decref(done(rig, "{\"v\":1,\"cmd\":\"version\"}"));
}

static void requests_may_stand_in_line(void **state)
{
    struct rig *rig = *state;
    int fd = dial(rig);
    const char two[] =
        "{\"v\":1,\"cmd\":\"version\"}\n{\"v\":1,\"cmd\":\"core.list\"}\n{\"v\":1,\"cmd\":\"ver";

    for (size_t i = 0; i + 1 < sizeof(two); i++) { /* byte by byte */
        assert_int_equal(send(fd, two + i, 1, 0), 1);
        uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
    }
    assert_non_null(strstr(get_line(rig, fd), "protocol"));
    assert_non_null(strstr(get_line(rig, fd), "cores"));
    close(fd); /* in the middle of a third */
    for (unsigned i = 0; i < 20; i++)
        uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
}

static void the_socket_is_for_its_group_only(void **state)
{
    const struct rig *rig = *state;
    struct stat st;
    char path[128];

    snprintf(path, sizeof(path), "%s/s", rig->own.dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_that_are_none, start, stop),
        cmocka_unit_test_setup_teardown(texts_cut_in_a_character_are_told, start, stop),
        cmocka_unit_test_setup_teardown(a_line_without_end_is_cut_off, start, stop),
        cmocka_unit_test_setup_teardown(who_never_reads_is_closed, start, stop),
        cmocka_unit_test_setup_teardown(clients_have_a_wall_and_come_back, start, stop),
        cmocka_unit_test_setup_teardown(requests_may_stand_in_line, start, stop),
        cmocka_unit_test_setup_teardown(the_socket_is_for_its_group_only, start, stop),
    };
    return cmocka_run_group_tests_name("controlplane_server", tests, NULL, NULL);
}
