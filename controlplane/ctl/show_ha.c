/* SPDX-License-Identifier: BSD-2-Clause */
/* High availability for people (A23, A24), alarms, events, checks. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/show.h"
#include "ctl/table.h"

#define SETTLE_TRIES 300 /* of 100 ms */

static void line(FILE *out, const char *title, json_t *value)
{
    if (value && !json_is_null(value))
        table_line(out, title, value);
}

static void pair(FILE *out, json_t *p)
{
    static const struct column columns[] = {
        {"  NODE", "name", false},      {"STATE", "state", false},          {"REASON", "reason", false},
        {"ACTION", "action", false},    {"USERS", "users", true},           {"SERVED BY", "served_by", false},
        {"DRAINED", "draining", false}, {"HEARD MS AGO", "heard_ms", true},
    };
    char name[100], row[40];

    table_text(table_member(p, "subcluster"), name, sizeof(name));
    table_text(table_member(p, "row"), row, sizeof(row));
    bool on = json_is_true(table_member(p, "ha"));
    fprintf(out, "subcluster %s: high availability %s%s%s\n", name, on ? "on" : "off",
            on == json_is_true(table_member(p, "wanted")) ? "" : ", being changed",
            on ? "" : " (hgctl ha enable)");
    table_print(out, table_member(p, "nodes"), columns, sizeof(columns) / sizeof(columns[0]));
    if (on || !json_is_null(table_member(p, "advice"))) {
        char cause[900], advice[900];
        table_text(table_member(p, "cause"), cause, sizeof(cause));
        table_text(table_member(p, "advice"), advice, sizeof(advice));
        fprintf(out, "  %s: %s\n  to do: %s\n", row, cause, advice);
    }
}

static void manager(FILE *out, json_t *m)
{
    size_t i;
    json_t *one;

    if (!json_is_object(m))
        return;
    json_t *lease = table_member(m, "lease_ms");
    if (json_is_integer(lease))
        fprintf(out, "%-13s %lld ms left\n", "lease", (long long)json_integer_value(lease));
    else
        fprintf(out, "%-13s no deadline\n", "lease");
    line(out, "serves", table_member(m, "serves"));
    json_array_foreach(table_member(m, "moves"), i, one)
    {
        char of[100];
        table_text(table_member(one, "users_of"), of, sizeof(of));
        fprintf(out, "%-13s users of %s: %lld done, %lld left\n", "moving", of,
                (long long)json_integer_value(table_member(one, "done")),
                (long long)json_integer_value(table_member(one, "left")));
    }
}

int show_ha_status(struct ctl *ctl, json_t *result)
{
    static const struct column services[] = {
        {"SERVICE", "service", false}, {"MONITORED", "monitored", false},
        {"RUNS", "runs", false},       {"PEER HAS IT", "peer_has", false},
        {"FOR S", "since_s", true},    {"STOPS", "stops", true},
        {"WHY", "why", false},
    };
    static const struct column ways[] = {
        {"WAY TO", "node", false},
        {"RTT MS", "management/rtt_ms", true},
        {"KBIT/S", "management/kbit_s", true},
        {"HEARD MS AGO", "management/heard_ms", true},
        {"SERVICE RTT MS", "service/rtt_ms", true},
        {"HEARD MS AGO", "service/heard_ms", true},
    };
    FILE *out = ctl->out;
    size_t i;
    json_t *one;

    if (ctl->json)
        return CTL_DONE;
    json_array_foreach(table_member(result, "pairs"), i, one) pair(out, one);
    line(out, "this node", table_member(result, "node"));
    manager(out, table_member(result, "manager"));
    table_print(out, table_member(result, "services"), services, sizeof(services) / sizeof(services[0]));
    if (json_array_size(table_member(result, "ways")))
        table_print(out, table_member(result, "ways"), ways, sizeof(ways) / sizeof(ways[0]));
    fprintf(out, "%-13s %lld to %lld s (clients sign in again at random between)\n", "re-login",
            (long long)json_integer_value(table_member(result, "relogin/lower_s")),
            (long long)json_integer_value(table_member(result, "relogin/upper_s")));
    return CTL_DONE;
}

static int once(struct ctl *ctl)
{
    json_t *result;
    int status = ctl_request(ctl, ctl->command->cmd, ctl->args, &result);

    if (status != CTL_DONE)
        return status;
    if (ctl->json) {
        json_dumpf(result, ctl->out, JSON_COMPACT);
        fputc('\n', ctl->out);
    } else if (json_is_true(json_object_get(ctl->local, "watch")) && isatty(fileno(ctl->out))) {
        fputs("\033[H\033[J", ctl->out);
    }
    status = show_ha_status(ctl, result);
    json_decref(result);
    fflush(ctl->out);
    return ferror(ctl->out) ? CTL_REFUSED : status;
}

int run_ha_status(struct ctl *ctl)
{
    int status = once(ctl);

    while (status == CTL_DONE && json_is_true(json_object_get(ctl->local, "watch"))) {
        sleep(1);
        ctl_close(ctl);
        status = once(ctl);
    }
    return status;
}

static bool starts(json_t *pair)
{
    size_t i;
    json_t *node;

    json_array_foreach(table_member(pair, "nodes"), i, node)
    {
        const char *state = json_string_value(table_member(node, "state"));
        if (state && strcmp(state, "Initializing") == 0)
            return true;
    }
    return false;
}

/* Whether the subcluster's managers have done what the record wants. */
static bool settled(json_t *status, json_t *name)
{
    size_t i;
    json_t *p;

    json_array_foreach(table_member(status, "pairs"), i, p)
    {
        if (json_equal(table_member(p, "subcluster"), name))
            return json_is_true(table_member(p, "ha")) == json_is_true(table_member(p, "wanted")) &&
                   !starts(p);
    }
    return true;
}

static int wait_settled(struct ctl *ctl)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    json_t *args = json_object(), *result;
    int status = CTL_DONE;
    bool done = json_is_true(json_object_get(ctl->args, "dry_run"));

    for (unsigned i = 0; i < SETTLE_TRIES && status == CTL_DONE && !done; i++) {
        ctl_close(ctl);
        status = ctl_request(ctl, "ha.status", args, &result);
        if (status != CTL_DONE)
            break;
        done = settled(result, json_object_get(ctl->args, "name"));
        json_decref(result);
        if (!done)
            nanosleep(&pause, NULL);
    }
    json_decref(args);
    if (status == CTL_DONE && !done) {
        fprintf(ctl->err, "hgctl: the record has it, the managers have not done it yet: hgctl ha status\n");
        return CTL_REFUSED;
    }
    return status;
}

static int set_ha(struct ctl *ctl, bool on)
{
    json_object_set_new(ctl->args, "ha", json_boolean(on));
    int status = on ? run_confirmed(ctl) : run_decided(ctl);
    return status == CTL_DONE ? wait_settled(ctl) : status;
}

int run_ha_enable(struct ctl *ctl)
{
    return set_ha(ctl, true);
}

int run_ha_disable(struct ctl *ctl)
{
    return set_ha(ctl, false);
}

int show_ha_command(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"NODE", "name", false}, {"STATE", "state", false}, {"REASON", "reason", false}};
    char row[40], cause[900];

    if (ctl->json || json_is_true(table_member(result, "dry_run")))
        return CTL_DONE;
    table_text(table_member(result, "row"), row, sizeof(row));
    table_text(table_member(result, "cause"), cause, sizeof(cause));
    table_print(ctl->out, table_member(result, "nodes"), columns, 3);
    fprintf(ctl->out, "%s: %s\n", row, cause);
    return CTL_DONE;
}

int show_alarms(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"ALARM", "alarm", false}, {"FOR S", "for_s", true}, {"WHAT", "text", false}};

    if (ctl->json)
        return CTL_DONE;
    if (json_array_size(table_member(result, "alarms")) == 0)
        fprintf(ctl->out, "no alarm stands\n");
    else
        table_print(ctl->out, table_member(result, "alarms"), columns, 3);
    return CTL_DONE;
}

static void print_event(struct ctl *ctl, json_t *event)
{
    char when[32] = "?", node[300], kind[20], what[80], text[1000];
    time_t at = (time_t)(json_integer_value(table_member(event, "time_ms")) / 1000);
    struct tm tm;

    if (gmtime_r(&at, &tm))
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    table_text(table_member(event, "node"), node, sizeof(node));
    table_text(table_member(event, "kind"), kind, sizeof(kind));
    table_text(table_member(event, "what"), what, sizeof(what));
    table_text(table_member(event, "text"), text, sizeof(text));
    fprintf(ctl->out, "%s %s %s %s: %s\n", when, node, kind, what, text);
}

static int on_event(struct ctl *ctl, void *arg, json_t *event)
{
    (void)arg;
    if (ctl->json) {
        json_dumpf(event, ctl->out, JSON_COMPACT);
        fputc('\n', ctl->out);
    } else {
        print_event(ctl, event);
    }
    fflush(ctl->out);
    return ferror(ctl->out) ? CTL_REFUSED : CTL_DONE;
}

int run_events(struct ctl *ctl)
{
    json_t *result = NULL, *one;
    size_t i;
    bool follow = json_is_true(json_object_get(ctl->args, "follow"));
    int status = ctl_connect(ctl);

    if (follow)
        ctl->timeout_ms = 86400 * 1000; /* nothing may happen for long */
    if (status == CTL_DONE)
        status = ctl_send(ctl, ctl->command->cmd, ctl->args);
    if (status == CTL_DONE)
        status = ctl_reply(ctl, on_event, NULL, &result);
    if (status == CTL_DONE && !follow) {
        json_array_foreach(table_member(result, "events"), i, one) on_event(ctl, NULL, one);
    }
    json_decref(result);
    return status;
}

static const char *verdict_word(json_t *check)
{
    const char *verdict = json_string_value(table_member(check, "verdict"));

    if (verdict && strcmp(verdict, "ok") == 0)
        return "OK";
    return verdict && strcmp(verdict, "advice") == 0 ? "ADVICE" : "BAD";
}

int show_troubleshoot(struct ctl *ctl, json_t *result)
{
    size_t i;
    json_t *one;
    long long bad = (long long)json_integer_value(table_member(result, "bad"));

    json_array_foreach(table_member(result, "checks"), i, one)
    {
        char name[100], text[600], advice[300];
        if (ctl->json)
            break;
        table_text(table_member(one, "check"), name, sizeof(name));
        table_text(table_member(one, "text"), text, sizeof(text));
        fprintf(ctl->out, "%-6s %-18s %s\n", verdict_word(one), name, text);
        if (json_is_null(table_member(one, "advice")))
            continue;
        table_text(table_member(one, "advice"), advice, sizeof(advice));
        fprintf(ctl->out, "%-6s %-18s to do: %s\n", "", "", advice);
    }
    return bad ? CTL_NOT_READY : CTL_DONE;
}

static void ping_way(struct ctl *ctl, const char *title, json_t *way)
{
    if (!json_is_object(way))
        fprintf(ctl->out, "%-18s no address\n", title);
    else if (!json_is_true(json_object_get(way, "answers")))
        fprintf(ctl->out, "%-18s no answer\n", title);
    else
        fprintf(ctl->out, "%-18s answers in %.2f ms\n", title,
                json_real_value(json_object_get(way, "rtt_ms")));
}

int show_ping(struct ctl *ctl, json_t *result)
{
    bool answers = json_is_true(table_member(result, "answers"));

    if (!ctl->json) {
        ping_way(ctl, "management network", table_member(result, "management"));
        ping_way(ctl, "service network", table_member(result, "service"));
    }
    return answers ? CTL_DONE : CTL_REFUSED;
}
