/* SPDX-License-Identifier: BSD-2-Clause */
/* Our commands on DPDK's telemetry socket. They read what the cores publish in the segment, from a thread of
 * DPDK's. */
#include <stdio.h>
#include <stdlib.h>

#include <rte_telemetry.h>

#include "hg/counters.h"
#include "node/node.h"

/* The interface has no argument of our own: set once, before the first command can arrive. */
static const struct node *told;

static uint64_t counter_read(unsigned core, unsigned id)
{
    return __atomic_load_n(&told->segment.core[core].area->counters[id], __ATOMIC_RELAXED);
}

/* /heliograph/counters, or /heliograph/counters,CORE */
static int counters_command(const char *command, const char *params, struct rte_tel_data *data)
{
    char *end = NULL;
    unsigned long only = params && *params ? strtoul(params, &end, 10) : 0;
    bool all = params == NULL || *params == '\0';

    (void)command;
    if (!all && (*end != '\0' || only >= told->cores))
        return -1;
    rte_tel_data_start_dict(data);
    for (unsigned id = 0; id < HG_COUNTERS_MAX; id++) {
        uint64_t sum = 0;
        for (unsigned core = 0; core < told->cores; core++)
            if (all || core == only)
                sum += counter_read(core, id);
        if (sum != 0 && rte_tel_data_add_dict_u64(data, hg_counter_info[id].name, sum) != 0)
            break;
    }
    return 0;
}

static int cores_command(const char *command, const char *params, struct rte_tel_data *data)
{
    (void)command;
    (void)params;
    rte_tel_data_start_dict(data);
    for (unsigned core = 0; core < told->cores; core++) {
        struct hg_core_area *area = told->segment.core[core].area;
        struct rte_tel_data *one = rte_tel_data_alloc();
        char name[16];
        if (one == NULL)
            return -1;
        rte_tel_data_start_dict(one);
        rte_tel_data_add_dict_u64(one, "cpu", told->cpu[core]);
        rte_tel_data_add_dict_u64(one, "heartbeat", atomic_load(&area->heartbeat));
        rte_tel_data_add_dict_u64(one, "applied_seq", atomic_load(&area->applied_seq));
        rte_tel_data_add_dict_u64(one, "applied_generation", atomic_load(&area->applied_generation));
        rte_tel_data_add_dict_u64(one, "image_generation", atomic_load(&area->image_generation));
        rte_tel_data_add_dict_u64(one, "turns", counter_read(core, HG_C_core_turns));
        rte_tel_data_add_dict_u64(one, "busy_turns", counter_read(core, HG_C_core_busy_turns));
        rte_tel_data_add_dict_u64(one, "busy_cycles", counter_read(core, HG_C_core_busy_cycles));
        rte_tel_data_add_dict_u64(one, "naps", counter_read(core, HG_C_core_naps));
        snprintf(name, sizeof(name), "core%u", core);
        if (rte_tel_data_add_dict_container(data, name, one, 0) != 0) {
            rte_tel_data_free(one);
            break;
        }
    }
    return 0;
}

void telemetry_open(struct node *node)
{
    told = node;
    rte_telemetry_register_cmd("/heliograph/counters", counters_command,
                               "Counters that are not zero, summed over the cores. Parameter: a core");
    rte_telemetry_register_cmd("/heliograph/cores", cores_command, "State of every core");
}
