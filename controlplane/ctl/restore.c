/* SPDX-License-Identifier: BSD-2-Clause */
/* hgctl restore: the file is read whole and checked before anything is written. Then its entries go in by
 * 500, and with --force what it does not have goes out. Who serves whom (ha) is not restored: the nodes know
 * it. */
#include <stdlib.h>
#include <string.h>

#include "ctl/backup_file.h"
#include "ctl/restore.h"
#include "ctl/show.h"
#include "ctl/table.h"

#define BATCH       500
#define BATCH_BYTES (512 * 1024) /* of values: a request has a limit too */

int restore_refuse(struct restore *r, const char *why)
{
    fprintf(r->ctl->err, "hgctl: %s: %s\n", r->path, why);
    return CTL_REFUSED;
}

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
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

static int remove_extra(struct restore *r, const char *table, json_t *field, json_t *value)
{
    (void)value;
    if (restore_has(r, table, json_string_value(field)))
        return CTL_DONE;
    r->removed++;
    return add(r, table, "del", field, NULL);
}

static int write_all(struct restore *r)
{
    struct backup_reader in;
    int status = backup_open(&in, r->path) ? CTL_DONE : restore_refuse(r, in.why);

    for (json_t *e; status == CTL_DONE && (e = backup_next(&in)); json_decref(e)) {
        r->written++;
        if (strcmp(text_of(e, "table"), "ha") != 0)
            status =
                add(r, text_of(e, "table"), "set", json_object_get(e, "field"), json_object_get(e, "value"));
    }
    backup_close(&in);
    return status == CTL_DONE ? flush(r) : status;
}

static int finish(struct restore *r)
{
    json_t *args = json_pack("{s:s}", "record", r->record), *result;
    int status = ctl_request(r->ctl, "record.finish", args, &result);

    json_decref(args);
    if (status == CTL_DONE)
        json_decref(result);
    if (show_terminal(r->ctl))
        fputc('\n', r->ctl->err);
    return status;
}

static int do_it(struct restore *r)
{
    int status = write_all(r);

    for (unsigned i = 0; backup_tables[i] && r->force && status == CTL_DONE; i++) {
        if (strcmp(backup_tables[i], "ha") == 0)
            continue;
        status = restore_each(r, backup_tables[i], remove_extra);
        if (status == CTL_DONE)
            status = flush(r);
    }
    if (status == CTL_DONE)
        status = finish(r);
    if (status != CTL_DONE && r->written)
        fprintf(r->ctl->err, "hgctl: part of it is written; the same command again does the rest\n");
    return status;
}

static void tell(const struct restore *r)
{
    json_int_t written = r->dry ? r->total : r->written;
    json_int_t removed = r->dry ? (r->force ? r->extra : 0) : r->removed;

    if (r->ctl->json) {
        json_t *o =
            json_pack("{s:I, s:I, s:b, s:b, s:O}", "written", written, "removed", removed, "dry_run", r->dry,
                      "same_record", strcmp(r->record, r->record_here) == 0, "warnings", r->warnings);
        json_dumpf(o, r->ctl->out, JSON_COMPACT);
        fputc('\n', r->ctl->out);
        json_decref(o);
        return;
    }
    fprintf(r->ctl->out, "%lld entries %s restored, %lld removed%s\n", (long long)written,
            r->dry ? "would be" : "were", (long long)removed, r->dry ? ": nothing was changed" : "");
}

static int restore(struct restore *r)
{
    int status = restore_check_file(r);

    if (status == CTL_DONE)
        status = restore_look(r);
    if (status == CTL_DONE) {
        restore_judge(r);
        status = restore_agreed(r);
    }
    if (status == CTL_DONE && !r->dry)
        status = do_it(r);
    if (status == CTL_DONE)
        tell(r);
    return status;
}

int run_restore(struct ctl *ctl)
{
    struct restore r = {.ctl = ctl,
                        .path = json_string_value(json_object_get(ctl->local, "file")),
                        .force = json_is_true(json_object_get(ctl->local, "force")),
                        .dry = json_is_true(json_object_get(ctl->args, "dry_run")),
                        .yes = json_is_true(json_object_get(ctl->local, "yes")),
                        .nodes = json_object(),
                        .nodes_here = json_object(),
                        .ha_here = json_object(),
                        .warnings = json_array(),
                        .items = json_array()};
    int status = r.items && r.warnings && r.ha_here && r.nodes_here && r.nodes ? restore(&r) : CTL_REFUSED;

    json_decref(r.nodes);
    json_decref(r.nodes_here);
    json_decref(r.ha_here);
    json_decref(r.warnings);
    json_decref(r.items);
    free(r.key);
    return status;
}
