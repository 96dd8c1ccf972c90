/* SPDX-License-Identifier: BSD-2-Clause */
/* What loads of the record do to what is in memory: a control plane without Redis, told by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "assign/users.h"
#include "cp_rig.h"
#include "life/life.h"
#include "node/nodes.h"
#include "push/push.h"
#include "routes/book.h"
#include "settings/settings.h"
#include "settings/settings_impl.h"

struct rig {
    struct cp_rig own;
    struct controlplane *cp; /* of own */
    struct record_events to;
};

static int start(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    cp_rig_start(&rig->own, "push", 1, "cluster: { domain = \"example.com\"; };\n");
    rig->cp = rig->own.cp;
    rig->to = push_record_events(rig->cp);
    *state = rig;
    return 0;
}

static int stop(void **state)
{
    struct rig *rig = *state;

    life_stop(rig->cp);
    cp_rig_clear(&rig->own);
    free(rig);
    return 0;
}

static void begin(struct rig *rig)
{
    rig->to.load_begin(rig->to.arg);
}

static void one(struct rig *rig, enum record_table table, const char *field, const char *value)
{
    rig->to.loaded_one(rig->to.arg, table, slice_str(field), slice_str(value), (struct record_version){1, 1});
}

static void end(struct rig *rig)
{
    rig->to.load_end(rig->to.arg);
}

static void sweep(struct rig *rig)
{
    while (push_record_turn(rig->cp))
        ;
}

static bool is_known(struct rig *rig, const char *user)
{
    return users_find(rig->cp->users, slice_str(user)) != NULL;
}

static void what_a_load_does_not_mention_goes(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    one(rig, RECORD_USERS, "ann@example.com", "n1");
    one(rig, RECORD_USERS, "bob@example.com", "n1");
    end(rig);
    sweep(rig);
    begin(rig);
    one(rig, RECORD_USERS, "bob@example.com", "n1");
    end(rig);
    sweep(rig);
    assert_false(is_known(rig, "ann@example.com"));
    assert_true(is_known(rig, "bob@example.com"));
}

/* The connection is lost and back while the users of the load before are still being swept. */
static void a_load_that_begins_ends_the_sweep_of_the_one_before(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    one(rig, RECORD_USERS, "ann@example.com", "n1");
    end(rig);
    begin(rig);
    sweep(rig);
    assert_true(is_known(rig, "ann@example.com"));
    one(rig, RECORD_USERS, "ann@example.com", "n1");
    end(rig);
    sweep(rig);
    assert_true(is_known(rig, "ann@example.com"));
}

static void garbage_takes_nobody_out_of_service(void **state)
{
    struct rig *rig = *state;
    static const char route[] = "{\"name\":\"gw\",\"pattern\":\"19*\",\"next_hop\":\"10.0.0.5\"}";

    begin(rig);
    one(rig, RECORD_ROUTES, "gw", route);
    one(rig, RECORD_USERS, "ann@example.com", "n1");
    end(rig);
    sweep(rig);
    assert_non_null(book_find(rig->cp->routes, "gw"));
    begin(rig);
    one(rig, RECORD_ROUTES, "gw", "rubbish");
    one(rig, RECORD_USERS, "ann@example.com", "");
    end(rig);
    sweep(rig);
    assert_int_equal(rig->cp->record_bad, 2);
    assert_non_null(book_find(rig->cp->routes, "gw"));
    assert_true(is_known(rig, "ann@example.com"));
}

/* Whoever writes over it has to know which version is there. */
static void a_setting_that_cannot_be_used_is_not_absent(void **state)
{
    struct rig *rig = *state;
    struct settings *s = rig->cp->settings;
    static const char path[] = "cluster.srv_name";

    begin(rig);
    rig->to.loaded_one(rig->to.arg, RECORD_SETTINGS, slice_str(path), slice_of("a\0b", 3),
                       (struct record_version){1, 5});
    end(rig);
    assert_non_null(settings_entry(s, "", path));
    assert_int_equal(settings_entry(s, "", path)->version.seq, 5);
    assert_null(settings_value(s, "", path));
    begin(rig);
    one(rig, RECORD_SETTINGS, path, "");
    end(rig);
    assert_string_equal(settings_value(s, "", path), "");
    begin(rig);
    end(rig);
    assert_null(settings_entry(s, "", path));
}

/* Redis was away for a moment: what stands there is no better for being read twice. */
static void a_setting_that_cannot_be_used_is_told_by_each_load(void **state)
{
    struct rig *rig = *state;

    for (int i = 0; i < 2; i++) {
        begin(rig);
        one(rig, RECORD_SETTINGS, "cluster.sip.t2", "none");
        one(rig, RECORD_SETTINGS, SETTINGS_PUBLISHED "cluster.sip.t2", "none");
        end(rig);
        assert_int_equal(rig->cp->record_bad, 1);
        assert_true(rig->cp->alarms.a[ALARM_record_bad].standing);
    }
}

/* However many another program puts there, what this version knows is followed, and can be written over. */
static void settings_that_nobody_knows_take_no_room(void **state)
{
    struct rig *rig = *state;
    struct settings *s = rig->cp->settings;
    char path[64];

    begin(rig);
    for (int i = 0; i < 3000; i++) {
        snprintf(path, sizeof(path), "%scluster.nothing%d", i % 2 ? SETTINGS_PUBLISHED : "", i);
        one(rig, RECORD_SETTINGS, path, "1");
    }
    one(rig, RECORD_SETTINGS, "cluster.sip.t1", "400");
    one(rig, RECORD_SETTINGS, SETTINGS_PUBLISHED "cluster.sip.t1", "500");
    end(rig);
    assert_string_equal(settings_value(s, "", "cluster.sip.t1"), "400");
    assert_string_equal(settings_value(s, SETTINGS_PUBLISHED, "cluster.sip.t1"), "500");
    assert_int_equal(s->n, 2);
}

/* What hgctl config show says of where a value is from. */
static void a_value_of_the_record_is_known_as_one(void **state)
{
    struct rig *rig = *state;
    struct controlplane *cp = rig->cp;

    begin(rig);
    one(rig, RECORD_SETTINGS, "cluster.sip.t1", "400");
    one(rig, RECORD_SETTINGS, "cluster.sip.t2", "none");
    one(rig, RECORD_SETTINGS, "cluster.domain", "example.com");
    one(rig, RECORD_SETTINGS, "cluster.access", "[ \"10.0.0.0/8\" ]");
    end(rig);
    struct hg_config *config = settings_reloaded(cp, hg_config_copy(cp->config));
    if (!record_was_loaded(cp->record)) /* without Redis nothing was read: by hand what a turn does */
        settings_overlay(cp, config);
    assert_int_equal(cp->record_bad, 1);
    assert_int_equal(config->sip_t1_ms, 400);
    assert_true(settings_of_record(cp, "cluster.sip.t1"));
    assert_true(settings_of_record(cp, "cluster.access[0]"));
    assert_false(settings_of_record(cp, "cluster.sip.t2")); /* it does not take that */
    assert_false(settings_of_record(cp, "cluster.domain")); /* the file says so */
    assert_false(settings_of_record(cp, "cluster.sip.t4"));
    hg_config_free(config);
}

static void load_node(struct rig *rig, const char *name, const char *json)
{
    begin(rig);
    if (name)
        one(rig, RECORD_NODES, name, json);
    end(rig);
    nodes_turn(rig->cp);
}

/* Removed while it runs, or by a backup of others: its users and service addresses are another one's then. */
static void whose_index_another_node_has_serves_nobody(void **state)
{
    struct rig *rig = *state;
    struct controlplane *cp = rig->cp;

    load_node(rig, rig->own.name, "{\"id\":4,\"installed\":true}");
    cp->joined = true;
    assert_int_equal(cp->self, 4);
    assert_true(nodes_serve_here(cp, 4));
    load_node(rig, "other1", "{\"id\":3,\"installed\":true}");
    assert_int_equal(cp->self, 4); /* its own clients find it still */
    load_node(rig, "other2", "{\"id\":4,\"installed\":true}");
    assert_string_equal(nodes_name(cp, 4), "other2");
    assert_int_equal(cp->self, 0);
    for (uint16_t i = 0; i < HG_NODES_MAX; i++)
        assert_false(nodes_serve_here(cp, i));
    load_node(rig, rig->own.name, "{\"id\":5,\"installed\":true}");
    assert_int_equal(cp->self, 5);
    assert_true(nodes_serve_here(cp, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_load_does_not_mention_goes, start, stop),
        cmocka_unit_test_setup_teardown(a_load_that_begins_ends_the_sweep_of_the_one_before, start, stop),
        cmocka_unit_test_setup_teardown(garbage_takes_nobody_out_of_service, start, stop),
        cmocka_unit_test_setup_teardown(a_setting_that_cannot_be_used_is_not_absent, start, stop),
        cmocka_unit_test_setup_teardown(a_setting_that_cannot_be_used_is_told_by_each_load, start, stop),
        cmocka_unit_test_setup_teardown(settings_that_nobody_knows_take_no_room, start, stop),
        cmocka_unit_test_setup_teardown(a_value_of_the_record_is_known_as_one, start, stop),
        cmocka_unit_test_setup_teardown(whose_index_another_node_has_serves_nobody, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
