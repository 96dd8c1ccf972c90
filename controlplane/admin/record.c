/* SPDX-License-Identifier: BSD-2-Clause */
/* record.page, record.write, record.finish: the whole record out and in again, for hgctl backup and restore.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/request.h"
#include "controlplane.h"
#include "store/record.h"
#include "store/record_text.h"

struct page {
    json_t *entries;
    unsigned left_out; /* no UTF-8 */
};

static void on_one(void *arg, struct slice field, struct slice value)
{
    struct admin_request *req = arg;
    struct page *p = req->state;
    json_t *pair = json_pack("[s%, s%]", field.p, (size_t)field.len, value.p, (size_t)value.len);

    if (json_array_append_new(p->entries, pair) != 0)
        p->left_out++;
}

static void on_page(void *arg, uint64_t next, const char *error)
{
    struct admin_request *req = arg;
    struct page *p = req->state;
    char cursor[24];

    if (error) {
        json_decref(p->entries);
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "the record cannot be read: %s", error);
        return;
    }
    snprintf(cursor, sizeof(cursor), "%" PRIu64, next);
    admin_ok(req, json_pack("{s:s, s:s, s:o, s:i, s:s?}", "cluster", req->cp->config->cluster_id, "record",
                            record_id(req->cp->record), "entries", p->entries, "left_out", (int)p->left_out,
                            "next", next ? cursor : NULL));
}

void admin_record_page(struct admin_request *req)
{
    const char *table = "", *cursor = "0";
    enum record_table which;
    struct page *p = calloc(1, sizeof(*p));

    req->state = p;
    if (!admin_arg_string(req, "table", &table) || !admin_arg_string(req, "cursor", &cursor))
        return;
    if (!record_table_parse(slice_str(table), &which)) {
        admin_fail(req, ADMIN_BAD_REQUEST, "nodes, subclusters, ha, settings, routes, users",
                   "no table is named %.40s", table);
        return;
    }
    if (p)
        p->entries = json_array();
    if (!p || !p->entries) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    struct record_page page = {.one = on_one, .done = on_page, .arg = req};
    record_page(req->cp->record, which, strtoull(cursor, NULL, 10), &page);
}

static void on_written(void *arg, const struct record_outcome *o)
{
    struct admin_request *req = arg;

    if (o->result == RECORD_OK)
        admin_ok(req, json_object());
    else
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "Redis did not confirm the change: %s", o->why);
}

static struct slice text_at(const json_t *entry, size_t i)
{
    const json_t *text = json_array_get(entry, i);

    return json_is_string(text) ? slice_of(json_string_value(text), (uint32_t)json_string_length(text))
                                : slice_of("", 0);
}

/* ["users", "set", "bob@example.com", "node1"]. Ownership (ha) is the nodes' own business. */
static bool take_item(const json_t *entry, struct record_item *item)
{
    struct slice op = text_at(entry, 1);

    *item = (struct record_item){.op = slice_eq(op, SLICE_LIT("del")) ? RECORD_REMOVE : RECORD_SET,
                                 .field = text_at(entry, 2),
                                 .value = text_at(entry, 3)};
    return record_table_parse(text_at(entry, 0), &item->table) && item->table != RECORD_HA &&
           item->field.len > 0 && (item->op == RECORD_REMOVE || slice_eq(op, SLICE_LIT("set")));
}

void admin_record_write(struct admin_request *req)
{
    struct record_item items[RECORD_ITEMS_MAX];
    const json_t *list = json_object_get(req->args, "items");
    size_t n = json_array_size(list);

    if (n == 0 || n > RECORD_ITEMS_MAX) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "items has 1 to 500 entries");
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (!take_item(json_array_get(list, i), &items[i])) {
            admin_fail(req, ADMIN_BAD_REQUEST, "[table, \"set\" or \"del\", field, value]",
                       "item %zu is malformed", i);
            return;
        }
    record_change(req->cp->record, items, (uint32_t)n, on_written, req);
}

void admin_record_finish(struct admin_request *req)
{
    const char *id = NULL;

    if (!admin_arg_string(req, "record", &id))
        return;
    if (!id || !*id)
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "record is missing: the id that the backup names");
    else
        record_stands_for(req->cp->record, id, on_written, req);
}
