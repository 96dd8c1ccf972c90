/* SPDX-License-Identifier: BSD-2-Clause */
/* Parameters of the commands that deal with the cluster (params_cluster.c, params_user.c), for the one table.
 */
#ifndef HG_CTL_PARAMS_H
#define HG_CTL_PARAMS_H

#include "ctl/ctl.h"

#define PARAMS_END                                                                                           \
    {                                                                                                        \
        NULL                                                                                                 \
    }
#define PARAM_WAITS                                                                                          \
    {"--no-wait", "wait", CTL_CLEAR,                                                                         \
     false,       NULL,   "Return when the record has it, before the cores apply it."},                      \
    {                                                                                                        \
        "--wait-cluster", "wait_cluster", CTL_SET, false, NULL,                                              \
            "Return when the cores of every node have applied it."                                           \
    }
#define PARAM_FORCE                                                                                          \
    {                                                                                                        \
        "--force", "force", CTL_SET, false, NULL,                                                            \
            "Override the rules that can be overridden; they become warnings."                               \
    }
#define PARAM_YES                                                                                            \
    {                                                                                                        \
        "--yes", "-yes", CTL_SET, false, NULL, "Do not ask, whatever the warnings say."                      \
    }
#define PARAM_DRY                                                                                            \
    {                                                                                                        \
        "--dry-run", "dry_run", CTL_SET, false, NULL, "Only say what would happen."                          \
    }

extern const struct ctl_param config_set_params[];
extern const struct ctl_param node_name_params[], node_add_params[], node_set_params[], node_place_params[],
    node_change_params[];
extern const struct ctl_param subcluster_name_params[], subcluster_add_params[], subcluster_set_params[],
    subcluster_remove_params[];

extern const struct ctl_param user_params[], user_add_params[], user_set_params[], user_remove_params[],
    user_list_params[], user_assign_params[], user_rebalance_params[], user_import_params[],
    user_export_params[], whatif_fail_params[];
extern const struct ctl_param ha_status_params[], ha_node_params[], ha_subcluster_params[], event_params[];

#endif
