/* SPDX-License-Identifier: BSD-2-Clause */
/* status, version, drain, cores, next hops */
#include "ctl/show.h"
#include "ctl/table.h"

static const char *text(json_t *object, const char *path)
{
    const char *s = json_string_value(table_member(object, path));
    return s ? s : "-";
}

static long long number(json_t *object, const char *path)
{
    return (long long)json_integer_value(table_member(object, path));
}

static bool truth(json_t *object, const char *path)
{
    return json_is_true(table_member(object, path));
}

static void print_list(FILE *out, const char *title, json_t *list)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        char line[400];
        table_text(one, line, sizeof(line));
        fprintf(out, "%-12s %s\n", title, line);
    }
}

int show_status(struct ctl *ctl, json_t *result)
{
    bool ready = truth(result, "ready");
    int status = ready ? CTL_DONE : CTL_NOT_READY;
    if (ctl->json)
        return status;
    FILE *out = ctl->out;
    fprintf(out, "%-12s %s\n", "state", ready ? "ready" : "not ready");
    print_list(out, "because", table_member(result, "reasons"));
    fprintf(out, "%-12s %s, cluster %s, domain %s, up %lld s, version %s\n", "node", text(result, "node"),
            text(result, "cluster"), text(result, "domain"), number(result, "uptime_s"),
            text(result, "version"));
    if (truth(result, "dataplane/attached") && !truth(result, "dataplane/runs"))
        fprintf(out, "%-12s not running%s; pid %lld has ended\n", "dataplane",
                truth(result, "dataplane/draining") ? ", draining" : "", number(result, "dataplane/pid"));
    else if (truth(result, "dataplane/attached"))
        fprintf(out, "%-12s %s%s, %lld core%s, pid %lld, version %s\n", "dataplane",
                truth(result, "dataplane/ready") ? "ready" : "loading",
                truth(result, "dataplane/draining") ? ", draining" : "", number(result, "dataplane/cores"),
                table_plural(number(result, "dataplane/cores")), number(result, "dataplane/pid"),
                text(result, "dataplane/version"));
    else
        fprintf(out, "%-12s away%s\n", "dataplane", truth(result, "dataplane/draining") ? ", draining" : "");
    if (truth(result, "redis/connected"))
        fprintf(out, "%-12s %s, %s, %lld replica%s\n", "redis", text(result, "redis/state"),
                text(result, "redis/role"), number(result, "redis/replicas"),
                table_plural(number(result, "redis/replicas")));
    else
        fprintf(out, "%-12s %s\n", "redis", text(result, "redis/state"));
    fprintf(out, "%-12s %lld of the file, %lld of administrators; %lld in service, %lld out of service\n",
            "routes", number(result, "routes/file"), number(result, "routes/admin"),
            number(result, "routes/in_service"), number(result, "routes/out_of_service"));
    fprintf(out, "%-12s %lld up, %lld down, %lld not probed yet\n", "next hops", number(result, "hops/up"),
            number(result, "hops/down"), number(result, "hops/unknown"));
    fprintf(out, "%-12s %lld\n", "users", number(result, "users"));
    print_list(out, "ALARM", table_member(result, "alarms"));
    return status;
}

int show_version(struct ctl *ctl, json_t *result)
{
    if (ctl->json)
        return CTL_DONE;
    fprintf(ctl->out, "hgctl         %s\n", HG_VERSION);
    fprintf(ctl->out, "control plane %s, protocol %lld\n", text(result, "version"),
            number(result, "protocol"));
    fprintf(ctl->out, "dataplane     %s\n", text(result, "dataplane"));
    return CTL_DONE;
}

int show_drain(struct ctl *ctl, json_t *result)
{
    if (ctl->json)
        return CTL_DONE;
    if (truth(result, "kept"))
        fprintf(ctl->out, "the dataplane is not running; it is kept: from its start on new requests are %s\n",
                truth(result, "draining") ? "refused with 503" : "taken");
    else if (!truth(result, "draining"))
        fprintf(ctl->out, "new requests are taken\n");
    else
        fprintf(ctl->out, "new requests are refused with 503; %lld transactions are left\n",
                number(result, "transactions"));
    return CTL_DONE;
}

int show_cores(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"CORE", "core", true},         {"ALIVE", "alive", false},           {"BUSY", "busy", true},
        {"RX", "rx_frames", true},      {"TX", "tx_frames", true},           {"USERS", "users", true},
        {"TXNS", "transactions", true}, {"MBUFS FREE", "mbuf_free", true},   {"APPLIED", "applied_seq", true},
        {"SENT", "sent_seq", true},     {"IMAGE", "image_generation", true},
    };
    if (!ctl->json)
        table_print(ctl->out, table_member(result, "cores"), columns, sizeof(columns) / sizeof(columns[0]));
    return CTL_DONE;
}

int show_connections(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"ID", "id", false},          {"LOCAL", "local", false},  {"REMOTE", "remote", false},
        {"STATE", "state", false},    {"IN", "bytes_in", true},   {"OUT", "bytes_out", true},
        {"UNACKED", "unacked", true}, {"UNREAD", "unread", true}, {"RESENT", "retransmissions", true},
        {"RTT MS", "rtt_ms", true},   {"AGE MS", "age_ms", true}, {"IDLE MS", "idle_ms", true},
    };
    json_t *closed = table_member(result, "closed"), *silent = table_member(result, "silent_cores");
    if (ctl->json)
        return CTL_DONE;
    table_print(ctl->out, closed ? closed : table_member(result, "connections"), columns,
                sizeof(columns) / sizeof(columns[0]));
    if (closed)
        fprintf(ctl->out, "%zu connection%s closed\n", json_array_size(closed),
                table_plural((long long)json_array_size(closed)));
    else if (json_is_true(table_member(result, "more")))
        fputs("... there are more: --limit\n", ctl->out);
    for (size_t i = 0; i < json_array_size(silent); i++)
        fprintf(ctl->err, "core %lld did not answer in time\n",
                (long long)json_integer_value(json_array_get(silent, i)));
    return CTL_DONE;
}

int show_tls(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"CHAIN", "chain", false},
        {"ENDS", "ends", false},
        {"DAYS", "days", true},
        {"NAMES", "names", false},
    };
    if (ctl->json)
        return CTL_DONE;
    table_print(ctl->out, table_member(result, "certificates"), columns,
                sizeof(columns) / sizeof(columns[0]));
    if (text(result, "error")[0])
        fprintf(ctl->out, "the last reading was refused: %s\n", text(result, "error"));
    return CTL_DONE;
}

int show_hops(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"NEXT HOP", "endpoint", false}, {"STATE", "state", false},
        {"REQUESTS", "requests", true},  {"ANSWERED", "answered", true},
        {"FAILED", "failed", true},      {"RETRANSMITTED", "retransmissions", true},
        {"PROBES", "probes", true},      {"PROBES FAILED", "probes_failed", true},
        {"ROUTES", "routes", false},
    };
    if (!ctl->json)
        table_print(ctl->out, table_member(result, "hops"), columns, sizeof(columns) / sizeof(columns[0]));
    return CTL_DONE;
}
