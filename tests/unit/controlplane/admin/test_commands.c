/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of the admin socket, as far as they go without Redis and dataplane. */
#include "admin_rig.h"

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
    assert_string_equal(json_string_value(json_object_get(r, "next")), "tls");
    json_decref(r);
    r = done(rig, "{\"v\":1,\"cmd\":\"route.list\",\"args\":{\"after\":\"tls\"}}");
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

    admin_rig_config(rig, "nonsense = 1;\n");
    refused(rig, "{\"v\":1,\"cmd\":\"config.reload\"}", "bad_request", "nonsense");
    refused(rig, "{\"v\":1,\"cmd\":\"config.diff\"}", "bad_request", "nonsense");
    assert_int_equal(rig->cp->config->nroutes, 4);
    FILE *f = fopen(rig->own.file, "w");
    fprintf(f,
            "node: { name = \"admintest%d\"; admin_socket = \"%s/s\"; metrics: { port = 0; }; redis: { port "
            "= 2; };\n"
            " log: { level = \"error\"; }; };\n"
            "cluster: { sip: { t1 = 250; }; routes = ( { name = \"only\"; pattern = \"5*\"; next_hop = "
            "\"10.0.0.5\"; } ); };\n",
            (int)getpid(), rig->own.dir);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(status_says_what_is_missing, start, stop),
        cmocka_unit_test_setup_teardown(routes_are_shown_and_explained, start, stop),
        cmocka_unit_test_setup_teardown(changes_need_the_record, start, stop),
        cmocka_unit_test_setup_teardown(a_full_user_table_takes_nobody, start, stop),
        cmocka_unit_test_setup_teardown(a_user_is_of_the_clusters_domain, start, stop),
        cmocka_unit_test_setup_teardown(changes_are_checked_first, start, stop),
        cmocka_unit_test_setup_teardown(a_reload_takes_good_files_only, start, stop),
    };
    return cmocka_run_group_tests_name("controlplane_admin", tests, NULL, NULL);
}
