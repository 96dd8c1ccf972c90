/* SPDX-License-Identifier: BSD-2-Clause */
/* A client as the record's io. */
#include <stdlib.h>
#include <string.h>

#include "sim_impl.h"

#define PATIENCE_LOG_MS SIM_BLOCK_MS
#define RECONNECT       (50 * SIM_MS)
#define LOOK            (1000 * SIM_MS) /* how often it asks for the number of replicas */

static struct slice slice_text(const struct sim_text *t)
{
    return slice_of(t->p ? t->p : "", t->len);
}

static struct sim_text copy(struct slice s)
{
    struct sim_text t = {malloc(s.len + 1), s.len};

    if (s.len)
        memcpy(t.p, s.p, s.len);
    t.p[s.len] = '\0';
    return t;
}

static unsigned wanted(const void *ctx)
{
    const struct sim_client *c = ctx;
    const struct sim_redis *s = c->s;

    if (s->o.replicas_min)
        return s->o.replicas_min;
    if (c->attached)
        return 1;
    bool master = (int)c->server == s->master && !c->cut && !c->blind;
    return s->nservers > 1 && !master ? 1 : 0;
}

/* ---- sending ---- */
static struct sim_request *new_request(struct sim_client *c, enum sim_command command, enum sim_lane lane,
                                       void *arg)
{
    struct sim_redis *s = c->s;

    if (!c->up)
        return NULL;
    struct sim_request *r = calloc(1, sizeof(*r));
    r->users = 2;
    r->client = c;
    r->server = c->server;
    r->command = command;
    r->lane = lane;
    r->connection = c->connection;
    r->run = c->run;
    r->wanted = wanted(c);
    r->arg = arg;
    r->deadline = s->now + (s->o.timeout_ms + (lane == LANE_LOG ? PATIENCE_LOG_MS : 0)) * SIM_MS;
    return r;
}

static bool send_request(struct sim_client *c, struct sim_request *r)
{
    struct sim_redis *s = c->s;
    struct sim_request **end = &c->pending;
    uint64_t at = s->now + sim_spread(s, s->o.delay, s->o.jitter);

    while (*end)
        end = &(*end)->next_pending;
    *end = r;
    if (at < c->arrives[r->lane])
        at = c->arrives[r->lane];
    c->arrives[r->lane] = at;
    sim_schedule(s, (struct sim_event){.at = at, .kind = EV_ARRIVE, .request = r});
    return true;
}

static bool ask_hello(void *ctx, const struct record_hello *hello, record_on_welcome answered, void *arg)
{
    struct sim_request *r = new_request(ctx, SIM_HELLO, LANE_MAIN, arg);

    if (!r)
        return false;
    r->hello = *hello;
    r->on_welcome = answered;
    return send_request(ctx, r);
}

static bool ask_change(void *ctx, struct record_write *write)
{
    struct sim_request *r = new_request(ctx, SIM_CHANGE, LANE_MAIN, NULL);

    if (!r)
        return false;
    r->write = write;
    r->term = write->term;
    r->nitems = write->n;
    r->items = calloc(write->n, sizeof(r->items[0]));
    for (uint32_t i = 0; i < write->n; i++) {
        struct sim_text field = copy(write->items[i].field), value = copy(write->items[i].value),
                        raw = copy(write->items[i].raw);
        r->items[i] = write->items[i];
        r->items[i].field = slice_text(&field);
        r->items[i].value = slice_text(&value);
        r->items[i].raw = slice_text(&raw);
    }
    return send_request(ctx, r);
}

static bool ask_confirm(void *ctx, record_on_confirm answered, void *arg)
{
    struct sim_request *r = new_request(ctx, SIM_CONFIRM, LANE_MAIN, arg);

    if (!r)
        return false;
    r->on_confirm = answered;
    return send_request(ctx, r);
}

static bool ask_scan(void *ctx, struct record_scan *scan)
{
    struct sim_request *r = new_request(ctx, SIM_SCAN, LANE_MAIN, NULL);

    if (!r)
        return false;
    r->scan = scan;
    r->table = scan->table;
    r->cursor = scan->cursor;
    return send_request(ctx, r);
}

static bool ask_follow(void *ctx, struct record_follow *follow)
{
    struct sim_request *r = new_request(ctx, SIM_FOLLOW, LANE_LOG, NULL);

    if (!r)
        return false;
    r->follow = follow;
    r->after = follow->after;
    return send_request(ctx, r);
}

static bool ask_read(void *ctx, enum record_table table, struct slice field, record_on_value answered,
                     void *arg)
{
    struct sim_request *r = new_request(ctx, SIM_READ, LANE_MAIN, arg);

    if (!r)
        return false;
    r->table = table;
    r->field = copy(field);
    r->on_value = answered;
    return send_request(ctx, r);
}

static bool ask_restored(void *ctx, const char *id, record_on_confirm answered, void *arg)
{
    struct sim_request *r = new_request(ctx, SIM_RESTORED, LANE_MAIN, arg);

    if (!r)
        return false;
    memcpy(r->id, id, sizeof(r->id));
    r->on_confirm = answered;
    return send_request(ctx, r);
}

static bool ask_check(void *ctx, record_on_check answered, void *arg)
{
    struct sim_request *r = new_request(ctx, SIM_CHECK, LANE_MAIN, arg);

    if (!r)
        return false;
    r->on_check = answered;
    return send_request(ctx, r);
}

/* ---- answers ---- */
static void tell_scan(struct sim_request *r, const char *error)
{
    for (uint32_t i = 0; !error && i < r->nfields; i++)
        r->scan->one(r->scan, slice_text(&r->fields[i].name), slice_text(&r->fields[i].raw));
    r->scan->done(r->scan, error ? 0 : r->cursor, false, error);
}

static void tell_follow(struct sim_request *r, const char *error)
{
    struct record_follow *f = r->follow;

    for (uint32_t i = 0; !error && i < r->nchanges; i++)
        if (!f->entry(f, r->changes[i]->version, r->changes[i]->item, r->changes[i]->n, ""))
            break;
    f->done(f, false, error);
}

static void tell_value(struct sim_request *r, const char *error)
{
    struct slice raw = slice_text(&r->value);

    r->on_value(r->arg, error || !r->has_value ? NULL : &raw, error);
}

static void tell(struct sim_request *r, const char *error)
{
    switch (r->command) {
    case SIM_HELLO:
        r->on_welcome(r->arg, error ? NULL : &r->welcome, error);
        break;
    case SIM_CHANGE:
        r->write->answered(r->write, error ? RECORD_FAILED : r->wrote, &r->outcome, error);
        break;
    case SIM_SCAN:
        tell_scan(r, error);
        break;
    case SIM_FOLLOW:
        tell_follow(r, error);
        break;
    case SIM_READ:
        tell_value(r, error);
        break;
    case SIM_CONFIRM:
    case SIM_RESTORED:
        r->on_confirm(r->arg, !error, error);
        break;
    case SIM_CHECK:
        r->on_check(r->arg, r->term, r->seq, r->id, error);
        break;
    }
}

static void answer_or_later(struct sim_client *c, struct sim_request *r)
{
    struct sim_request **p = &c->pending;

    while (*p != r)
        p = &(*p)->next_pending;
    *p = r->next_pending;
    r->given_up = true;
    tell(r, r->error);
    sim_request_release(r);
}

void sim_client_answer(struct sim_client *c, struct sim_request *r)
{
    if (!r->given_up && c->paused_until > c->s->now) {
        sim_schedule(c->s,
                     (struct sim_event){.at = c->paused_until, .kind = EV_ANSWER, .client = c, .request = r});
        return;
    }
    if (!r->given_up && !c->cut && !c->lost)
        answer_or_later(c, r);
    sim_request_release(r);
}

/* ---- the connection ---- */
static void give_up(struct sim_client *c, const char *why)
{
    struct sim_request *r = c->pending;

    c->pending = NULL;
    c->up = c->lost = false;
    c->connection++;
    c->connect_at = c->s->now + RECONNECT;
    while (r) {
        struct sim_request *next = r->next_pending;
        r->given_up = true;
        if (c->record)
            tell(r, why);
        sim_request_release(r);
        r = next;
    }
    if (c->record)
        record_io_down(c->record, why);
}

void sim_client_lost(struct sim_client *c, const char *why)
{
    if (c->paused_until > c->s->now)
        c->lost = true; /* it will see */
    else if (c->up)
        give_up(c, why);
}

static bool is_late(const struct sim_client *c)
{
    for (const struct sim_request *r = c->pending; r; r = r->next_pending)
        if (c->s->now > r->deadline)
            return true;
    return false;
}

static void look(struct sim_client *c)
{
    const struct sim_redis *s = c->s;

    if (c->cut || !s->server[c->server].alive || s->server[c->server].paused_until > s->now)
        return;
    c->attached = sim_attached(s, c->server);
    c->attached_at = s->now;
}

static void connect_on(struct sim_client *c)
{
    const struct sim_redis *s = c->s;
    const struct sim_server *v = &s->server[c->told];

    if (c->cut || s->now < c->connect_at)
        return;
    if (!c->blind)
        c->told = (unsigned)s->master; /* the Sentinels say it when asked */
    if (!v->alive || !v->master || v->paused_until > s->now) {
        c->connect_at = s->now + RECONNECT;
        return;
    }
    c->server = c->told;
    c->run = v->run;
    c->up = true;
    c->arrives[LANE_MAIN] = c->arrives[LANE_LOG] = s->now;
    look(c);
    record_io_up(c->record);
}

void sim_client_tick(struct sim_client *c)
{
    struct sim_redis *s = c->s;
    uint64_t at = c->paused_until > s->now ? c->paused_until : s->now + s->o.tick;

    sim_schedule(s, (struct sim_event){.at = at, .kind = EV_TICK, .client = c});
    if (c->paused_until > s->now || !c->record)
        return;
    if (c->up && (c->lost || is_late(c)))
        give_up(c, c->lost ? "the connection to Redis was lost" : "no answer in time");
    if (c->up && c->told != c->server)
        give_up(c, "the master is another one now");
    if (c->up && s->now - c->attached_at >= LOOK)
        look(c);
    if (!c->up)
        connect_on(c);
    record_io_tick(c->record);
}

static uint64_t take_fence(void *ctx)
{
    struct sim_client *c = ctx;
    uint64_t at = c->s->server[c->server].promoted_at;

    if (c->blind || at == 0 || at == c->fence_taken)
        return 0;
    c->fence_taken = at;
    return c->s->now - at;
}

static unsigned room(const void *ctx)
{
    (void)ctx;
    return 1000;
}

static const char *state(const void *ctx)
{
    const struct sim_client *c = ctx;

    return c->up ? "connected" : "away";
}

static uint64_t now_ms(const void *ctx)
{
    const struct sim_client *c = ctx;

    return c->s->now / SIM_MS;
}

static uint64_t random_number(void *ctx)
{
    struct sim_client *c = ctx;

    return sim_random(c->s);
}

static void close_io(void *ctx)
{
    struct sim_client *c = ctx;

    if (c->up)
        give_up(c, "the control plane stops");
    c->record = NULL;
}

static const struct record_io_ops ops = {
    .hello = ask_hello,
    .change = ask_change,
    .confirm = ask_confirm,
    .scan = ask_scan,
    .follow = ask_follow,
    .read = ask_read,
    .restored = ask_restored,
    .check = ask_check,
    .wanted = wanted,
    .take_fence = take_fence,
    .room = room,
    .state = state,
    .now_ms = now_ms,
    .random = random_number,
    .close = close_io,
};

struct sim_client *sim_client_create(struct sim_redis *s)
{
    struct sim_client *c = calloc(1, sizeof(*c));

    c->s = s;
    c->next = s->clients;
    c->told = (unsigned)s->master;
    s->clients = c;
    sim_schedule(s, (struct sim_event){.at = s->now + 1, .kind = EV_TICK, .client = c});
    return c;
}

struct record_io sim_client_io(struct sim_client *c)
{
    return (struct record_io){.ops = &ops, .ctx = c, .timeout_ms = c->s->o.timeout_ms};
}

void sim_client_attach(struct sim_client *c, struct record *record)
{
    c->record = record;
    c->connect_at = c->s->now;
}

void sim_client_cut(struct sim_client *c, bool cut)
{
    c->cut = cut;
}

void sim_client_blind(struct sim_client *c, bool blind)
{
    c->blind = blind;
    if (!blind)
        c->told = (unsigned)c->s->master;
}

void sim_client_pause(struct sim_client *c, uint64_t until)
{
    c->paused_until = until;
}

void sim_client_crash(struct sim_client *c)
{
    if (c->up)
        give_up(c, "the control plane crashed"); /* whoever waits frees what it waits with */
    c->record = NULL;
    c->paused_until = 0;
    c->lost = false;
}
