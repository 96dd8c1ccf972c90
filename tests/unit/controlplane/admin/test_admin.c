/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole control plane in one process, without Redis and without a dataplane, asked over its socket. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "controlplane.h"
#include "life/life.h"

static const char config_text[] =
    "node: { name = \"admintest%d\"; admin_socket = \"%s/s\"; metrics: { port = 0; }; redis: { port = 1; };\n"
    "        log: { level = \"error\"; }; };\n"
    "cluster: { domain = \"example.com\";\n"
    "  nodes = ( { name = \"node2\"; sip = \"10.0.0.9:5060\"; } );\n"
    "  routes = ( { name = \"gw1\"; pattern = \"1919*\"; next_hop = \"10.0.0.5\"; protocol = \"udp\"; weight "
    "= 20; },\n"
    "             { name = \"gw2\"; pattern = \"1919*\"; next_hop = \"10.0.0.6\"; protocol = \"udp\"; weight "
    "= 10; },\n"
    "             { name = \"tcp\"; pattern = \"2*\"; next_hop = \"10.0.0.7\"; },\n"
    "             { name = \"no\"; pattern = \"3*\"; next_hop = \"10.0.0.7\"; block = true; } ); };\n";

struct rig {
    struct controlplane *cp;
    char dir[64], file[96];
};

static void write_config(const struct rig *rig, const char *more)
{
    FILE *f = fopen(rig->file, "w");

    assert_non_null(f);
    fprintf(f, config_text, (int)getpid(), rig->dir);
    fprintf(f, "%s", more);
    fclose(f);
}

static int start(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    snprintf(rig->dir, sizeof(rig->dir), "/tmp/hg-admin-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    snprintf(rig->file, sizeof(rig->file), "%s/c.cfg", rig->dir);
    write_config(rig, "");
    rig->cp = calloc(1, sizeof(*rig->cp));
    rig->cp->config_file = rig->file;
    rig->cp->config = hg_config_load(rig->file, stderr);
    assert_non_null(rig->cp->config);
    assert_true(life_start(rig->cp));
    *state = rig;
    return 0;
}

static int stop(void **state)
{
    struct rig *rig = *state;

    life_stop(rig->cp);
    unlink(rig->file);
    assert_int_equal(rmdir(rig->dir), 0); /* the socket went with its server */
    free(rig);
    return 0;
}

static int dial(struct rig *rig)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", rig->dir);
    while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) { /* the server's queue is short */
        assert_int_equal(errno, EAGAIN);
        uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
    }
    return fd;
}

/* One line, or NULL when the server closed; the loop turns meanwhile. */
static char *get_line(struct rig *rig, int fd)
{
    static char line[2 * 1024 * 1024];
    size_t n = 0;

    for (uint64_t end = uv_hrtime() + 60000000000ull; uv_hrtime() < end;) {
        ssize_t got = recv(fd, line + n, 1, 0);
        if (got == 0)
            return NULL;
        if (got < 0) {
            uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
            usleep(500);
        } else if (line[n++] == '\n') {
            line[n] = '\0';
            return line;
        }
    }
    fail_msg("no answer");
    return NULL;
}

static json_t *ask(struct rig *rig, const char *request)
{
    int fd = dial(rig);

    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    assert_int_equal(send(fd, "\n", 1, 0), 1);
    char *line = get_line(rig, fd);
    assert_non_null(line);
    json_t *reply = json_loads(line, 0, NULL);
    assert_non_null(reply);
    close(fd);
    return reply;
}

static void refused(struct rig *rig, const char *request, const char *code, const char *part)
{
    json_t *reply = ask(rig, request);

    assert_true(json_is_false(json_object_get(reply, "ok")));
    assert_string_equal(json_string_value(json_object_get(reply, "code")), code);
    char *all = json_dumps(reply, 0);
    if (!strstr(all, part))
        fail_msg("\"%s\" is not in %s", part, all);
    free(all);
    json_decref(reply);
}

static json_t *done(struct rig *rig, const char *request)
{
    json_t *reply = ask(rig, request);

    if (!json_is_true(json_object_get(reply, "ok")))
        fail_msg("%s", json_dumps(reply, 0));
    json_t *result = json_incref(json_object_get(reply, "result"));
    json_decref(reply);
    return result;
}

/* Routes are compiled a moment after the start, without Redis after five seconds. */
static void wait_compiled(struct rig *rig)
{
    for (unsigned i = 0; i < 600; i++) {
        json_t *r = done(rig, "{\"v\":1,\"cmd\":\"route.list\"}");
        size_t n = json_array_size(json_object_get(r, "routes"));
        json_decref(r);
        if (n)
            return;
        usleep(100000);
    }
    fail_msg("routes were never compiled");
}

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
    write_config(rig, "Z\xfcrich = 1;\n");
    refused(rig, "{\"v\":1,\"cmd\":\"config.reload\"}", "bad_request", "1 error");
    write_config(rig, "");
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

static void status_says_what_is_missing(void **state)
{
    json_t *r = done(*state, "{\"v\":1,\"cmd\":\"status\"}");
    char *all = json_dumps(r, 0);

    assert_true(json_is_false(json_object_get(r, "ready")));
    assert_non_null(strstr(all, "no dataplane is attached"));
    assert_non_null(strstr(all, "Redis is away"));
    assert_non_null(strstr(all, "\"domain\": \"example.com\""));
    free(all);
    json_decref(r);
}

static void routes_are_shown_and_explained(void **state)
{
    struct rig *rig = *state;

    wait_compiled(rig);
    json_t *r = done(rig, "{\"v\":1,\"cmd\":\"route.list\",\"args\":{\"limit\":3}}");
    assert_int_equal(json_array_size(json_object_get(r, "routes")), 3);
    assert_string_equal(json_string_value(json_object_get(r, "next")), "tcp");
    json_decref(r);
    r = done(rig, "{\"v\":1,\"cmd\":\"route.list\",\"args\":{\"after\":\"tcp\"}}");
    assert_int_equal(json_array_size(json_object_get(r, "routes")), 1);
    assert_true(json_is_null(json_object_get(r, "next")));
    json_decref(r);
    r = done(rig, "{\"v\":1,\"cmd\":\"route.list\",\"args\":{\"state\":\"out_of_service\"}}");
    char *all = json_dumps(r, 0);
    assert_non_null(strstr(all, "no transport"));
    free(all);
    json_decref(r);
    static const char *const verdicts[][2] = {{"sip:19191@example.com", "static"},
                                              {"sip:3@example.com", "blocked"},
                                              {"sip:2@example.com", "no_transport"},
                                              {"sip:bob@example.com", "none"},
                                              {"tel:1-919.55", "static"}};
    for (unsigned i = 0; i < 5; i++) {
        char request[200];
        snprintf(request, sizeof(request), "{\"v\":1,\"cmd\":\"route.explain\",\"args\":{\"uri\":\"%s\"}}",
                 verdicts[i][0]);
        r = done(rig, request);
        assert_string_equal(json_string_value(json_object_get(r, "verdict")), verdicts[i][1]);
        json_decref(r);
    }
    refused(rig, "{\"v\":1,\"cmd\":\"route.explain\",\"args\":{\"uri\":\"sip:@\"}}", "bad_request",
            "no SIP URI");
    refused(rig, "{\"v\":1,\"cmd\":\"route.explain\",\"args\":{\"uri\":\"garbage\"}}", "bad_request",
            "no SIP URI");
    refused(rig, "{\"v\":1,\"cmd\":\"route.list\",\"args\":{\"after\":\"nobody\"}}", "not_found", "nobody");
}

static void changes_need_the_record(void **state)
{
    struct rig *rig = *state;

    refused(rig,
            "{\"v\":1,\"cmd\":\"route.add\",\"args\":{\"route\":{\"name\":\"a\",\"pattern\":\"1\",\"next_"
            "hop\":\"1.2.3.4\"}}}",
            "unavailable", "Redis");
    refused(rig, "{\"v\":1,\"cmd\":\"user.set\",\"args\":{\"user\":\"a@example.com\",\"node\":\"node2\"}}",
            "unavailable", "Redis");
    refused(rig, "{\"v\":1,\"cmd\":\"user.remove\",\"args\":{\"user\":\"a@b\"}}", "unavailable", "Redis");
    json_t *r = done(rig, "{\"v\":1,\"cmd\":\"user.list\"}");
    assert_int_equal(json_integer_value(json_object_get(r, "total")), 0);
    json_decref(r);
}

/* Nothing is told "applied" that the cores have no room for; who is there already may move. */
static void a_full_user_table_takes_nobody(void **state)
{
    struct rig *rig = *state;
    int64_t max = rig->cp->config->dp_users_max;
    unsigned changed;

    assert_non_null(users_set(rig->cp->users, slice_str("in@example.com"),
                              users_home(rig->cp->users, SLICE_LIT("node2")), slice_of("", 0),
                              (struct record_version){0, 0}, &changed));
    rig->cp->config->dp_users_max = 1;
    refused(rig, "{\"v\":1,\"cmd\":\"user.set\",\"args\":{\"user\":\"new@example.com\",\"node\":\"node2\"}}",
            "conflict", "user table is full");
    refused(rig, "{\"v\":1,\"cmd\":\"user.set\",\"args\":{\"user\":\"in@example.com\",\"node\":\"node2\"}}",
            "unavailable", "Redis");
    rig->cp->config->dp_users_max = max;
    assert_true(users_remove(rig->cp->users, slice_str("in@example.com")));
}

/* The cores look users up by cluster.domain: another name of the cluster means the same user, a foreign
 * domain nobody. */
static void a_user_is_of_the_clusters_domain(void **state)
{
    struct rig *rig = *state;
    unsigned changed;

    refused(rig, "{\"v\":1,\"cmd\":\"user.set\",\"args\":{\"user\":\"bob@other.org\",\"node\":\"node2\"}}",
            "bad_request", "bob@other.org is not of the domain example.com");
    refused(rig, "{\"v\":1,\"cmd\":\"user.set\",\"args\":{\"user\":\"bob@EXAMPLE.com\",\"node\":\"node2\"}}",
            "unavailable", "Redis");
    assert_non_null(users_set(rig->cp->users, slice_str("bob@example.com"),
                              users_home(rig->cp->users, SLICE_LIT("node2")), slice_of("", 0),
                              (struct record_version){0, 0}, &changed));
    assert_non_null(users_set(rig->cp->users, slice_str("eve@other.org"),
                              users_home(rig->cp->users, SLICE_LIT("node2")), slice_of("", 0),
                              (struct record_version){0, 0}, &changed));
    rig->cp->config->aliases = calloc(1, sizeof(*rig->cp->config->aliases));
    rig->cp->config->naliases = 1;
    strcpy(rig->cp->config->aliases[0], "Alias.example");
    json_t *r = done(rig, "{\"v\":1,\"cmd\":\"user.find\",\"args\":{\"user\":\"bob@alias.EXAMPLE\"}}");
    assert_string_equal(json_string_value(json_object_get(r, "user")), "bob@example.com");
    json_decref(r);
    json_decref(done(rig, "{\"v\":1,\"cmd\":\"user.find\",\"args\":{\"user\":\"eve@other.org\"}}"));
    json_decref(done(rig, "{\"v\":1,\"cmd\":\"user.find\",\"args\":{\"user\":\"%62o%62@example.com\"}}"));
    refused(rig, "{\"v\":1,\"cmd\":\"user.set\",\"args\":{\"user\":\"bo b@example.com\",\"node\":\"node2\"}}",
            "bad_request", "must not have blanks");
    wait_compiled(rig);
    r = done(rig, "{\"v\":1,\"cmd\":\"route.explain\",\"args\":{\"uri\":\"sip:bob@alias.EXAMPLE\"}}");
    assert_string_equal(json_string_value(json_object_get(r, "user_node")), "node2");
    json_decref(r);
    refused(rig, "{\"v\":1,\"cmd\":\"user.find\",\"args\":{\"user\":\"eve@alias.example\"}}", "not_found",
            "the record has no user eve@example.com");
    refused(rig,
            "{\"v\":1,\"cmd\":\"user.set\",\"args\":{\"user\":\"bob@alias.example\",\"node\":\"node2\"}}",
            "unavailable", "Redis");
    assert_true(users_remove(rig->cp->users, slice_str("bob@example.com")));
    assert_true(users_remove(rig->cp->users, slice_str("eve@other.org")));
}

static void changes_are_checked_first(void **state)
{
    struct rig *rig = *state;

    refused(rig,
            "{\"v\":1,\"cmd\":\"route.add\",\"args\":{\"route\":{\"name\":\"a\",\"pattern\":\"a*b\",\"next_"
            "hop\":\"5.6.7.8.9\"}}}",
            "bad_request", "is not an IPv4 address"); /* ZZ04 */
    refused(rig, "{\"v\":1,\"cmd\":\"route.add\",\"args\":{\"route\":{\"name\":\"gw1\"}}}", "conflict",
            "exists already");
    refused(rig, "{\"v\":1,\"cmd\":\"route.set\",\"args\":{\"name\":\"gw1\",\"route\":{}}}", "conflict",
            "file");
    refused(rig, "{\"v\":1,\"cmd\":\"route.remove\",\"args\":{\"name\":\"x\"}}", "not_found", "no route");
    refused(rig, "{\"v\":1,\"cmd\":\"user.set\",\"args\":{\"user\":\"a@b\",\"node\":\"x\"}}", "not_found",
            "no node");
    refused(rig, "{\"v\":1,\"cmd\":\"user.find\",\"args\":{\"user\":\"a@b\"}}", "not_found",
            "the record has no user");
    refused(rig, "{\"v\":1,\"cmd\":\"counters\"}", "unavailable", "no dataplane");
    refused(rig, "{\"v\":1,\"cmd\":\"trace\"}", "unavailable", "no dataplane");
    refused(rig, "{\"v\":1,\"cmd\":\"trace\",\"args\":{\"address\":\"10.x\"}}", "bad_request", "no address");
}

static void a_reload_takes_good_files_only(void **state)
{
    struct rig *rig = *state;

    write_config(rig, "nonsense = 1;\n");
    refused(rig, "{\"v\":1,\"cmd\":\"config.reload\"}", "bad_request", "nonsense");
    refused(rig, "{\"v\":1,\"cmd\":\"config.diff\"}", "bad_request", "nonsense");
    assert_int_equal(rig->cp->config->nroutes, 4);
    FILE *f = fopen(rig->file, "w");
    fprintf(f,
            "node: { name = \"admintest%d\"; admin_socket = \"%s/s\"; metrics: { port = 0; }; redis: { port "
            "= 2; };\n"
            " log: { level = \"error\"; }; };\n"
            "cluster: { sip: { t1 = 250; }; routes = ( { name = \"only\"; pattern = \"5*\"; next_hop = "
            "\"10.0.0.5\"; } ); };\n",
            (int)getpid(), rig->dir);
    fclose(f);
    json_t *r = done(rig, "{\"v\":1,\"cmd\":\"config.diff\"}");
    assert_true(json_array_size(json_object_get(r, "items")) >= 2);
    json_decref(r);
    wait_compiled(rig);
    r = done(rig, "{\"v\":1,\"cmd\":\"config.reload\"}");
    char *all = json_dumps(r, 0);
    assert_non_null(strstr(all, "cluster.sip.t1"));
    assert_non_null(strstr(strstr(all, "\"restart\""), "node.redis.port"));
    free(all);
    json_decref(r);
    r = done(rig, "{\"v\":1,\"cmd\":\"route.list\"}");
    assert_int_equal(json_array_size(json_object_get(r, "routes")), 1);
    json_decref(r);
    assert_int_equal(rig->cp->config->redis_port, 1); /* what takes a restart runs on, and is still told */
    r = done(rig, "{\"v\":1,\"cmd\":\"config.reload\"}");
    assert_int_equal(json_array_size(json_object_get(r, "restart")), 1);
    assert_int_equal(json_array_size(json_object_get(r, "applied")), 0);
    json_decref(r);
    for (unsigned i = 0; i < 20; i++) /* one after the other, faster than routes compile */
        json_decref(done(rig, "{\"v\":1,\"cmd\":\"config.reload\",\"args\":{\"wait\":false}}"));
}

static void the_socket_is_for_its_group_only(void **state)
{
    const struct rig *rig = *state;
    struct stat st;
    char path[128];

    snprintf(path, sizeof(path), "%s/s", rig->dir);
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
        cmocka_unit_test_setup_teardown(status_says_what_is_missing, start, stop),
        cmocka_unit_test_setup_teardown(routes_are_shown_and_explained, start, stop),
        cmocka_unit_test_setup_teardown(changes_need_the_record, start, stop),
        cmocka_unit_test_setup_teardown(a_full_user_table_takes_nobody, start, stop),
        cmocka_unit_test_setup_teardown(a_user_is_of_the_clusters_domain, start, stop),
        cmocka_unit_test_setup_teardown(changes_are_checked_first, start, stop),
        cmocka_unit_test_setup_teardown(a_reload_takes_good_files_only, start, stop),
        cmocka_unit_test_setup_teardown(the_socket_is_for_its_group_only, start, stop),
    };
    return cmocka_run_group_tests_name("controlplane_admin", tests, NULL, NULL);
}
