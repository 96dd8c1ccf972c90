/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/params.h"

const struct ctl_param ha_status_params[] = {
    {"--watch", "-watch", CTL_SET, false, NULL, "Show it again each second until interrupted."},
    PARAMS_END,
};
const struct ctl_param ha_node_params[] = {
    {"NODE", "node", CTL_TEXT, true, NULL, "Node whose users move, or come back."},
    PARAM_YES,
    PARAM_DRY,
    PARAMS_END,
};
const struct ctl_param ha_subcluster_params[] = {
    {"SUBCLUSTER", "name", CTL_TEXT, true, NULL, "Name of the subcluster."},
    PARAM_FORCE,
    PARAM_YES,
    PARAM_DRY,
    PARAMS_END,
};
const struct ctl_param event_params[] = {
    {"--follow", "follow", CTL_SET, false, NULL, "Go on with what happens, until interrupted."},
    {"--count", "count", CTL_NUMBER, false, "N", "The newest N (default 50)."},
    {"--after", "after", CTL_TEXT, false, "ID", "Begin behind this event."},
    PARAMS_END,
};
