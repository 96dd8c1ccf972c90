/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/request.h"

const struct admin_command admin_commands[] = {
    {"version", admin_version},
    {"status", admin_status},
    {"drain", admin_drain},
    {"undrain", admin_undrain},
    {"counters", admin_counters},
    {"config.show", admin_config_show},
    {"config.diff", admin_config_diff},
    {"config.reload", admin_config_reload},
    {"route.list", admin_route_list},
    {"route.add", admin_route_add},
    {"route.set", admin_route_set},
    {"route.remove", admin_route_remove},
    {"route.explain", admin_route_explain},
    {"user.list", admin_user_list},
    {"user.find", admin_user_find},
    {"user.set", admin_user_set},
    {"user.remove", admin_user_remove},
    {"core.list", admin_core_list},
    {"hop.list", admin_hop_list},
    {"trace", admin_trace_start},
    {0},
};
