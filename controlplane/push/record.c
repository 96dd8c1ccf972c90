/* SPDX-License-Identifier: BSD-2-Clause */
/* What the record says, into memory and down. A load marks what is there; the rest is taken out at its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign/contact.h"
#include "assign/domain.h"
#include "assign/users.h"
#include "controlplane.h"
#include "ha/run.h"
#include "node/join.h"
#include "node/nodes.h"
#include "pace.h"
#include "push/push.h"
#include "routes/book.h"
#include "routes/json.h"
#include "settings/settings.h"

static void load_begin(void *arg)
{
    struct controlplane *cp = arg;

    cp->sweep = false; /* of a load before this one: by the new mark everybody would be left out */
    users_new_mark(cp->users);
    book_new_mark(cp->routes);
    ha_load_begin(cp->ha); /* first: it forgets what was only remembered of the topology */
    topology_load_begin(&cp->topology);
    settings_load_begin(cp);
    cp->record_bad = 0;
}

static void bad(struct controlplane *cp, const char *what, struct slice field, const char *why)
{
    if (cp->record_bad++ < 10)
        log_printf(&cp->log, HG_LOG_WARNING, "record_bad", "%s \"" SLICE_FMT "\" of the record: %s", what,
                   (int)(field.len < 200 ? field.len : 200), field.p, why);
}

static void one_user(struct controlplane *cp, struct slice field, struct slice value,
                     struct record_version version)
{
    char name[USERS_NAME_MAX + 1], why_contacts[256];
    uint32_t len;
    const char *why;
    struct slice node, contacts;
    unsigned changed;

    if (!users_canonical(field, name, &len, &why)) {
        bad(cp, "user", field, why);
        return;
    }
    users_mark(cp->users, slice_of(name, len)); /* garbage in the record takes nobody out of service */
    if (!user_value_split(value, &node, &contacts)) {
        bad(cp, "user", field, "its value has no home");
        return;
    }
    if (contacts.len && contacts_check(contacts, why_contacts, sizeof(why_contacts)) < 0) {
        bad(cp, "user", field, why_contacts);
        contacts.len = 0; /* reachable by its home at least */
    }
    uint16_t home = users_home(cp->users, node);
    if (node.len && !home) {
        bad(cp, "user", field, "its home has no name, or there are too many homes");
        return;
    }
    /* Kept as it is, for a record that has to be given back; the cores take it by the cluster's domain only.
     */
    char ours[USERS_NAME_MAX + 1];
    uint32_t ours_len = len;
    memcpy(ours, name, len + 1);
    if (!user_take_home(cp->config, ours, &ours_len) ||
        !slice_eq(slice_of(ours, ours_len), slice_of(name, len)))
        bad(cp, "user", field, "its domain is not cluster.domain, no request finds it");
    struct user *user = users_set(cp->users, slice_of(name, len), home, contacts, version, &changed);
    if (!user)
        bad(cp, "user", field, "out of memory");
    else if (changed)
        push_user(cp, user, changed);
}

static void one_node(struct controlplane *cp, enum record_table table, struct slice field, struct slice value)
{
    char why[256];
    bool used = table == RECORD_NODES
                    ? topology_set_node(&cp->topology, field, value, why, sizeof(why))
                    : topology_set_subcluster(&cp->topology, field, value, why, sizeof(why));

    if (!used || why[0])
        bad(cp, table == RECORD_NODES ? "node" : "subcluster", field, why);
    nodes_changed(cp);
}

static void one_route(struct controlplane *cp, struct slice field, struct slice value)
{
    struct hg_static_route route;
    char why[256], name[sizeof(route.name)];

    snprintf(name, sizeof(name), SLICE_FMT, SLICE_ARG(field));
    book_mark(cp->routes, name); /* the same holds for a route */
    if (!route_json_parse(value, &route, why, sizeof(why))) {
        bad(cp, "route", field, why);
        return;
    }
    if (field.len >= sizeof(route.name) || !slice_eq(field, slice_str(route.name))) {
        bad(cp, "route", field, "its name is not the name of the field");
        return;
    }
    if (book_is_full(cp->routes, route.name))
        bad(cp, "route", field, "the record has more routes than are kept");
    else if (!book_put(cp->routes, &route))
        bad(cp, "route", field, "out of memory");
}

/* Not counted: it is written again by those that it is about, and the alarm names it as long as it stands. */
static void one_ownership(struct controlplane *cp, struct slice field)
{
    log_printf(&cp->log, HG_LOG_WARNING, "record_bad",
               "the ownership of subcluster \"" SLICE_FMT "\" of the record cannot be understood",
               (int)(field.len < 200 ? field.len : 200), field.p);
}

static void one(struct controlplane *cp, enum record_table table, struct slice field, struct slice value,
                struct record_version version)
{
    if (table == RECORD_USERS)
        one_user(cp, field, value, version);
    else if (table == RECORD_NODES || table == RECORD_SUBCLUSTERS)
        one_node(cp, table, field, value);
    else if (table == RECORD_HA && !ha_entry(cp->ha, RECORD_SET, field, value, version))
        one_ownership(cp, field);
    else if (table == RECORD_SETTINGS && !settings_one(cp, field, value, version))
        bad(cp, "setting", field, "a value that it does not take");
    else if (table == RECORD_ROUTES)
        one_route(cp, field, value);
}

static void tables_loaded(struct controlplane *cp)
{
    nodes_whole(cp);
    ha_tables_loaded(cp->ha);
}

static void loaded_one(void *arg, enum record_table table, struct slice field, struct slice value,
                       struct record_version version)
{
    struct controlplane *cp = arg;

    if (table > RECORD_HA) /* the manager does not wait for a million users */
        tables_loaded(cp);
    one(cp, table, field, value, version);
}

static void gone(struct controlplane *cp, enum record_table table, struct slice field)
{
    char name[USERS_NAME_MAX + 1];

    if ((table == RECORD_NODES && topology_remove_node(&cp->topology, field)) ||
        (table == RECORD_SUBCLUSTERS && topology_remove_subcluster(&cp->topology, field)))
        nodes_changed(cp);
    if (table == RECORD_SETTINGS)
        settings_gone(cp, field);
    if (table == RECORD_HA)
        ha_entry(cp->ha, RECORD_REMOVE, field, slice_of("", 0), (struct record_version){0});
    if (field.len > USERS_NAME_MAX)
        return;
    memcpy(name, field.p, field.len);
    name[field.len] = '\0';
    if (table == RECORD_USERS && users_remove(cp->users, field))
        push_user_remove(cp, field);
    else if (table == RECORD_ROUTES && book_remove(cp->routes, name))
        push_routes_dirty(cp);
}

static void changed(void *arg, enum record_table table, enum record_op op, struct slice field,
                    struct slice value, struct record_version version)
{
    struct controlplane *cp = arg;

    if (op == RECORD_REMOVE) {
        gone(cp, table, field);
        return;
    }
    one(cp, table, field, value, version);
    if (table == RECORD_ROUTES)
        push_routes_dirty(cp);
}

static void load_skipped(void *arg, enum record_table table, const char *why)
{
    struct controlplane *cp = arg;

    (void)why; /* the record has said it */
    cp->record_bad++;
    if (table == RECORD_HA)
        ha_entries_skipped(cp->ha);
    if (table == RECORD_NODES || table == RECORD_SUBCLUSTERS)
        topology_table_unread(&cp->topology);
}

static void load_end(void *arg)
{
    struct controlplane *cp = arg;

    topology_load_end(&cp->topology);
    tables_loaded(cp);
    nodes_changed(cp);
    settings_load_end(cp);
    join_loaded(cp);
    cp->sweep = true; /* users by the million: in pieces */
    cp->sweep_last_len = 0;
    if (book_sweep(cp->routes))
        push_routes_dirty(cp);
    push_record_bad(cp);
}

void push_record_bad(struct controlplane *cp)
{
    const char *name = ha_broken(cp->ha), *id = cp->config->cluster_id;

    if (name)
        alarm_raise(
            &cp->alarms, ALARM_record_bad,
            "the ownership of subcluster %s cannot be understood: the field %s of the key hg:{%s}:ha. Its "
            "nodes write it again; if this stands for more than a minute, redis-cli HDEL 'hg:{%s}:ha' '%s'",
            name, name, id, id, name);
    else if (cp->record_bad)
        alarm_raise(&cp->alarms, ALARM_record_bad, "%u entries of the record cannot be used, see the log",
                    cp->record_bad);
    else
        alarm_clear(&cp->alarms, ALARM_record_bad);
}

bool push_record_turn(struct controlplane *cp)
{
    if (!cp->sweep)
        return false;
    uint64_t at = users_position_after(cp->users, slice_of(cp->sweep_last, cp->sweep_last_len));
    for (struct pace pace = pace_begin(); !pace_is_over(&pace);) {
        struct user *u = users_walk(cp->users, &at);
        if (!u) {
            cp->sweep = false;
            return false;
        }
        if (users_is_marked(cp->users, u)) {
            memcpy(cp->sweep_last, u->name, u->len);
            cp->sweep_last_len = u->len;
            continue;
        }
        push_user_remove(cp, slice_of(u->name, u->len));
        users_remove_walked(cp->users, &at);
    }
    return true;
}

static bool give(void *arg, enum record_table table, uint64_t *cursor, struct slice *field,
                 struct slice *value)
{
    struct controlplane *cp = arg;

    if (*cursor == 0)
        cp->give_last_len = 0;
    (*cursor)++;
    if (table == RECORD_USERS) {
        const struct user *u = users_after(cp->users, slice_of(cp->give_last, cp->give_last_len));
        if (!u)
            return false;
        memcpy(cp->give_last, u->name, u->len);
        cp->give_last_len = u->len;
        uint32_t len = users_value(u, slice_str(users_home_name(cp->users, u->home)), cp->give_user);
        *field = slice_of(u->name, u->len);
        *value = slice_of(cp->give_user, len);
        return true;
    }
    const struct hg_static_route *route = book_admin(cp->routes, (uint32_t)(*cursor - 1));
    if (!route)
        return false;
    free(cp->give_text);
    cp->give_text = route_json_text(route);
    *field = slice_str(route->name);
    *value = slice_str(cp->give_text ? cp->give_text : "");
    return true;
}

static void state(void *arg, enum record_state now)
{
    struct controlplane *cp = arg;

    ha_record_state(cp->ha, now);
}

struct record_events push_record_events(struct controlplane *cp)
{
    return (struct record_events){.load_begin = load_begin,
                                  .loaded_one = loaded_one,
                                  .load_skipped = load_skipped,
                                  .load_end = load_end,
                                  .changed = changed,
                                  .state = state,
                                  .give = give,
                                  .arg = cp};
}
