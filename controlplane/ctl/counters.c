/* SPDX-License-Identifier: BSD-2-Clause */
/* counters, once or watched: a watch prints what moved, and how fast. */
#include <unistd.h>

#include "ctl/show.h"
#include "ctl/table.h"

struct watch {
    json_t *last; /* name -> value */
    double last_ms;
};

static void print_once(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {{"COUNTER", "name", false},
                                            {"VALUE", "value", true},
                                            {"CORES", "cores", false},
                                            {"MEANING", "text", false}};
    static const struct column short_columns[] = {
        {"COUNTER", "name", false}, {"VALUE", "value", true}, {"MEANING", "text", false}};
    bool cores = json_is_true(json_object_get(ctl->args, "per_core"));
    table_print(ctl->out, table_member(result, "counters"), cores ? columns : short_columns, cores ? 4 : 3);
}

static int on_sample(struct ctl *ctl, void *arg, json_t *event)
{
    static const struct column columns[] = {{"COUNTER", "name", false},
                                            {"VALUE", "value", true},
                                            {"PER SECOND", "rate", true},
                                            {"MEANING", "text", false}};
    struct watch *w = arg;
    size_t i;
    json_t *one, *rows;
    if (ctl->json) {
        json_dumpf(event, ctl->out, JSON_COMPACT);
        fputc('\n', ctl->out);
        fflush(ctl->out);
        return ferror(ctl->out) ? CTL_REFUSED : CTL_DONE;
    }
    double now = json_number_value(json_object_get(event, "time_ms"));
    double seconds = w->last ? (now - w->last_ms) / 1000 : 0;
    json_t *next = json_object();
    rows = json_array();
    json_array_foreach(json_object_get(event, "counters"), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        json_t *value = json_object_get(one, "value"), *old = name ? json_object_get(w->last, name) : NULL;
        if (name == NULL || value == NULL)
            continue;
        json_object_set(next, name, value);
        double moved = json_number_value(value) - json_number_value(old);
        if (w->last != NULL && moved == 0 && !isatty(fileno(ctl->out)))
            continue; /* into a file: only what moved */
        if (old != NULL && seconds > 0)
            json_object_set_new(one, "rate", json_real(moved / seconds));
        json_array_append(rows, one);
    }
    if (isatty(fileno(ctl->out)))
        fputs("\033[H\033[J", ctl->out);
    table_print(ctl->out, rows, columns, 4);
    fflush(ctl->out);
    json_decref(rows);
    json_decref(w->last);
    w->last = next;
    w->last_ms = now;
    return ferror(ctl->out) ? CTL_REFUSED : CTL_DONE;
}

int run_counters(struct ctl *ctl)
{
    struct watch w = {0};
    json_t *result = NULL;
    bool watch = json_is_true(json_object_get(ctl->args, "watch"));
    int status = ctl_connect(ctl);
    if (status == CTL_DONE && watch) {
        long long interval = json_integer_value(json_object_get(ctl->args, "interval_ms"));
        ctl->timeout_ms += interval > 0 ? (int)(interval < 3600000 ? interval : 3600000) : 1000;
    }
    if (status == CTL_DONE)
        status = ctl_send(ctl, ctl->command->cmd, ctl->args);
    if (status == CTL_DONE)
        status = ctl_reply(ctl, on_sample, &w, &result);
    if (status == CTL_DONE && !watch) {
        if (ctl->json) {
            json_dumpf(result, ctl->out, JSON_COMPACT);
            fputc('\n', ctl->out);
        } else {
            print_once(ctl, result);
        }
    }
    json_decref(w.last);
    json_decref(result);
    return status;
}
