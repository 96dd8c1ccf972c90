/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin_rig.h"

#include "life/life.h"

static const char cluster_text[] =
    "cluster: { domain = \"example.com\";\n"
    "  nodes = ( { name = \"node2\"; sip = \"10.0.0.9:5060\"; } );\n"
    "  routes = ( { name = \"gw1\"; pattern = \"1919*\"; next_hop = \"10.0.0.5\"; protocol = \"udp\"; weight "
    "= 20; },\n"
    "             { name = \"gw2\"; pattern = \"1919*\"; next_hop = \"10.0.0.6\"; protocol = \"udp\"; weight "
    "= 10; },\n"
    "             { name = \"tls\"; pattern = \"2*\"; next_hop = \"10.0.0.7\"; protocol = \"tls\"; },\n"
    "             { name = \"no\"; pattern = \"3*\"; next_hop = \"10.0.0.7\"; block = true; } ); };\n";

void admin_rig_config(const struct rig *rig, const char *more)
{
    char text[sizeof(cluster_text) + 4096];

    snprintf(text, sizeof(text), "%s%s", cluster_text, more);
    cp_rig_config(&rig->own, text);
}

int start(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    cp_rig_start(&rig->own, "admin", 1, cluster_text);
    rig->cp = rig->own.cp;
    *state = rig;
    return 0;
}

int stop(void **state)
{
    struct rig *rig = *state;

    life_stop(rig->cp);
    cp_rig_clear(&rig->own);
    free(rig);
    return 0;
}

int dial(struct rig *rig)
{
    return cp_rig_dial(&rig->own, SOCK_NONBLOCK);
}

/* One line, or NULL when the server closed; the loop turns meanwhile. */
char *get_line(struct rig *rig, int fd)
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

json_t *ask(struct rig *rig, const char *request)
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

void refused(struct rig *rig, const char *request, const char *code, const char *part)
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

json_t *done(struct rig *rig, const char *request)
{
    json_t *reply = ask(rig, request);

    if (!json_is_true(json_object_get(reply, "ok")))
        fail_msg("%s", json_dumps(reply, 0));
    json_t *result = json_incref(json_object_get(reply, "result"));
    json_decref(reply);
    return result;
}

/* Routes are compiled a moment after the start, without Redis after five seconds. */
void wait_compiled(struct rig *rig)
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
