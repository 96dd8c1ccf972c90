/* SPDX-License-Identifier: BSD-2-Clause */
/* A cluster in memory for tests of rules and plans: written as the record has it. */
#ifndef TEST_TOPOLOGY_WORLD_H
#define TEST_TOPOLOGY_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "topology/rules.h"

struct world {
    struct topology t;
    struct rules_facts w;
    struct findings f;
};

static inline void world_node(struct world *x, unsigned id, const char *name, const char *subcluster,
                              unsigned slot)
{
    char json[400], why[200];

    snprintf(json, sizeof(json),
             "{\"id\":%u,\"installed\":true,\"protocol\":1,\"address\":\"10.0.0.%u:7946\",\"sip\":\"192.0.2.%"
             "u:5060\"%s%s%s"
             ",\"slot\":%u}",
             id, id, id, *subcluster ? ",\"subcluster\":\"" : "", subcluster, *subcluster ? "\"" : "", slot);
    assert_true(topology_set_node(&x->t, slice_str(name), slice_str(json), why, sizeof(why)));
}

static inline void world_subcluster(struct world *x, unsigned id, const char *name, bool ha)
{
    char json[100], why[200];

    snprintf(json, sizeof(json), "{\"id\":%u,\"ha\":%s}", id, ha ? "true" : "false");
    assert_true(topology_set_subcluster(&x->t, slice_str(name), slice_str(json), why, sizeof(why)));
}

/* Two subclusters of two, n1 n2 in s1 with high availability, n3 n4 in s2 without, n5 outside. Nobody has
 * users. */
static inline void world_begin(struct world *x)
{
    memset(x, 0, sizeof(*x));
    topology_init(&x->t);
    x->w = (struct rules_facts){.t = &x->t,
                                .nodes_max = 6,
                                .im_only_nodes_max = 3,
                                .ha_subclusters_max = 3,
                                .secret = true,
                                .large = 1000,
                                .heartbeat_interval_ms = 1000,
                                .heartbeat_timeout_ms = 3000,
                                .init_timeout_ms = 6000,
                                .domain = "example.com",
                                .cluster_id = "north"};
    world_subcluster(x, 1, "s1", true);
    world_subcluster(x, 2, "s2", false);
    world_node(x, 1, "n1.example.com", "s1", 0);
    world_node(x, 2, "n2.example.com", "s1", 1);
    world_node(x, 3, "n3.example.com", "s2", 0);
    world_node(x, 4, "n4.example.com", "s2", 1);
    world_node(x, 5, "n5.example.com", "", 0);
    x->t.node[1].publisher = true;
    for (unsigned i = 1; i <= 5; i++)
        x->w.health[i] = HEALTH_NORMAL;
}

#endif
