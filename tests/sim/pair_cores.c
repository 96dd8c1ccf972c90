/* SPDX-License-Identifier: BSD-2-Clause */
/* The dataplane: cores with a map each that comes through a queue, and the deadline in the segment. A core
 * that stood still looks at the deadline first, and finds the map only later. */
#include <string.h>

#include "pair_impl.h"

void cores_start(struct node *n)
{
    struct cores *c = &n->cores;

    if (c->alive)
        return;
    uint64_t life = c->life;
    memset(c, 0, sizeof(*c));
    c->alive = true;
    c->life = life + 1;
    for (unsigned i = 0; i < CORES; i++)
        c->core[i].serving[0] = c->core[i].serving[1] = SRM_NOBODY;
    node_services(n);
}

void cores_kill(struct node *n)
{
    n->cores.alive = false;
    node_services(n);
}

void cores_pause(struct node *n, uint64_t until)
{
    n->cores.paused_until = until;
    for (unsigned i = 0; i < CORES; i++)
        pair_at(n->w, &(struct pair_event){.at = until + pair_below(n->w, MS(3)),
                                           .kind = PE_DRAIN,
                                           .slot = n->slot,
                                           .n = i,
                                           .life = n->cores.life});
    pair_at(n->w, &(struct pair_event){.at = until + 1, .kind = PE_CORES, .slot = n->slot});
}

void cores_map(struct node *n, const struct srm_action *a)
{
    struct cores *c = &n->cores;

    for (unsigned i = 0; i < CORES; i++) {
        struct core *core = &c->core[i];
        if (c->alive && n->attached == c->life && core->n < MAPS_MAX)
            core->queue[(core->first + core->n++) % MAPS_MAX] =
                (struct map_push){n->boot, a->u.map.id, {a->u.map.serving[0], a->u.map.serving[1]}};
        pair_at(n->w, &(struct pair_event){.at = n->w->now + 1000 + pair_below(n->w, MS(2)),
                                           .kind = PE_DRAIN,
                                           .slot = n->slot,
                                           .n = i,
                                           .life = c->life});
    }
}

/* Whether every core has passed that map; a dataplane that is not there has no other one. */
static bool all_have(const struct cores *c, uint64_t boot, uint64_t id)
{
    for (unsigned i = 0; i < CORES && c->alive; i++)
        for (unsigned k = 0; k < c->core[i].n; k++) {
            const struct map_push *m = &c->core[i].queue[(c->core[i].first + k) % MAPS_MAX];
            if (m->boot == boot && m->id <= id)
                return false;
        }
    return true;
}

void cores_drain(struct node *n, unsigned which, uint64_t life)
{
    struct cores *c = &n->cores;
    struct core *core = &c->core[which];
    uint64_t id = 0;

    if (life != c->life || c->paused_until > n->w->now)
        return;
    while (c->alive && core->n > 0) {
        const struct map_push *m = &core->queue[core->first];
        core->serving[0] = m->serving[0];
        core->serving[1] = m->serving[1];
        id = m->boot == n->boot ? m->id : id;
        core->first = (core->first + 1) % MAPS_MAX;
        core->n--;
    }
    struct srm_status status;
    if (!node_runs(n))
        return;
    srm_status(n->srm, node_clock(n), &status);
    id = status.map_id;
    if (id != 0 && !n->unseen && all_have(c, n->boot, id))
        node_event(n, &(struct srm_event){.type = SRM_APPLIED, .u.map = id});
}

uint8_t cores_serve(const struct node *n)
{
    const struct cores *c = &n->cores;
    uint8_t serve = 0;

    if (!c->alive || c->paused_until > n->w->now || node_clock(n) >= c->until)
        return 0;
    for (unsigned i = 0; i < CORES; i++)
        for (unsigned s = 0; s < 2; s++)
            serve |= (uint8_t)((c->core[i].serving[s] == (int)n->slot) << s);
    return serve;
}
