/* SPDX-License-Identifier: BSD-2-Clause */
/* One control plane: what ha_run.c does around the manager, without libuv. */
#include <stdlib.h>
#include <string.h>

#include "pair_impl.h"

uint64_t node_clock(const struct node *n)
{
    uint64_t t = n->w->now;

    return n->clock0 + t + (uint64_t)((int64_t)(t / 1000000) * n->drift_ppm);
}

bool node_runs(const struct node *n)
{
    return n->alive && n->paused_until <= n->w->now;
}

/* ---- the record ---- */
static void entry_event(struct node *n, bool set, struct slice value, struct record_version version)
{
    struct srm_event e = {.type = SRM_ENTRY, .u.entry.wanted = n->w->ha_wanted};
    struct slice name = PAIR_FIELD;

    if ((set && !entries_set(&n->entries, name, value, version)) || entries_broken(&n->entries, name))
        return;
    const struct srm_entry *entry = entries_find(&n->entries, name);
    if (entry == NULL && !entries_absent(&n->entries, name))
        return;
    if (entry != NULL)
        e.u.entry.entry = *entry;
    node_event(n, &e);
}

static bool is_ours(enum record_table table, struct slice field)
{
    return table == RECORD_HA && slice_eq(field, PAIR_FIELD);
}

static void load_begin(void *arg)
{
    entries_load_begin(&((struct node *)arg)->entries);
}

static void loaded_one(void *arg, enum record_table table, struct slice field, struct slice value,
                       struct record_version version)
{
    if (is_ours(table, field))
        entry_event(arg, true, value, version);
}

static void load_end(void *arg)
{
    entries_load_end(&((struct node *)arg)->entries);
}

static void changed(void *arg, enum record_table table, enum record_op op, struct slice field,
                    struct slice value, struct record_version version)
{
    if (is_ours(table, field) && op == RECORD_SET)
        entry_event(arg, true, value, version);
}

static void state(void *arg, enum record_state state)
{
    struct node *n = arg;
    bool up = state == RECORD_FOLLOWING;

    if (up) /* a record without an entry says so, too; one that goes on says that there was no gap */
        entry_event(n, false, slice_of("", 0), (struct record_version){0, 0});
    node_event(n,
               &(struct srm_event){.type = SRM_RECORD,
                                   .u.record = {up, record_term(n->record), record_fenced_ago(n->record)}});
    node_service(n, SERVICE_RECORD, up);
}

static bool give(void *arg, enum record_table table, uint64_t *cursor, struct slice *field,
                 struct slice *value)
{
    (void)arg, (void)table, (void)cursor, (void)field, (void)value;
    return false;
}

/* ---- writes ---- */
static void cas_done(void *arg, const struct record_outcome *o)
{
    struct node *n = arg;
    struct srm_event e = {.type = SRM_CAS_DONE, .u.cas.id = n->cas};

    n->cas_busy = false;
    switch (o->result) {
    case RECORD_OK:
        e.u.cas.result = SRM_CAS_OK;
        if (record_version_cmp(o->version, n->w->acknowledged) > 0)
            n->w->acknowledged = o->version;
        break;
    case RECORD_CONFLICT:
    case RECORD_MISSING:
    case RECORD_EXISTS:
        e.u.cas.result = SRM_CAS_CONFLICT;
        if (o->result != RECORD_MISSING && !entry_readable(o->value, o->version, &e.u.cas.entry))
            e.u.cas.result = SRM_CAS_BROKEN;
        break;
    default:
        e.u.cas.result = SRM_CAS_UNKNOWN;
        break;
    }
    e.u.cas.entry.version = o->result == RECORD_MISSING ? (struct record_version){0, 0} : o->version;
    node_event(n, &e);
}

static void tell_found(void *arg, const struct entry_found *found)
{
    struct node *n = arg;
    struct srm_event e = {.type = SRM_FOUND, .u.found = {found->readable, n->w->ha_wanted, found->entry}};

    if (found->readable && record_version_is_none(found->entry.version))
        entries_remove(&n->entries, PAIR_FIELD);
    else
        (void)entries_set(&n->entries, PAIR_FIELD, found->value, found->entry.version);
    node_event(n, &e);
}

static struct record_version known(void *arg)
{
    struct node *n = arg;
    struct srm_status s = {0};

    if (n->srm != NULL)
        srm_status(n->srm, node_clock(n), &s);
    return s.entry.version;
}

void node_look(struct node *n)
{
    if (!n->cas_busy)
        entry_watch_look(&n->watch, n->record, PAIR_FIELD, entries_broken(&n->entries, PAIR_FIELD));
}

static void do_cas(struct node *n, const struct srm_action *a)
{
    char text[SRM_ENTRY_TEXT];
    struct srm_entry entry = a->u.cas.entry;

    entry.since = entry.since != 0 ? entry.since : 1 + n->w->now / SECONDS(1);
    size_t len = srm_entry_text(&entry, text);
    n->cas = a->u.cas.id;
    n->cas_busy = true;
    struct slice raw;
    if (a->u.cas.exact) {
        if (entry_watch_raw(&n->watch, &raw))
            record_cas_exact(n->record, RECORD_HA, PAIR_FIELD, raw, slice_of(text, (uint32_t)len), cas_done,
                             n);
        else
            cas_done(n, &(struct record_outcome){.result = RECORD_CONFLICT, .value = slice_of("", 0)});
        return;
    }
    record_cas(n->record, RECORD_HA, PAIR_FIELD, a->u.cas.expected, slice_of(text, (uint32_t)len), cas_done,
               n);
}

/* ---- actions ---- */
static void do_log(struct node *n, const struct srm_action *a)
{
    struct pair *w = n->w;

    w->r->rows |= UINT64_C(1) << a->u.log.to;
    uint8_t goal = srm_row_info[a->u.log.to].goal;
    w->r->failovers += a->u.log.by_us && (goal == GOAL_N1 || goal == GOAL_N2);
    n->left[0] = n->left[1] = USERS;
    if (w->o.verbose && a->u.log.by_us)
        pair_say(w, "node %u: %s -> %s%s: %s of node %u", n->slot, srm_row_id(a->u.log.from),
                 srm_row_id(a->u.log.to), a->u.log.flip ? " (N1 is node 1)" : "",
                 a->u.log.fact < SRM_FACTS ? srm_fact_info[a->u.log.fact].name : "?", a->u.log.slot);
}

static void do_move(struct node *n, const struct srm_action *a)
{
    unsigned home = a->u.move.home;
    uint64_t moved = a->u.move.max != 0 && a->u.move.max < n->left[home] ? a->u.move.max : n->left[home];

    n->left[home] -= moved;
    node_event(n, &(struct srm_event){.type = SRM_MOVED, .u.moved = {(uint8_t)home, moved, n->left[home]}});
}

static void do_lease(struct node *n, const struct srm_action *a)
{
    if (!n->cores.alive || n->attached != n->cores.life)
        return;
    n->cores.word = a->u.lease.word;
    n->cores.until = a->u.lease.until;
}

static void act(struct node *n, const struct srm_action *a)
{
    switch (a->type) {
    case SRM_DO_ASK:
        for (unsigned p = 0; p < BEAT_PATHS; p++)
            wire_send(n, (enum beat_path)p, BEAT_ASK, &a->u.beat);
        break;
    case SRM_DO_ANSWER:
        if (n->asking != NULL)
            wire_send(n, n->asking_path, BEAT_ANSWER, &a->u.beat);
        break;
    case SRM_DO_CAS:
        do_cas(n, a);
        break;
    case SRM_DO_LEASE:
        do_lease(n, a);
        break;
    case SRM_DO_MAP:
        cores_map(n, a);
        break;
    case SRM_DO_MOVE:
        do_move(n, a);
        break;
    case SRM_DO_LOG:
        do_log(n, a);
        break;
    case SRM_DO_REHOME:
        node_event(
            n, &(struct srm_event){.type = SRM_COMMAND, .u.command = {SRM_CMD_REHOMED, a->u.rehome.home}});
        break;
    case SRM_DO_ALARM:
        break;
    }
}

static void arm_tick(struct node *n)
{
    uint64_t at = srm_next(n->srm), clock = node_clock(n);

    n->tick++;
    if (at == UINT64_MAX)
        return;
    uint64_t wait = at > clock ? at - clock : 0;
    pair_at(n->w,
            &(struct pair_event){
                .at = n->w->now + wait + wait / 2000 + 1, .kind = PE_TICK, .slot = n->slot, .life = n->tick});
}

static void handle(struct node *n, const struct srm_event *event)
{
    struct srm_actions out;

    srm_handle(n->srm, node_clock(n), event, &out);
    if (out.lost)
        abort(); /* the bound on actions is part of what is proved here */
    for (unsigned i = 0; i < out.n; i++)
        act(n, &out.a[i]);
}

/* Events that actions bring about wait until the actions are done. */
void node_event(struct node *n, const struct srm_event *event)
{
    if (!n->alive || n->srm == NULL)
        return;
    if (n->handling) {
        if (n->ninbox < sizeof(n->inbox) / sizeof(n->inbox[0]))
            n->inbox[n->ninbox++] = *event;
        return;
    }
    n->handling = true;
    handle(n, event);
    while (n->ninbox > 0) {
        struct srm_event next = n->inbox[0];
        memmove(n->inbox, n->inbox + 1, --n->ninbox * sizeof(n->inbox[0]));
        handle(n, &next);
    }
    n->handling = false;
    arm_tick(n);
}

void node_service(struct node *n, unsigned service, bool up)
{
    n->service[service] = up;
    node_event(n, &(struct srm_event){
                      .type = SRM_SERVICE,
                      .u.service = {.bit = (uint8_t)service,
                                    .watched = true,
                                    .up = up,
                                    .relative = service == SERVICE_RECORD || service == SERVICE_GATEWAY,
                                    .database = service == SERVICE_RECORD}});
}

/* What the control plane sees of its cores. */
void node_services(struct node *n)
{
    bool up = n->cores.alive && n->cores.paused_until <= n->w->now;

    if (!node_runs(n))
        return;
    if (n->cores.alive && n->attached != n->cores.life && !n->unseen) {
        n->attached = n->cores.life;
        node_event(n, &(struct srm_event){.type = SRM_DATAPLANE, .u.dataplane.word = n->cores.word});
    }
    if (n->service[SERVICE_CORES] != up)
        node_service(n, SERVICE_CORES, up);
}

void node_settings(struct node *n, const struct srm_params *p)
{
    n->p = *p;
    if (n->srm != NULL)
        srm_set_params(n->srm, p);
}

void node_seen(struct node *n)
{
    if (!n->unseen)
        return;
    n->unseen = false;
    node_services(n);
    node_event(n, &(struct srm_event){.type = SRM_UNSEEN, .u.up = false});
}

/* ---- life ---- */
void node_boot(struct node *n)
{
    struct pair *w = n->w;
    struct srm_start start = {.slot = n->slot, .now = node_clock(n)};
    static const struct record_events events = {.load_begin = load_begin,
                                                .loaded_one = loaded_one,
                                                .load_end = load_end,
                                                .changed = changed,
                                                .state = state,
                                                .give = give};
    struct record_events ev = events;
    bool other[SERVICES];

    if (n->alive)
        return;
    memcpy(other, n->service, sizeof(other));
    n->alive = true;
    n->paused_until = 0;
    n->boot = ++w->boots;
    n->ninbox = 0;
    n->handling = false;
    n->asking = NULL;
    memset(n->newest, 0, sizeof(n->newest));
    memset(&n->entries, 0, sizeof(n->entries));
    for (unsigned p = 0; p < BEAT_PATHS; p++)
        beat_window_init(&n->window[p], n->boot);
    n->attached = 0;
    n->unseen = n->cores.alive && n->blind_start;
    n->blind_start = false;
    if (n->cores.alive && !n->unseen) {
        start.segment_until = n->cores.until;
        start.segment_word = n->cores.word;
        n->attached = n->cores.life;
    }
    n->srm = srm_create(&n->p, &start);
    if (n->unseen) {
        node_event(n, &(struct srm_event){.type = SRM_UNSEEN, .u.up = true});
        pair_at(w, &(struct pair_event){
                       .at = w->now + pair_below(w, 2 * w->p.lease), .kind = PE_SEEN, .slot = n->slot});
    }
    entry_watch_forget(&n->watch);
    n->watch = (struct entry_watch){.tell = tell_found, .known = known, .arg = n};
    pair_at(w,
            &(struct pair_event){
                .at = w->now + pair_below(w, SECONDS(1)), .kind = PE_LOOK, .slot = n->slot, .life = n->boot});
    ev.arg = n;
    struct record_io io = sim_client_io(n->client);
    n->record = record_create_over(&io, &ev, &w->log, &w->alarms);
    sim_client_attach(n->client, n->record);
    n->left[0] = n->left[1] = USERS;
    for (unsigned s = 0; s < SERVICES; s++)
        node_service(n, s,
                     s == SERVICE_CORES    ? n->cores.alive && n->cores.paused_until <= w->now
                     : s == SERVICE_RECORD ? false
                                           : other[s]);
}

void node_crash(struct node *n)
{
    if (!n->alive)
        return;
    n->alive = false;
    n->tick++;
    sim_client_crash(n->client);
    record_free(n->record);
    n->record = NULL;
    srm_free(n->srm);
    n->srm = NULL;
    entry_watch_forget(&n->watch);
}

void node_pause(struct node *n, uint64_t until)
{
    n->paused_until = until;
    sim_client_pause(n->client, until);
    pair_at(n->w, &(struct pair_event){.at = until, .kind = PE_WAKE, .slot = n->slot});
}
