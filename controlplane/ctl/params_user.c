/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/params.h"

#define USER                                                                                                 \
    {                                                                                                        \
        "USER", "user", CTL_TEXT, true, NULL, "user@domain"                                                  \
    }
#define CONTACT                                                                                              \
    {                                                                                                        \
        "--contact", "contacts+", CTL_TEXT, false, "URI",                                                    \
            "Where requests for the user go, such as sip:bob@192.0.2.7;q=0.5; may be given several times."   \
    }

const struct ctl_param user_params[] = {USER, PARAMS_END};
const struct ctl_param user_add_params[] = {
    USER,
    {"--node", "node", CTL_TEXT, false, "NODE",
     "Home of the user, or - for none (default: by the mode of the cluster)."},
    CONTACT,
    PARAM_FORCE,
    PARAM_WAITS,
    PARAMS_END,
};
const struct ctl_param user_set_params[] = {
    USER,        {"NODE", "node", CTL_TEXT, false, NULL, "Home of the user, or - for none."},
    CONTACT,     {"--no-contact", "contacts", CTL_NONE, false, NULL, "Take the contacts away."},
    PARAM_FORCE, PARAM_WAITS,
    PARAMS_END,
};
const struct ctl_param user_remove_params[] = {USER, PARAM_WAITS, PARAMS_END};
const struct ctl_param user_list_params[] = {
    {"PATTERN", "match", CTL_TEXT, false, NULL, "Users, with * and ?."},
    {"--limit", "limit", CTL_NUMBER, false, "N", "At most so many (default 100)."},
    {"--after", "after", CTL_TEXT, false, "USER", "Begin behind this user."},
    {"--node", "node", CTL_TEXT, false, "NODE", "Only those of this home; - for the unassigned ones."},
    {"--all", "-all", CTL_SET, false, NULL, "Page after page, all of them."},
    PARAMS_END,
};

#define TO                                                                                                   \
    {                                                                                                        \
        "--to", "to", CTL_TEXT, false, "TARGET", "A node, a subcluster, all (subclusters) or nothing."       \
    }

const struct ctl_param user_assign_params[] = {
    {"PATTERN", "match", CTL_TEXT, false, NULL, "Users, with * and ?."},
    TO,
    {"--from", "from", CTL_TEXT, false, "NODE", "Those of this home; nothing for the unassigned ones."},
    {"--all", "all", CTL_SET, false, NULL, "Everybody."},
    PARAM_FORCE,
    PARAM_YES,
    PARAM_DRY,
    PARAM_WAITS,
    PARAMS_END,
};
const struct ctl_param user_rebalance_params[] = {PARAM_FORCE, PARAM_YES, PARAM_DRY, PARAM_WAITS, PARAMS_END};
const struct ctl_param user_import_params[] = {
    {"FILE", "-file", CTL_TEXT, true, NULL, "Lines of user,node,contact,...; - for the standard input."},
    {"--to", "to", CTL_TEXT, false, "TARGET",
     "Where new users without a node go: a node, a subcluster, all (default) or nothing."},
    {"--all-or-nothing", "all_or_nothing", CTL_SET, false, NULL, "One wrong row, and nothing is written."},
    PARAM_FORCE,
    PARAM_DRY,
    PARAM_WAITS,
    PARAMS_END,
};
const struct ctl_param user_export_params[] = {
    {"FILE", "-file", CTL_TEXT, false, NULL, "The file to write (default: standard output)."},
    {"--node", "node", CTL_TEXT, false, "NODE", "Only those of this home; - for the unassigned ones."},
    {"--match", "match", CTL_TEXT, false, "PATTERN", "Only these users, with * and ?."},
    PARAMS_END,
};
const struct ctl_param whatif_fail_params[] = {
    {"NODE", "node", CTL_TEXT, true, NULL, "Name of the node."},
    PARAMS_END,
};
