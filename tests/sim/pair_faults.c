/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes wrong, at random; and how all of it ends. */
#include <stdio.h>

#include "pair_impl.h"

/* How long something lasts: mostly around the times that the manager knows, sometimes far beyond. */
static uint64_t a_while(struct pair *w)
{
    static const unsigned percent[] = {5, 20, 60, 110, 250, 600};

    return 1 + pair_below(w, w->p.lease * percent[pair_below(w, 6)] / 100);
}

static struct node *some_node(struct pair *w)
{
    return &w->node[pair_below(w, 2)];
}

static void wire_fault(struct pair *w)
{
    static const unsigned loss[] = {0, 0, 10, 100, 500, 900};
    bool ways = pair_below(w, 2), paths = pair_below(w, 3) == 0, cut = pair_below(w, 2);
    unsigned from = (unsigned)pair_below(w, 2), path = (unsigned)pair_below(w, 2);

    for (unsigned s = 0; s < 2; s++)
        for (unsigned p = 0; p < BEAT_PATHS; p++) {
            if ((!ways && s != from) || (!paths && p != path))
                continue;
            struct wire *way = &w->wire[s][p];
            way->cut = cut;
            way->loss_permil = loss[pair_below(w, 6)];
            way->delay = 50000 + pair_below(w, pair_below(w, 4) ? MS(2) : w->p.lease);
            way->jitter = pair_below(w, pair_below(w, 4) ? MS(5) : w->p.lease);
        }
}

static void wire_mends(struct pair *w)
{
    for (unsigned s = 0; s < 2; s++)
        for (unsigned p = 0; p < BEAT_PATHS; p++)
            w->wire[s][p] = (struct wire){.double_permil = 5, .delay = 100000, .jitter = 100000};
}

static void restart_later(struct pair *w, struct node *n)
{
    pair_at(w, &(struct pair_event){.at = w->now + a_while(w), .kind = PE_START, .slot = n->slot});
}

static void process_fault(struct pair *w)
{
    struct node *n = some_node(w);

    switch (pair_below(w, 8)) {
    case 0:
    case 1:
        if (n->alive && pair_below(w, 4) == 0)
            node_event(n, &(struct srm_event){.type = SRM_LEAVE});
        node_crash(n);
        n->blind_start = pair_below(w, 8) == 0;
        restart_later(w, n);
        break;
    case 2:
        if (n->alive)
            node_pause(n, w->now + a_while(w));
        break;
    case 3:
    case 4:
        cores_kill(n);
        pair_at(w, &(struct pair_event){.at = w->now + a_while(w), .kind = PE_CORES, .slot = n->slot});
        break;
    case 5:
        if (n->cores.alive)
            cores_pause(n, w->now + a_while(w));
        break;
    case 6: { /* the machine stands still */
        uint64_t until = w->now + a_while(w);
        if (n->cores.alive)
            cores_pause(n, until);
        if (n->alive)
            node_pause(n, until);
        break;
    }
    default: /* the machine is gone */
        node_crash(n);
        cores_kill(n);
        pair_at(w, &(struct pair_event){.at = w->now + a_while(w), .kind = PE_CORES, .slot = n->slot});
        restart_later(w, n);
        break;
    }
    node_services(n);
}

/* One server at a time: a record that lives in two of them loses nothing (docs/redis.md). */
static bool redis_whole(const struct pair *w)
{
    for (unsigned i = 0; i < SERVERS; i++)
        if (!sim_redis_is_alive(w->redis, i) || !sim_redis_linked(w->redis, i))
            return false;
    return w->redis_paused <= w->now;
}

/* It stands still, and lags behind for a while after. */
static void redis_pause(struct pair *w, unsigned server)
{
    uint64_t until = w->now + a_while(w);

    sim_redis_pause(w->redis, server, until);
    w->redis_paused = until + MS(10);
}

void pair_redis_note(struct pair *w)
{
    if (w->o.verbose)
        pair_say(w, "Redis is noted");
    sim_data_copy(&w->past, sim_redis_data(w->redis, (unsigned)sim_redis_master(w->redis)));
}

void pair_redis_back(struct pair *w)
{
    if (w->o.verbose)
        pair_say(w, "Redis goes back");
    for (unsigned i = 0; i < SERVERS; i++)
        sim_redis_kill(w->redis, i);
    for (unsigned i = 0; i < SERVERS; i++) {
        sim_data_copy(sim_redis_data_change(w->redis, i), &w->past);
        sim_redis_start(w->redis, i, false);
    }
}

/* No replica, and what is written reaches the disk a second later. */
static void redis_forgets(struct pair *w)
{
    if (w->past.id[0] && pair_below(w, 3) == 0)
        pair_redis_back(w);
    else
        pair_redis_note(w);
}

static void redis_fault(struct pair *w)
{
    if (w->o.lossy && pair_below(w, 2)) {
        redis_forgets(w);
        return;
    }
    unsigned master = (unsigned)sim_redis_master(w->redis);
    uint64_t told = pair_below(w, MS(500));

    if (!redis_whole(w)) {
        for (unsigned i = 0; i < SERVERS; i++) {
            sim_redis_start(w->redis, i, pair_below(w, 3) == 0);
            sim_redis_demote(w->redis, i);
        }
        return;
    }
    switch (pair_below(w, 5)) {
    case 0:
        sim_redis_kill(w->redis, master);
        sim_redis_promote(w->redis, false, told);
        break;
    case 1: /* it stood still; Sentinel thinks that it is gone; it wakes up as a master */
        redis_pause(w, master);
        sim_redis_promote(w->redis, pair_below(w, 2), told);
        break;
    case 2:
        redis_pause(w, (unsigned)pair_below(w, SERVERS));
        break;
    case 3:
        sim_redis_promote(w->redis, pair_below(w, 2), told);
        break;
    default:
        sim_redis_kill(w->redis, (master + 1) % SERVERS);
        break;
    }
}

static struct slice stands(const struct pair *w)
{
    const struct sim_text *there =
        sim_data_get(sim_redis_data(w->redis, (unsigned)sim_redis_master(w->redis)), RECORD_HA, PAIR_FIELD);

    return there ? slice_of(there->p, there->len) : slice_of("", 0);
}

void pair_hand(struct pair *w, const char *raw)
{
    struct slice value = raw ? slice_str(raw) : slice_of("", 0);

    if (w->o.verbose)
        pair_say(w, "by hand: %.60s", raw ? raw : "removed");
    sim_redis_hand(w->redis, RECORD_HA, PAIR_FIELD, raw ? &value : NULL);
}

/* Somebody writes over the ownership: nonsense, with or without a version, a row that there is not, what
 * stands there without its version. */
static void hand_fault(struct pair *w)
{
    static const char *const nonsense[] = {"garbage", "", "1-1 garbage", "99-99999999 {}",
                                           "7-7 epoch=9 row=F99 flip=0 ha=1 armed=3 serves=0,1"};
    struct record_version version;
    struct slice payload;
    char text[SRM_ENTRY_TEXT + RECORD_VERSION_STRLEN], number[RECORD_VERSION_STRLEN];

    record_value_split(stands(w), &version, &payload);
    record_version_format(version, number);
    switch (pair_below(w, 7)) {
    case 0:
        snprintf(text, sizeof(text), SLICE_FMT, SLICE_ARG(payload));
        break;
    case 1:
        snprintf(text, sizeof(text), "%s nonsense", number);
        break;
    default:
        snprintf(text, sizeof(text), "%s", nonsense[pair_below(w, 5)]);
        break;
    }
    pair_hand(w, text);
}

static void client_fault(struct pair *w)
{
    struct node *n = some_node(w);

    if (pair_below(w, 3) == 0)
        sim_client_blind(n->client, pair_below(w, 2));
    else
        sim_client_cut(n->client, pair_below(w, 2));
}

static void service_fault(struct pair *w)
{
    struct node *n = some_node(w);
    unsigned service = pair_below(w, 2) ? SERVICE_OTHER : SERVICE_GATEWAY;

    if (node_runs(n))
        node_service(n, service, pair_below(w, 3) == 0);
    else
        n->service[service] = true;
}

/* Nodes are drained and taken into service again; a manager may hear of it late, or never. */
static void drain(struct node *n, uint8_t slots)
{
    if (node_runs(n))
        node_event(n, &(struct srm_event){.type = SRM_DRAINED, .u.drained = slots});
}

static void administrator(struct pair *w)
{
    struct node *n = some_node(w);

    if (pair_below(w, 8) == 0) {
        drain(n, (uint8_t)pair_below(w, 4));
        return;
    }
    enum srm_command command = (enum srm_command)pair_below(w, SRM_CMD_HA_OFF + 1);
    uint8_t slot = (uint8_t)pair_below(w, 2);

    if (command == SRM_CMD_HA_OFF && pair_below(w, 4) != 0)
        command = SRM_CMD_FALLBACK;
    if (node_runs(n) && srm_refusal(n->srm, node_clock(n), command, slot) == NULL)
        node_event(n, &(struct srm_event){.type = SRM_COMMAND, .u.command = {command, slot}});
}

/* The settings of the record reach the nodes one after the other; or only one of them. */
static void settings(struct pair *w)
{
    static const unsigned quarters[] = {1, 2, 4, 4, 8, 20};
    struct srm_params p = w->p;

    p.lease = p.lease * quarters[pair_below(w, 6)] / 4;
    node_settings(some_node(w), &p);
}

static struct slice user_name(unsigned i, char out[32])
{
    return slice_of(out, (uint32_t)snprintf(out, 32, "u%u@example.com", i));
}

static void user_written(void *arg, const struct record_outcome *o)
{
    struct user_write *u = arg;

    u->acknowledged = o->result == RECORD_OK;
}

static void add_user(struct pair *w)
{
    struct node *n = some_node(w);
    char name[32];

    if (!node_runs(n) || w->nwrites == USER_WRITES)
        return;
    struct user_write *u = &w->write[w->nwrites];
    struct slice field = user_name(w->nwrites++, name);
    record_change_one(n->record, RECORD_USERS, RECORD_SET, RECORD_ABSENT, field, slice_of("node1", 5),
                      user_written, u);
}

unsigned pair_users_lost(const struct pair *w)
{
    const struct sim_data *d = sim_redis_data(w->redis, (unsigned)sim_redis_master(w->redis));
    unsigned lost = 0;
    char name[32];

    for (unsigned i = 0; i < w->nwrites; i++)
        lost += w->write[i].acknowledged && sim_data_get(d, RECORD_USERS, user_name(i, name)) == NULL;
    return lost;
}

/* ---- what single faults in a row never come to ---- */

static bool offered(struct pair *w, enum srm_command command, unsigned slot)
{
    struct node *n = &w->node[slot ^ 1];

    return node_runs(n) && srm_refusal(n->srm, node_clock(n), command, slot) == NULL;
}

static void ask_for(struct pair *w, enum srm_command command, unsigned slot)
{
    node_event(&w->node[slot ^ 1],
               &(struct srm_event){.type = SRM_COMMAND, .u.command = {command, (uint8_t)slot}});
}

/* Nothing happens until the node that is failed over falls back by itself (D43). */
static void quiet_time(struct pair *w)
{
    struct srm_params p = w->p;

    pair_heal(w);
    p.automatic_fallback = true;
    for (unsigned i = 0; i < 2; i++)
        node_settings(&w->node[i], &p);
    pair_until(w, w->now + p.service_down_delay + 2 * p.init_timeout + 3 * p.fallback_quiet / 2);
    for (unsigned i = 0; i < 2; i++)
        node_settings(&w->node[i], &w->p);
}

/* A fallback is asked for, and nobody can write for longer than a move may last. */
static void stuck_fallback(struct pair *w)
{
    unsigned slot = (unsigned)pair_below(w, 2);

    pair_heal(w);
    pair_until(w, w->now + w->p.service_down_delay + 4 * w->p.init_timeout);
    if (!w->broken && offered(w, SRM_CMD_FAILOVER, slot))
        ask_for(w, SRM_CMD_FAILOVER, slot);
    pair_until(w, w->now + w->p.init_timeout);
    if (w->broken || !offered(w, SRM_CMD_FALLBACK, slot))
        return;
    ask_for(w, SRM_CMD_FALLBACK, slot);
    pair_until(w, w->now + pair_below(w, MS(4))); /* the row is written, its end is not yet */
    for (unsigned i = 0; i < 2; i++)
        sim_client_cut(w->node[i].client, true);
    pair_until(w, w->now + w->p.move_timeout + 2 * w->p.timeout);
    for (unsigned i = 0; i < 2; i++)
        sim_client_cut(w->node[i].client, false);
}

void pair_fault(struct pair *w)
{
    if (pair_below(w, 60) == 0) {
        if (pair_below(w, 2))
            quiet_time(w);
        else
            stuck_fallback(w);
        return;
    }
    add_user(w);
    switch (pair_below(w, w->o.hand ? 18 : 17)) {
    case 0:
    case 1:
    case 2:
        wire_fault(w);
        break;
    case 3:
    case 4:
        wire_mends(w);
        break;
    case 5:
    case 6:
    case 7:
        process_fault(w);
        break;
    case 8:
    case 9:
        redis_fault(w);
        break;
    case 10:
    case 11:
        client_fault(w);
        break;
    case 12:
    case 13:
        service_fault(w);
        break;
    case 14:
        settings(w);
        break;
    case 17:
        hand_fault(w);
        break;
    default:
        administrator(w);
        break;
    }
}

void pair_heal(struct pair *w)
{
    wire_mends(w);
    for (unsigned i = 0; i < SERVERS; i++) {
        sim_redis_start(w->redis, i, false);
        sim_redis_demote(w->redis, i);
        sim_redis_pause(w->redis, i, w->now);
        if (sim_redis_is_alive(w->redis, i) && !sim_redis_linked(w->redis, i))
            sim_redis_link(w->redis, i, true);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct node *n = &w->node[i];
        sim_client_cut(n->client, false);
        sim_client_blind(n->client, false);
        if (n->paused_until > w->now)
            node_pause(n, w->now);
        if (n->cores.paused_until > w->now)
            cores_pause(n, w->now);
        cores_start(n);
        node_boot(n);
        node_seen(n);
        node_settings(n, &w->p);
        node_services(n);
        node_service(n, SERVICE_GATEWAY, true);
        node_service(n, SERVICE_OTHER, true);
        drain(n, 0);
    }
}
