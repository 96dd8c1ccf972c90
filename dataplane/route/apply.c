/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/apply.h"

#include "route/state.h"

#define SWEEP_TURN 1000 /* entries (DESIGN section 2) */

static void show_users(const struct route *r)
{
    hg_gauge(r->ctx->counters, HG_C_users, r->users.used);
}

void route_resync_begin(struct route *r, uint64_t generation)
{
    user_table_round(&r->users);
    contact_table_round(&r->contacts);
    r->resync = true;
    r->sweeping = false;
    r->generation_next = generation;
}

/* A full table is the operator's to widen: it gets a number of its own. */
static bool set_user(struct route *r, const struct hg_user_key *key, uint16_t node)
{
    bool done = user_table_set(&r->users, key, node);
    if (!done)
        ctx_count(r->ctx, HG_C_user_no_room);
    return done;
}

bool route_resync_end(struct route *r)
{
    if (!r->resync)
        return false;
    r->resync = false;
    r->sweeping = true;
    user_table_sweep_start(&r->users);
    contact_table_sweep_start(&r->contacts);
    for (unsigned i = 1; i < HG_NODES_MAX; i++)
        if (r->nodes[i].round != r->users.round) {
            r->nodes[i].present = false;
            if (r->self == i)
                r->self = 0;
        }
    cluster_sweep(r);
    return true;
}

bool route_resync_sweep(struct route *r)
{
    if (!r->sweeping)
        return !r->resync;
    if (user_table_sweep(&r->users, SWEEP_TURN) && contact_table_sweep(&r->contacts, SWEEP_TURN)) {
        r->sweeping = false;
        r->generation = r->generation_next;
    }
    show_users(r);
    hg_gauge(r->ctx->counters, HG_C_contacts, r->contacts.used);
    return !r->sweeping;
}

uint64_t route_resync_generation(const struct route *r)
{
    return r->generation;
}

bool route_user_set(struct route *r, const struct hg_user_key *key, uint16_t node)
{
    if (node == 0 || node >= HG_NODES_MAX)
        return false;
    bool done = set_user(r, key, node);
    show_users(r);
    return done;
}

void route_user_delete(struct route *r, const struct hg_user_key *key)
{
    (void)user_table_delete(&r->users, key);
    show_users(r);
}

uint64_t route_user_count(const struct route *r)
{
    return r->users.used;
}

bool route_apply_begin(struct route *r, const struct hg_record *rec, uint32_t length)
{
    if (length < sizeof(struct hg_down_begin))
        return false;
    route_resync_begin(r, ((const struct hg_down_begin *)rec)->generation);
    return true;
}

bool route_apply_end(struct route *r, const struct hg_record *rec, uint32_t length)
{
    (void)rec;
    return length >= sizeof(struct hg_record) && route_resync_end(r);
}

bool route_apply_users(struct route *r, const struct hg_record *rec, uint32_t length)
{
    const struct hg_down_users *u = (const struct hg_down_users *)rec;
    bool good = true;
    if (length < sizeof(*u) || u->n > HG_DOWN_USERS_MAX || length - sizeof(*u) < u->n * sizeof(u->user[0]))
        return false;
    for (uint32_t i = 0; i < u->n; i++)
        if (u->user[i].node >= HG_NODES_MAX)
            return false;
    for (uint32_t i = 0; i < u->n; i++)
        user_table_prefetch(&r->users, &u->user[i].key);
    for (uint32_t i = 0; i < u->n; i++) {
        if (u->user[i].node == 0)
            (void)user_table_delete(&r->users, &u->user[i].key);
        else
            good &= set_user(r, &u->user[i].key, u->user[i].node);
    }
    show_users(r);
    return good;
}

bool route_apply_node(struct route *r, const struct hg_record *rec, uint32_t length)
{
    const struct hg_down_node *n = (const struct hg_down_node *)rec;
    if (length < sizeof(*n) || n->node == 0 || n->node >= HG_NODES_MAX)
        return false;
    r->nodes[n->node] = (struct route_node){
        .sip = n->sip,
        .present = n->present != 0,
        .self = n->self != 0,
        .pair = n->pair != 0,
        .round = r->users.round,
    };
    if (n->node > r->highest_node)
        r->highest_node = n->node;
    if (n->present && n->self)
        r->self = n->node;
    else if (r->self == n->node)
        r->self = 0;
    return true;
}
