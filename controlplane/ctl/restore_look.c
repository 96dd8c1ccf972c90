/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "ctl/backup_file.h"
#include "ctl/restore.h"

/* FNV-1a, 64 bits */
static uint64_t key_of(const char *table, const char *field)
{
    uint64_t h = 14695981039346656037ull;

    for (const char *p = table; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ull;
    h = (h ^ ' ') * 1099511628211ull;
    for (const char *p = field; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ull;
    return h;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static bool remember(struct restore *r, const json_t *entry)
{
    const char *table = json_string_value(json_object_get(entry, "table"));
    const char *field = json_string_value(json_object_get(entry, "field"));

    if (r->keys == r->room) {
        size_t room = r->room ? r->room * 2 : 1024;
        uint64_t *bigger = realloc(r->key, room * sizeof(bigger[0]));
        if (!bigger)
            return false;
        r->key = bigger;
        r->room = room;
    }
    r->key[r->keys++] = key_of(table, field);
    return strcmp(table, "nodes") != 0 || json_object_set_new(r->nodes, field, json_null()) == 0;
}

int restore_check_file(struct restore *r)
{
    struct backup_reader in;
    int status = CTL_DONE;

    if (!backup_open(&in, r->path))
        status = restore_refuse(r, in.why);
    for (json_t *e; status == CTL_DONE && (e = backup_next(&in)); json_decref(e))
        if (!remember(r, e))
            status = restore_refuse(r, "out of memory");
    if (status == CTL_DONE && !in.ended)
        status = restore_refuse(r, in.why);
    if (status == CTL_DONE && in.left_out && r->force)
        status = restore_refuse(
            r, "entries were left out when it was made; --force would remove them from the record");
    snprintf(r->record, sizeof(r->record), "%s", in.record);
    snprintf(r->cluster, sizeof(r->cluster), "%s", in.cluster);
    r->total = (json_int_t)in.entries;
    backup_close(&in);
    qsort(r->key, r->keys, sizeof(r->key[0]), by_number);
    return status;
}

bool restore_has(const struct restore *r, const char *table, const char *field)
{
    uint64_t key = key_of(table, field);

    return r->keys && bsearch(&key, r->key, r->keys, sizeof(key), by_number);
}

int restore_each(struct restore *r, const char *table, restore_entry_fn *each)
{
    json_t *args = json_pack("{s:s}", "table", table), *page, *one;
    bool more = true;
    int status;
    size_t i;

    while (more && (status = ctl_request(r->ctl, "record.page", args, &page)) == CTL_DONE) {
        const char *record = json_string_value(json_object_get(page, "record"));
        const char *cluster = json_string_value(json_object_get(page, "cluster"));
        snprintf(r->record_here, sizeof(r->record_here), "%s", record ? record : "");
        snprintf(r->cluster_here, sizeof(r->cluster_here), "%s", cluster ? cluster : "");
        json_array_foreach(json_object_get(page, "entries"), i, one)
        {
            if (status == CTL_DONE && json_is_string(json_array_get(one, 0)))
                status = each(r, table, json_array_get(one, 0), json_array_get(one, 1));
        }
        json_t *next = json_object_get(page, "next");
        more = json_is_string(next) && status == CTL_DONE;
        if (more)
            json_object_set(args, "cursor", next);
        json_decref(page);
    }
    json_decref(args);
    return status;
}

static void look_at_subcluster(struct restore *r, const char *name, const char *value)
{
    json_t *o = json_loads(value, 0, NULL);

    if (json_is_true(json_object_get(o, "ha")))
        json_object_set_new(r->ha_here, name, json_null());
    json_decref(o);
}

static int look_at(struct restore *r, const char *table, json_t *field, json_t *value)
{
    const char *name = json_string_value(field), *text = json_string_value(value);

    r->extra += !restore_has(r, table, name);
    if (strcmp(table, "nodes") == 0)
        json_object_set_new(r->nodes_here, name, json_null());
    if (strcmp(table, "subclusters") == 0)
        look_at_subcluster(r, name, text ? text : "");
    return CTL_DONE;
}

static int must_be_empty(struct restore *r, const char *table, json_t *field, json_t *value)
{
    (void)field;
    (void)value;
    fprintf(r->ctl->err, "hgctl: the record has %s already; --force replaces it by the backup\n", table);
    return CTL_REFUSED;
}

int restore_look(struct restore *r)
{
    static const char *const administered[] = {"subclusters", "routes", "users", NULL};
    int status = CTL_DONE;

    for (unsigned i = 0; administered[i] && !r->force && status == CTL_DONE; i++)
        status = restore_each(r, administered[i], must_be_empty);
    for (unsigned i = 0; backup_tables[i] && status == CTL_DONE; i++)
        if (strcmp(backup_tables[i], "ha") != 0)
            status = restore_each(r, backup_tables[i], look_at);
    return status;
}
