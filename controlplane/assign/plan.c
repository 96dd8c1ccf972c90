/* SPDX-License-Identifier: BSD-2-Clause */
#include "assign/plan.h"

#include <string.h>

static bool acts(const struct rules_facts *w, const struct topology_subcluster *s, uint16_t node)
{
    return !s->ha || w->health[node] == HEALTH_NORMAL || w->health[node] == HEALTH_BACKUP;
}

static enum topology_mode mode_of(const struct topology_subcluster *s, enum topology_mode cluster)
{
    return s->mode == TOPOLOGY_MODE_INHERIT ? cluster : s->mode;
}

static void put(struct plan *p, const struct rules_facts *w, const struct topology_subcluster *s,
                uint16_t index, bool wanted)
{
    const struct topology_node *node = topology_node(w->t, index);
    struct plan_node *to = &p->node[p->n++];

    to->node = index;
    to->stays = w->users[index];
    to->frozen = !node->installed || node->leaving || !acts(w, s, index);
    to->target = wanted && !to->frozen;
    p->at[index] = (uint8_t)p->n;
}

/* C03: in a subcluster of one node that node, wherever it stands. */
static bool is_first(const struct topology_subcluster *s, unsigned slot)
{
    return slot == 0 || !s->node[0];
}

/* A cluster without subclusters: every node that is there. */
static void put_all(struct plan *p, const struct rules_facts *w)
{
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *node = topology_node(w->t, i);
        if (!node)
            continue;
        bool frozen = !node->installed || node->leaving;
        p->node[p->n++] =
            (struct plan_node){.node = i, .target = !frozen, .frozen = frozen, .stays = w->users[i]};
        p->at[i] = (uint8_t)p->n;
    }
}

void plan_begin(struct plan *p, const struct rules_facts *w, enum topology_mode mode, uint16_t only)
{
    memset(p, 0, sizeof(*p));
    if (mode != TOPOLOGY_NONE && topology_subclusters(w->t) == 0)
        put_all(p, w);
    for (unsigned slot = 0; slot < TOPOLOGY_SLOTS; slot++) {
        for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++) {
            const struct topology_subcluster *s = topology_subcluster(w->t, i);
            if (!s || !s->node[slot] || (only && i != only))
                continue;
            enum topology_mode m = mode_of(s, mode);
            /* who names a subcluster wants its nodes to be used, whatever the mode */
            bool wanted = m == TOPOLOGY_BALANCED || (m == TOPOLOGY_ACTIVE_STANDBY && is_first(s, slot)) ||
                          (only && m == TOPOLOGY_NONE);
            put(p, w, s, s->node[slot], wanted);
        }
    }
}

void plan_begin_node(struct plan *p, const struct rules_facts *w, uint16_t node)
{
    memset(p, 0, sizeof(*p));
    p->n = 1;
    p->node[0] = (struct plan_node){.node = node, .target = true, .stays = w->users[node]};
    p->at[node] = 1;
}

bool plan_select(struct plan *p, uint16_t home, uint64_t users, uint64_t signed_in)
{
    struct plan_node *node = home && p->at[home] ? &p->node[p->at[home] - 1] : NULL;

    if (node && node->frozen)
        return false;
    p->selected += users;
    if (home)
        p->moved += users; /* until plan_level keeps some */
    if (node) {
        node->stays -= users < node->stays ? users : node->stays;
        node->here += users;
        node->signed_in += signed_in;
    } else if (home) {
        p->leave[home] += users;
    }
    return true;
}

/* Users that fit below the level. */
static uint64_t room_below(const struct plan *p, uint64_t level)
{
    uint64_t room = 0;

    for (unsigned i = 0; i < p->n; i++)
        if (p->node[i].target && p->node[i].stays < level)
            room += level - p->node[i].stays;
    return room;
}

/* One more each for the rest: those that have more of the selection now first, which saves moves. */
static void share_rest(struct plan *p, uint64_t level, uint64_t rest)
{
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < p->n && rest; i++) {
            struct plan_node *node = &p->node[i];
            bool full = node->here > node->quota;
            if (!node->target || node->stays > level || full != (round == 0))
                continue;
            if (round == 1 && node->quota + node->stays > level)
                continue; /* got its one in the first round */
            node->quota++;
            rest--;
        }
    }
}

bool plan_level(struct plan *p)
{
    uint64_t low = 0, high = p->selected + 1;

    for (unsigned i = 0; i < p->n; i++)
        if (p->node[i].target && p->node[i].stays + p->selected + 1 > high)
            high = p->node[i].stays + p->selected + 1;
    if (room_below(p, high) == 0)
        return false;
    while (high - low > 1) { /* room_below(low) <= selected < room_below(high) */
        uint64_t middle = low + (high - low) / 2;
        if (room_below(p, middle) <= p->selected)
            low = middle;
        else
            high = middle;
    }
    for (unsigned i = 0; i < p->n; i++) {
        struct plan_node *node = &p->node[i];
        node->quota = node->target && node->stays < low ? low - node->stays : 0;
    }
    share_rest(p, low, p->selected - room_below(p, low));
    for (unsigned i = 0; i < p->n; i++) {
        struct plan_node *node = &p->node[i];
        uint64_t keep = node->here < node->quota ? node->here : node->quota;
        node->keep_signed = keep < node->signed_in ? keep : node->signed_in;
        node->keep_silent = keep - node->keep_signed;
        node->open = node->quota - keep;
        p->moved -= keep;
    }
    return true;
}

void plan_after(const struct plan *p, const struct rules_facts *w, uint64_t after[HG_NODES_MAX])
{
    memcpy(after, w->users, HG_NODES_MAX * sizeof(after[0]));
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        after[i] -= p->leave[i] < after[i] ? p->leave[i] : after[i];
    for (unsigned i = 0; i < p->n; i++)
        after[p->node[i].node] = p->node[i].stays + p->node[i].quota;
}

uint16_t plan_take(struct plan *p, uint16_t home, bool signed_in)
{
    struct plan_node *own = home && p->at[home] ? &p->node[p->at[home] - 1] : NULL, *best = NULL;
    uint64_t least = UINT64_MAX;

    if (own) {
        uint64_t *keep = signed_in ? &own->keep_signed : &own->keep_silent;
        if (*keep) {
            --*keep;
            return home;
        }
    }
    for (unsigned i = 0; i < p->n; i++) {
        struct plan_node *node = &p->node[i];
        uint64_t load = node->stays + node->quota - node->open; /* what it has, and was given */
        if (node->open && load < least) {
            least = load;
            best = node;
        }
    }
    if (!best)
        return 0;
    best->open--;
    return best->node;
}
