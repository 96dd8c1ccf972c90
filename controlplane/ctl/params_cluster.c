/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/params.h"

const struct ctl_param config_set_params[] = {
    {"PATH", "path", CTL_TEXT, true, NULL, "An item or list of cluster{} that a reload applies."},
    {"VALUE", "value", CTL_TEXT, true, NULL,
     "Its value; a list as it stands in a file: '[ \"10.0.0.0/8\" ]'."},
    PARAM_FORCE,
    PARAM_WAITS,
    PARAMS_END,
};

#define NODE                                                                                                 \
    {                                                                                                        \
        "NODE", "name", CTL_TEXT, true, NULL, "Name of the node."                                            \
    }

const struct ctl_param node_name_params[] = {NODE, PARAMS_END};
const struct ctl_param node_add_params[] = {
    {"NODE", "name", CTL_TEXT, true, NULL, "Host name, full domain name, DNS-SRV name or IPv4 address."},
    {"--capacity", "capacity", CTL_NUMBER, false, "USERS",
     "Users that it carries, those of its peer included; 0 = the cluster's default."},
    PARAM_DRY,
    PARAM_WAITS,
    PARAMS_END,
};
const struct ctl_param node_set_params[] = {
    NODE,
    {"--capacity", "capacity", CTL_NUMBER, false, "USERS",
     "Users that it carries, until the node itself says another number (node.capacity)."},
    {"--publisher", "publisher", CTL_SET, false, NULL,
     "Its file is the source of the cluster's settings from now on."},
    PARAM_DRY,
    PARAM_WAITS,
    PARAMS_END,
};
const struct ctl_param node_place_params[] = {
    NODE,
    {"SUBCLUSTER", "subcluster", CTL_TEXT, true, NULL, "Name of the subcluster."},
    {"--slot", "slot", CTL_NUMBER, false, "0|1", "First or second node of it (default: the free one)."},
    PARAM_FORCE,
    PARAM_YES,
    PARAM_DRY,
    PARAM_WAITS,
    PARAMS_END,
};
const struct ctl_param node_change_params[] = {NODE,      PARAM_FORCE, PARAM_YES,
                                               PARAM_DRY, PARAM_WAITS, PARAMS_END};

#define SUBCLUSTER                                                                                           \
    {                                                                                                        \
        "SUBCLUSTER", "name", CTL_TEXT, true, NULL, "Name of the subcluster."                                \
    }
#define SUBCLUSTER_OPTIONS                                                                                   \
    {"--mode",                                                                                               \
     "mode",                                                                                                 \
     CTL_TEXT,                                                                                               \
     false,                                                                                                  \
     "inherit|balanced|active-standby|none",                                                                 \
     "How users are assigned to its nodes (default: as cluster.assignment.mode says)."},                     \
        {"--service-a",                                                                                      \
         "service_a",                                                                                        \
         CTL_TEXT,                                                                                           \
         false,                                                                                              \
         "ADDRESSES",                                                                                        \
         "Addresses with prefix that clients of the first node know; its peer takes them over."},            \
    {                                                                                                        \
        "--service-b", "service_b", CTL_TEXT, false, "ADDRESSES", "The same of the second node."             \
    }

const struct ctl_param subcluster_name_params[] = {SUBCLUSTER, PARAMS_END};
const struct ctl_param subcluster_add_params[] = {SUBCLUSTER, SUBCLUSTER_OPTIONS, PARAM_DRY, PARAM_WAITS,
                                                  PARAMS_END};
const struct ctl_param subcluster_set_params[] = {
    SUBCLUSTER,
    {"--ha", "ha", CTL_TRUTH, false, "true|false",
     "High availability: each node takes over the users of the other."},
    SUBCLUSTER_OPTIONS,
    PARAM_FORCE,
    PARAM_YES,
    PARAM_DRY,
    PARAM_WAITS,
    PARAMS_END,
};
const struct ctl_param subcluster_remove_params[] = {SUBCLUSTER, PARAM_YES, PARAM_DRY, PARAM_WAITS,
                                                     PARAMS_END};
