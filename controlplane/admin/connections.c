/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections of the transports: asked of every core, which answer in pages. One question at a time. */
#include "admin/connections.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane.h"

#define WAIT_MS 8000 /* a core that takes longer is named */

struct question {
    uint32_t id;
    unsigned cores;
    bool done[HG_CORES_MAX];
    int64_t limit, found;
    uint64_t end_ms;
    bool closes;
    json_t *rows;
};

static void poll_question(struct admin_request *req, uint64_t now_ms);

bool connections_wants(const struct admin_request *req, uint32_t id)
{
    const struct question *q = req->state;

    return req->poll == poll_question && q->id == id;
}

static void drop_question(struct admin_request *req)
{
    struct question *q = req->state;

    json_decref(q->rows);
    q->rows = NULL;
}

static bool all_done(const struct question *q)
{
    for (unsigned i = 0; i < q->cores; i++)
        if (!q->done[i])
            return false;
    return true;
}

/* Called from the loop, never from the feed's handler: that must not change the list of requests. */
static void poll_question(struct admin_request *req, uint64_t now_ms)
{
    struct question *q = req->state;
    json_t *silent = json_array();

    if (!all_done(q) && now_ms < q->end_ms) {
        json_decref(silent);
        return;
    }
    for (unsigned i = 0; i < q->cores; i++)
        if (!q->done[i])
            json_array_append_new(silent, json_integer((json_int_t)i));
    admin_ok(req, json_pack("{s:O, s:I, s:b, s:o}", q->closes ? "closed" : "connections", q->rows, "found",
                            (json_int_t)q->found, "more", q->found >= q->limit, "silent_cores", silent));
}

static const char *state_name(uint8_t state)
{
    static const char *const names[] = {
#define STATE(name) #name,
        HG_CONNECTION_STATES(STATE)
#undef STATE
    };
    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static json_t *row_of(unsigned core, const struct hg_connection *c)
{
    char local[HG_ENDPOINT_STRLEN], remote[HG_ENDPOINT_STRLEN], id[40];

    snprintf(id, sizeof(id), "%u-%llx", core, (unsigned long long)c->id);
    hg_endpoint_format(&c->local, local);
    hg_endpoint_format(&c->remote, remote);
    return json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:b, s:b, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "id", id, "core",
        (int)core, "local", local, "remote", remote, "state", state_name(c->state), "outgoing",
        c->listener == UINT16_MAX, "lingering", c->orphan != 0, "rtt_ms", (double)c->srtt_us / 1000, "window",
        (json_int_t)c->cwnd, "unacked", (json_int_t)c->unacked, "unread", (json_int_t)c->unread,
        "retransmissions", (json_int_t)c->retransmits, "bytes_in", (json_int_t)c->bytes_in, "bytes_out",
        (json_int_t)c->bytes_out, "age_ms", (json_int_t)c->age_ms, "idle_ms", (json_int_t)c->idle_ms);
}

void connections_page(struct admin_request *req, unsigned core, const struct hg_up_connections *page)
{
    struct question *q = req->state;

    for (uint32_t i = 0; i < page->n && q->found < q->limit; i++, q->found++)
        json_array_append_new(q->rows, row_of(core, &page->row[i]));
    if (page->done && core < q->cores)
        q->done[core] = true;
}

/* ---- the question ---- */

static bool state_arg(struct admin_request *req, uint8_t *out)
{
    const char *text = NULL;

    *out = HG_CONNECTION_ANY;
    if (!admin_arg_string(req, "state", &text))
        return false;
    if (!text)
        return true;
    for (uint8_t i = 0; i < HG_CONNECTION_STATES_N; i++)
        if (strcmp(text, state_name(i)) == 0) {
            *out = i;
            return true;
        }
    admin_fail(req, ADMIN_BAD_REQUEST, "established, close_wait, fin_wait_1, ...", "state \"%.32s\" is none",
               text);
    return false;
}

static bool listener_arg(struct admin_request *req, uint16_t *out)
{
    const struct hg_config *config = req->cp->config;
    const char *text = NULL;
    struct hg_endpoint ep;

    *out = HG_LISTENER_ANY;
    if (!admin_arg_string(req, "listener", &text))
        return false;
    if (!text)
        return true;
    if (hg_endpoint_parse(slice_str(text), 5060, &ep))
        for (uint32_t i = 0; i < config->nlisteners; i++)
            if (config->listeners[i].ep.proto != HG_UDP && config->listeners[i].ep.port == ep.port &&
                hg_ip_eq(&config->listeners[i].ep.ip, &ep.ip)) {
                *out = (uint16_t)i;
                return true;
            }
    admin_fail(req, ADMIN_NOT_FOUND, "dataplane.listeners", "listener \"%.64s\" takes no connections", text);
    return false;
}

static bool peer_arg(struct admin_request *req, struct hg_net *out)
{
    const char *text = NULL;

    if (!admin_arg_string(req, "address", &text))
        return false;
    if (!text || hg_net_parse(slice_str(text), out))
        return true;
    admin_fail(req, ADMIN_BAD_REQUEST, "10.0.0.0/8 or 2001:db8::1",
               "address \"%.64s\" is no address or network", text);
    return false;
}

/* "core-hex": as the list shows it. */
static bool id_arg(struct admin_request *req, struct hg_down_connections *ask)
{
    const char *text = NULL;
    char *end;

    if (!admin_arg_string(req, "id", &text))
        return false;
    if (!text)
        return true;
    ask->core = (uint32_t)strtoul(text, &end, 10);
    if (*end == '-' && end != text) {
        ask->connection = strtoull(end + 1, &end, 16);
        if (*end == '\0' && ask->connection)
            return true;
    }
    admin_fail(req, ADMIN_BAD_REQUEST, "as the list shows it", "id \"%.40s\" is none", text);
    return false;
}

static void question_start(struct admin_request *req, struct hg_down_connections *ask, int64_t limit)
{
    const struct hg_segment *s = feed_segment(req->cp->feed);

    if (!s) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status", "no dataplane is attached");
        return;
    }
    struct question *q = calloc(1, sizeof(*q));
    ask->id = (uint32_t)uv_hrtime() | 1; /* unlike that of any other of late */
    ask->max = (uint32_t)limit;
    if (!q || !(q->rows = json_array()) || !feed_connections(req->cp->feed, ask)) {
        free(q);
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    q->id = ask->id;
    q->cores = s->cores;
    q->limit = limit;
    q->closes = ask->end;
    q->end_ms = uv_now(&req->cp->loop) + WAIT_MS;
    req->state = q;
    req->drop = drop_question;
    req->poll = poll_question;
}

static bool filters_read(struct admin_request *req, struct hg_down_connections *ask, int64_t *limit)
{
    return peer_arg(req, &ask->peer) && state_arg(req, &ask->state) && listener_arg(req, &ask->listener) &&
           id_arg(req, ask) && admin_arg_int(req, "limit", 1, HG_CONNECTIONS_MAX, limit);
}

void admin_connection_list(struct admin_request *req)
{
    struct hg_down_connections ask = {.core = HG_CORE_ANY};
    int64_t limit = 1000;

    if (filters_read(req, &ask, &limit))
        question_start(req, &ask, limit);
}

void admin_connection_close(struct admin_request *req)
{
    struct hg_down_connections ask = {.core = HG_CORE_ANY, .end = 1};
    int64_t limit = HG_CONNECTIONS_MAX;

    if (!filters_read(req, &ask, &limit))
        return;
    if (!ask.peer.bits && ask.state == HG_CONNECTION_ANY && ask.listener == HG_LISTENER_ANY &&
        !ask.connection) {
        admin_fail(req, ADMIN_BAD_REQUEST, "id, address, state or listener", "which connections?");
        return;
    }
    question_start(req, &ask, limit);
}
