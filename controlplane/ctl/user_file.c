/* SPDX-License-Identifier: BSD-2-Clause */
/* user import and user export: user,node,contact,contact... A first line that begins with "user" is a
 * heading. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/csv.h"
#include "ctl/show.h"
#include "ctl/table.h"

#define CHUNK       2000         /* rows of one request */
#define CHUNK_BYTES (512 * 1024) /* of their contacts */
#define WRONG_FIRST 100          /* lines that are wrong before any other: not worth reading on */

struct import {
    struct ctl *ctl;
    struct csv csv;
    bool dry;
    json_t *rows, *errors;
    json_t *warnings; /* of the rows that were sent last */
    size_t bytes;     /* of the contacts in rows */
    json_int_t good, wrong, fresh;
    json_int_t unread; /* of wrong: no row could be read from the line */
};

static void wrong(struct import *im, json_int_t line, const char *why)
{
    im->wrong++;
    im->unread++;
    json_array_append_new(im->errors, json_pack("{s:I, s:s, s:s}", "line", line, "user", "", "error", why));
}

/* The row as the server wants it; NULL: its text is no UTF-8. */
static json_t *row_object(const struct csv *csv)
{
    char contacts[CSV_ROW_MAX] = "";
    size_t fill = 0;

    for (unsigned i = 2; i < csv->n; i++)
        if (csv->field[i][0])
            fill += (size_t)snprintf(contacts + fill, sizeof(contacts) - fill, "%s%s", fill ? " " : "",
                                     csv->field[i]);
    return json_pack("{s:I, s:s, s:s, s:s}", "line", (json_int_t)csv->line, "user", csv->field[0], "node",
                     csv->n > 1 ? csv->field[1] : "", "contacts", contacts);
}

static int send_rows(struct import *im)
{
    struct ctl *ctl = im->ctl;
    json_t *args = json_deep_copy(ctl->args), *result;

    if (json_array_size(im->rows) == 0) {
        json_decref(args);
        return CTL_DONE;
    }
    json_object_set(args, "rows", im->rows);
    if (im->dry)
        json_object_set_new(args, "dry_run", json_true());
    int status = ctl_request(ctl, "user.import", args, &result);
    json_decref(args);
    json_array_clear(im->rows);
    im->bytes = 0;
    if (status != CTL_DONE)
        return status;
    im->good += json_integer_value(table_member(result, "good"));
    im->wrong += json_integer_value(table_member(result, "wrong"));
    im->fresh += json_integer_value(table_member(result, "new"));
    json_array_extend(im->errors, table_member(result, "errors"));
    json_decref(im->warnings);
    im->warnings = json_incref(table_member(result, "warnings"));
    json_decref(result);
    if (show_terminal(ctl))
        fprintf(ctl->err, "\r%lld rows %s ", (long long)im->good, im->dry ? "checked" : "written");
    return CTL_DONE;
}

static void take_row(struct import *im)
{
    json_t *row = row_object(&im->csv);

    if (!row) {
        wrong(im, im->csv.line, "the text is not UTF-8");
        return;
    }
    im->bytes += json_string_length(json_object_get(row, "contacts"));
    json_array_append_new(im->rows, row);
}

static int complain(const struct import *im, const char *path, const char *why)
{
    fprintf(im->ctl->err, "hgctl: %s: %s\n", path, why);
    return CTL_REFUSED;
}

/* A picture or an archive has thousands of lines, each of them wrong: said once. NULL: it looks like a table.
 */
static const char *no_table(const struct import *im, enum csv_result r)
{
    bool first = im->unread == im->wrong && im->good == 0 && json_array_size(im->rows) == 0;

    if (r == CSV_NO_TEXT)
        return "a NUL byte";
    return first && im->unread >= WRONG_FIRST
               ? json_string_value(table_member(json_array_get(im->errors, 0), "error"))
               : NULL;
}

static int give_up(const struct import *im, const char *path, const char *why)
{
    char text[200];

    snprintf(text, sizeof(text), "%s %u: %s: this is no table of users (user,node,contact,...)",
             im->unread >= WRONG_FIRST ? "lines 1 to" : "line", im->csv.line, why);
    return complain(im, path, text);
}

static int walk(struct import *im, FILE *in, const char *path)
{
    const char *why, *none;
    enum csv_result r;
    int status = CTL_DONE;

    csv_open(&im->csv, in);
    while (status == CTL_DONE && (r = csv_next(&im->csv, &why)) != CSV_END && !ferror(in)) {
        if (r == CSV_WRONG)
            wrong(im, im->csv.line, why);
        else if (r == CSV_ROW && !(im->csv.line == 1 && strcasecmp(im->csv.field[0], "user") == 0))
            take_row(im);
        none = no_table(im, r);
        if (none)
            return give_up(im, path, none);
        if (json_array_size(im->rows) == CHUNK || im->bytes > CHUNK_BYTES)
            status = send_rows(im);
    }
    if (status == CTL_DONE && ferror(in))
        return complain(im, path, strerror(errno));
    return status == CTL_DONE ? send_rows(im) : status;
}

static int by_line(const void *a, const void *b)
{
    json_int_t x = json_integer_value(table_member(*(json_t *const *)a, "line"));
    json_int_t y = json_integer_value(table_member(*(json_t *const *)b, "line"));

    return (x > y) - (x < y);
}

/* What is seen here is told before what the server saw of the same rows. */
static void sort_errors(struct import *im)
{
    size_t n = json_array_size(im->errors), i;
    json_t **one = malloc((n + 1) * sizeof(*one)), *e;

    if (!one)
        return;
    json_array_foreach(im->errors, i, e) one[i] = json_incref(e);
    qsort(one, n, sizeof(*one), by_line);
    for (i = 0; i < n; i++)
        json_array_set_new(im->errors, i, one[i]);
    free(one);
}

static void tell(struct import *im, bool nothing)
{
    struct ctl *ctl = im->ctl;
    json_t *one;
    size_t i;

    sort_errors(im);
    if (show_terminal(ctl))
        fputc('\n', ctl->err);
    if (ctl->json) {
        json_t *o = json_pack("{s:I, s:I, s:I, s:b, s:O, s:O*}", "good", im->good, "wrong", im->wrong, "new",
                              im->fresh, "written", !nothing, "errors", im->errors, "warnings", im->warnings);
        json_dumpf(o, ctl->out, JSON_COMPACT);
        fputc('\n', ctl->out);
        json_decref(o);
        return;
    }
    show_warnings(ctl, im->warnings);
    json_array_foreach(im->errors, i, one)
    {
        char user[300], error[400];
        table_text(table_member(one, "user"), user, sizeof(user));
        table_text(table_member(one, "error"), error, sizeof(error));
        fprintf(ctl->err, "line %lld: %s%s%s\n", (long long)json_integer_value(table_member(one, "line")),
                user, user[0] ? ": " : "", error);
    }
    fprintf(ctl->out, "%lld row%s %s, %lld of them new users, %lld wrong%s\n", (long long)im->good,
            table_plural(im->good), nothing ? "good" : "written", (long long)im->fresh, (long long)im->wrong,
            nothing ? ": nothing was changed" : "");
}

static void forget(struct import *im)
{
    im->good = im->wrong = im->fresh = im->unread = 0;
    json_array_clear(im->errors);
}

/* The standard input can be read once only, and --all-or-nothing reads twice. */
static FILE *copy_of(FILE *in)
{
    char bytes[65536];
    FILE *copy = tmpfile();
    size_t n;

    while (copy && (n = fread(bytes, 1, sizeof(bytes), in)) > 0)
        if (fwrite(bytes, 1, n, copy) != n)
            break;
    if (copy && (ferror(in) || ferror(copy) || fflush(copy) != 0)) {
        fclose(copy);
        copy = NULL;
    }
    if (copy)
        rewind(copy);
    return copy;
}

static FILE *open_rows(const char *path, bool twice)
{
    if (strcmp(path, "-") != 0)
        return fopen(path, "r");
    return twice ? copy_of(stdin) : stdin;
}

int run_user_import(struct ctl *ctl)
{
    struct import *im = calloc(1, sizeof(*im));
    const char *path = json_string_value(json_object_get(ctl->local, "file"));
    bool whole = json_is_true(json_object_get(ctl->args, "all_or_nothing"));
    bool dry = json_is_true(json_object_get(ctl->args, "dry_run"));
    FILE *in = open_rows(path, whole);

    if (!im || !in) {
        fprintf(ctl->err, "hgctl: %s: %s\n", path, strerror(errno));
        free(im);
        return CTL_REFUSED;
    }
    *im = (struct import){.ctl = ctl, .dry = dry || whole, .rows = json_array(), .errors = json_array()};
    int status = walk(im, in, path);
    if (status == CTL_DONE && whole && !dry && im->wrong == 0) { /* every row is good: once more, for real */
        forget(im);
        im->dry = false;
        rewind(in);
        status = walk(im, in, path);
    }
    if (status == CTL_DONE)
        tell(im, im->dry);
    else if (!im->dry && im->good)
        fprintf(ctl->err, "hgctl: written before that: %lld row%s; the same file again does the rest\n",
                (long long)im->good, table_plural(im->good));
    if (status == CTL_DONE && im->wrong)
        status = CTL_REFUSED;
    json_decref(im->rows);
    json_decref(im->errors);
    json_decref(im->warnings);
    if (in != stdin)
        fclose(in);
    free(im);
    return status;
}

static void put_user(FILE *out, json_t *user)
{
    const char *node = json_string_value(table_member(user, "node"));
    json_t *contacts = table_member(user, "contacts"), *one;
    size_t i;

    csv_put(out, json_string_value(table_member(user, "user")));
    putc(',', out);
    csv_put(out, node ? node : "-");
    json_array_foreach(contacts, i, one)
    {
        putc(',', out);
        csv_put(out, json_string_value(one));
    }
    putc('\n', out);
}

int run_user_export(struct ctl *ctl)
{
    const char *path = json_string_value(json_object_get(ctl->local, "file"));
    FILE *out = path && strcmp(path, "-") != 0 ? fopen(path, "w") : ctl->out;
    int status = CTL_DONE;
    size_t written = 0;
    bool more = true;

    if (!out) {
        fprintf(ctl->err, "hgctl: %s: %s\n", path, strerror(errno));
        return CTL_REFUSED;
    }
    fprintf(out, "user,node,contact\n");
    json_object_set_new(ctl->args, "limit", json_integer(10000));
    while (status == CTL_DONE && more) {
        json_t *result, *one;
        size_t i;
        status = ctl_request(ctl, "user.list", ctl->args, &result);
        if (status != CTL_DONE)
            break;
        json_array_foreach(table_member(result, "users"), i, one) put_user(out, one);
        written += json_array_size(table_member(result, "users"));
        if (out != ctl->out && show_terminal(ctl))
            fprintf(ctl->err, "\r%zu users written ", written);
        json_t *next = json_object_get(result, "next");
        more = json_is_string(next);
        if (more)
            json_object_set(ctl->args, "after", next);
        json_decref(result);
    }
    if (out != ctl->out && show_terminal(ctl))
        fputc('\n', ctl->err);
    if (out != ctl->out && fclose(out) != 0 && status == CTL_DONE) {
        fprintf(ctl->err, "hgctl: %s: %s\n", path, strerror(errno));
        status = CTL_REFUSED;
    }
    return status;
}
