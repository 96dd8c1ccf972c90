/* SPDX-License-Identifier: BSD-2-Clause */
/* hgctl restore: the file is read whole and checked before anything is written. Then its entries go in by
 * 500, and with --force what it does not have goes out. Who serves whom (ha) is not restored: the nodes know
 * it. */
#include <stdlib.h>
#include <string.h>

#include "ctl/backup_file.h"
#include "ctl/show.h"
#include "ctl/table.h"

#define BATCH       500
#define BATCH_BYTES (512 * 1024) /* of values: a request has a limit too */

struct restore {
    struct ctl *ctl;
    const char *path;
    bool force;
    uint64_t *key; /* of every entry of the file, in order */
    size_t keys, room;
    json_t *items;
    size_t bytes; /* of the values in items */
    json_int_t total, written, removed;
};

static int refuse(struct restore *r, const char *why)
{
    fprintf(r->ctl->err, "hgctl: %s: %s\n", r->path, why);
    return CTL_REFUSED;
}

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

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static bool remember(struct restore *r, const json_t *entry)
{
    if (r->keys == r->room) {
        size_t room = r->room ? r->room * 2 : 1024;
        uint64_t *bigger = realloc(r->key, room * sizeof(bigger[0]));
        if (!bigger)
            return false;
        r->key = bigger;
        r->room = room;
    }
    r->key[r->keys++] = key_of(text_of(entry, "table"), text_of(entry, "field"));
    return true;
}

static int check_file(struct restore *r, char record[64])
{
    struct backup_reader in;
    int status = CTL_DONE;

    if (!backup_open(&in, r->path))
        status = refuse(r, in.why);
    for (json_t *e; status == CTL_DONE && (e = backup_next(&in)); json_decref(e))
        if (!remember(r, e))
            status = refuse(r, "out of memory");
    if (status == CTL_DONE && !in.ended)
        status = refuse(r, in.why);
    if (status == CTL_DONE && in.left_out && r->force)
        status =
            refuse(r, "entries were left out when it was made; --force would remove them from the record");
    snprintf(record, 64, "%s", in.record);
    r->total = (json_int_t)in.entries;
    backup_close(&in);
    qsort(r->key, r->keys, sizeof(r->key[0]), by_number);
    return status;
}

static void progress(const struct restore *r)
{
    if (show_terminal(r->ctl))
        fprintf(r->ctl->err, "\r%lld of %lld entries written ", (long long)r->written, (long long)r->total);
}

static int flush(struct restore *r)
{
    json_t *args, *result;

    if (json_array_size(r->items) == 0)
        return CTL_DONE;
    args = json_pack("{s:O}", "items", r->items);
    int status = ctl_request(r->ctl, "record.write", args, &result);
    if (status == CTL_DONE)
        json_decref(result);
    json_decref(args);
    json_array_clear(r->items);
    r->bytes = 0;
    progress(r);
    return status;
}

static int add(struct restore *r, const char *table, const char *op, json_t *field, json_t *value)
{
    json_array_append_new(r->items, json_pack("[s, s, O, O?]", table, op, field, value));
    r->bytes += json_string_length(value);
    return json_array_size(r->items) == BATCH || r->bytes > BATCH_BYTES ? flush(r) : CTL_DONE;
}

/* Pages of one table of the record that is there: refused when there is any and it must be empty, else what
 * the file does not have goes out. */
static int look_at(struct restore *r, const char *table, bool must_be_empty)
{
    json_t *args = json_pack("{s:s}", "table", table), *page, *one;
    int status;
    bool more = true;
    size_t i;

    while (more && (status = ctl_request(r->ctl, "record.page", args, &page)) == CTL_DONE) {
        json_array_foreach(json_object_get(page, "entries"), i, one)
        {
            uint64_t key = key_of(table, json_string_value(json_array_get(one, 0)));
            if (must_be_empty)
                status = CTL_REFUSED;
            else if (!bsearch(&key, r->key, r->keys, sizeof(key), by_number)) {
                r->removed++;
                status = add(r, table, "del", json_array_get(one, 0), NULL);
            }
            if (status != CTL_DONE)
                break;
        }
        json_t *next = json_object_get(page, "next");
        more = json_is_string(next) && status == CTL_DONE;
        if (more)
            json_object_set(args, "cursor", next);
        json_decref(page);
        if (must_be_empty && status == CTL_REFUSED) {
            fprintf(r->ctl->err, "hgctl: the record has %s already; --force replaces it by the backup\n",
                    table);
            break;
        }
    }
    json_decref(args);
    return status == CTL_DONE ? flush(r) : status;
}

static int write_all(struct restore *r)
{
    struct backup_reader in;
    int status = backup_open(&in, r->path) ? CTL_DONE : refuse(r, in.why);

    for (json_t *e; status == CTL_DONE && (e = backup_next(&in)); json_decref(e)) {
        r->written++;
        if (strcmp(text_of(e, "table"), "ha") != 0)
            status =
                add(r, text_of(e, "table"), "set", json_object_get(e, "field"), json_object_get(e, "value"));
    }
    backup_close(&in);
    return status == CTL_DONE ? flush(r) : status;
}

static int finish(struct restore *r, const char *record)
{
    json_t *args = json_pack("{s:s}", "record", record), *result;
    int status = ctl_request(r->ctl, "record.finish", args, &result);

    json_decref(args);
    if (status != CTL_DONE)
        return status;
    json_decref(result);
    if (show_terminal(r->ctl))
        fputc('\n', r->ctl->err);
    if (r->ctl->json)
        fprintf(r->ctl->out, "{\"written\":%lld,\"removed\":%lld}\n", (long long)r->written,
                (long long)r->removed);
    else
        fprintf(r->ctl->out, "%lld entries were restored, %lld removed\n", (long long)r->written,
                (long long)r->removed);
    return CTL_DONE;
}

static int restore(struct restore *r)
{
    static const char *const administered[] = {"subclusters", "routes", "users"};
    static const char *const replaced[] = {"nodes", "subclusters", "settings", "routes", "users"};
    char record[64];
    int status = check_file(r, record);

    for (unsigned i = 0; i < 3 && !r->force && status == CTL_DONE; i++)
        status = look_at(r, administered[i], true);
    if (status == CTL_DONE)
        status = write_all(r);
    for (unsigned i = 0; i < 5 && r->force && status == CTL_DONE; i++)
        status = look_at(r, replaced[i], false);
    return status == CTL_DONE ? finish(r, record) : status;
}

int run_restore(struct ctl *ctl)
{
    struct restore r = {.ctl = ctl,
                        .path = json_string_value(json_object_get(ctl->local, "file")),
                        .force = json_is_true(json_object_get(ctl->local, "force")),
                        .items = json_array()};
    int status = r.items ? restore(&r) : CTL_REFUSED;

    json_decref(r.items);
    free(r.key);
    return status;
}
