/* SPDX-License-Identifier: BSD-2-Clause */
/* The one table of commands. */
#include "ctl/params.h"
#include "ctl/show.h"

#define END                                                                                                  \
    {                                                                                                        \
        NULL                                                                                                 \
    }
const struct ctl_param ctl_global_params[] = {
    {"--socket", NULL, CTL_TEXT, false, "PATH",
     "Socket of the control plane (default " CTL_SOCKET ", or $HGCTL_SOCKET)."},
    {"--timeout", NULL, CTL_REAL, false, "SECONDS", "How long to wait for each answer (default 10)."},
    {"--json", NULL, CTL_SET, false, NULL, "Print results as JSON, one object a line."},
    {"--quiet", NULL, CTL_SET, false, NULL, "No progress on the terminal."},
    {"--help", NULL, CTL_SET, false, NULL, "Help, also behind a command."},
    {"--version", NULL, CTL_SET, false, NULL, "Version of hgctl."},
    END,
};

static const struct ctl_param drain_params[] = {
    {"--retry-after", "retry_after_s", CTL_NUMBER, false, "SECONDS",
     "Retry-After of the refusals (default: configured)."},
    {"--wait", "wait", CTL_SET, false, NULL, "Return when no transaction is left."},
    END,
};
static const struct ctl_param counters_params[] = {
    {"PATTERN", "match", CTL_TEXT, false, NULL, "Names, with * and ?."},
    {"--per-core", "per_core", CTL_SET, false, NULL, "The value of each core as well."},
    {"--zero", "zero", CTL_SET, false, NULL, "Also those that are zero."},
    {"--watch", "watch", CTL_SET, false, NULL, "Go on until interrupted, with changes per second."},
    {"--interval", "interval_ms", CTL_NUMBER, false, "MS",
     "Time between two samples of a watch (default 1000)."},
    END,
};
static const struct ctl_param config_check_params[] = {
    {"FILE", "-file", CTL_TEXT, false, NULL, "The file (default " CTL_CONFIG ")."},
    END,
};
static const struct ctl_param config_show_params[] = {
    {"PATTERN", "match", CTL_TEXT, false, NULL, "Paths of items, with * and ?."},
    {"--changed", "changed", CTL_SET, false, NULL, "Only what differs from its default."},
    END,
};
static const struct ctl_param route_list_params[] = {
    {"PATTERN", "match", CTL_TEXT, false, NULL, "Names of routes, with * and ?."},
    {"--source", "source", CTL_TEXT, false, "file|admin", "Only those of the file, or of administrators."},
    {"--state", "state", CTL_TEXT, false, "in_service|out_of_service|blocked", "Only those in this state."},
    END,
};
#define ROUTE_OPTIONS                                                                                          \
    {"--pattern", "route/pattern", CTL_TEXT, false, "PATTERN", "Destination pattern."},                        \
        {"--next-hop", "route/next_hop", CTL_TEXT, false, "HOST", "Address, host name or DNS-SRV name."},      \
        {"--port", "route/port", CTL_NUMBER,                                                                   \
         false,    "PORT",       "Port of the next hop; 0 = DNS SRV (default 5060)."},                         \
        {"--type", "route/type",  CTL_TEXT,                                                                    \
         false,    "user|domain", "What the pattern is compared with (default user)."},                        \
        {"--protocol", "route/protocol", CTL_TEXT, false, "udp|tcp|tls", "Transport (default tcp)."},          \
        {"--priority", "route/priority", CTL_NUMBER, false, "N", "1-65535, lower first (default 1)."},         \
        {"--weight", "route/weight", CTL_NUMBER, false, "N", "1-65535, share within a priority (default 1)."}, \
        {"--description", "route/description", CTL_TEXT, false, "TEXT", "For people, at most 255 bytes."},     \
        {"--less-specific", "route/less_specific",                                                             \
         CTL_TRUTH,         false,                                                                             \
         "true|false",      "Allow a less specific route after this one (default true)."},                     \
        {"--in-service", "route/in_service", CTL_TRUTH,                                                        \
         false,          "true|false",       "Take part in routing (default true)."},                          \
        {"--block", "route/block", CTL_TRUTH, false, "true|false", "Refuse what matches (default false)."},    \
        {"--stateful", "route/stateful", CTL_TRUTH,                                                            \
         false,        "true|false",     "Transaction-stateful (default true)."},                              \
    {                                                                                                          \
        "--parallel", "route/parallel", CTL_TRUTH, false, "true|false",                                        \
            "All of one priority at once (default false)."                                                     \
    }
static const struct ctl_param route_add_params[] = {
    {"NAME", "route/name", CTL_TEXT, true, NULL, "Name of the route."},
    {"PATTERN", "route/pattern", CTL_TEXT, false, NULL,
     "Destination pattern: . one character, * many, \\* an asterisk."},
    {"NEXT_HOP", "route/next_hop", CTL_TEXT, false, NULL, "Address, host name or DNS-SRV name."},
    ROUTE_OPTIONS,
    PARAM_WAITS,
    END,
};
static const struct ctl_param route_set_params[] = {
    {"NAME", "name", CTL_TEXT, true, NULL, "Name of the route."},
    ROUTE_OPTIONS,
    PARAM_WAITS,
    END,
};
static const struct ctl_param route_remove_params[] = {
    {"NAME", "name", CTL_TEXT, true, NULL, "Name of the route."},
    PARAM_WAITS,
    END,
};
static const struct ctl_param explain_params[] = {
    {"URI", "uri", CTL_TEXT, true, NULL,
     "A SIP URI, such as sip:19194762030@example.com, or tel:+19194762030."},
    END,
};
#define CONNECTION_FILTERS                                                                                   \
    {"--address", "address", CTL_TEXT,                                                                       \
     false,       "NETWORK", "Whose other end is this address, or in this network."},                        \
        {"--state", "state", CTL_TEXT,                                                                       \
         false,     "STATE", "In this state: established, close_wait, fin_wait_2, ..."},                     \
        {"--listener", "listener", CTL_TEXT, false, "IP:PORT", "Accepted by this listener."},                \
    {                                                                                                        \
        "--id", "id", CTL_TEXT, false, "ID", "This one, as the list shows it."                               \
    }
static const struct ctl_param connections_params[] = {
    CONNECTION_FILTERS,
    {"--limit", "limit", CTL_NUMBER, false, "N", "So many at most (default 1000, at most 100000)."},
    END,
};
static const struct ctl_param connections_close_params[] = {
    CONNECTION_FILTERS,
    END,
};
static const struct ctl_param trace_params[] = {
    {"--method", "method", CTL_TEXT, false, "METHOD", "Only this method, and responses to it."},
    {"--from", "from", CTL_TEXT, false, "TEXT", "What From contains."},
    {"--to", "to", CTL_TEXT, false, "TEXT", "What To contains."},
    {"--uri", "uri", CTL_TEXT, false, "TEXT", "What the request URI contains."},
    {"--call-id", "call_id", CTL_TEXT, false, "TEXT", "What Call-ID contains."},
    {"--address", "address", CTL_TEXT, false, "NETWORK", "Only from or to this address or network."},
    {"--count", "count", CTL_NUMBER, false, "N", "End after so many messages (default 10, at most 1000)."},
    {"--seconds", "seconds", CTL_NUMBER, false, "N", "End after this time (default 60, at most 3600)."},
    {"--rate", "rate", CTL_NUMBER, false, "N", "Messages a second at most (default 50)."},
    {"--pcap", "-pcap", CTL_TEXT, false, "FILE",
     "Write a capture file; its IP and UDP headers are made up from the addresses."},
    END,
};
static const struct ctl_param backup_params[] = {
    {"FILE", "-file", CTL_TEXT, true, NULL, "Where to."},
    END,
};
static const struct ctl_param restore_params[] = {
    {"FILE", "-file", CTL_TEXT, true, NULL, "What hgctl backup wrote."},
    {"--force", "-force", CTL_SET, false, NULL,
     "Replace what the record has: what the file does not have goes out."},
    PARAM_YES,
    PARAM_DRY,
    END,
};
static const struct ctl_param help_params[] = {
    {"COMMAND", "-command", CTL_TEXT, false, NULL, "A command, or the first word of several."},
    {"SUBCOMMAND", "-subcommand", CTL_TEXT, false, NULL, "Its second word."},
    END,
};

const struct ctl_command ctl_commands[] = {
    {"status", "status", NULL, "Whether the node is ready, and what it is made of",
     "The exit status is 0 when the node is ready for traffic and 4 when it is not.", show_status, NULL},
    {"drain", "drain", drain_params, "Refuse new requests with 503 and finish the others",
     "Transactions that are under way go on; `hgctl undrain` takes requests again.", show_drain, NULL},
    {"undrain", "undrain", NULL, "Take requests again", NULL, show_drain, NULL},
    {"counters", "counters", counters_params, "Counters, summed over the cores",
     "docs/counters.md says what each one counts.", NULL, run_counters},
    {"config check", NULL, config_check_params, "Check a configuration file; asks no server",
     "Prints every error at once, each with file, line and the expected form. Exit status 1 if there is any; "
     "warnings are for their reader and change nothing of that.",
     NULL, run_config_check},
    {"config show", "config.show", config_show_params, "The configuration that runs", "Secrets are masked.",
     show_config, NULL},
    {"config diff", "config.diff", NULL, "Where the file differs from what runs", NULL, show_config_diff,
     NULL},
    {"config save", "config.save", NULL, "Write what runs into the file",
     "Comments are lost; the file that was there is kept beside it.", show_saved, NULL},
    {"config reload", "config.reload", NULL, "Read the file again and apply what a reload can",
     "A file with any error changes nothing.", show_reload, NULL},
    {"set", "config.set", config_set_params, "Change an item of cluster{} on every node",
     "The record has it at once; hgctl config diff shows where the file says something else, hgctl config "
     "save writes it.",
     show_set, NULL},
    {"route list", "route.list", route_list_params, "Static routes with their state and counters", NULL, NULL,
     run_route_list},
    {"route add", "route.add", route_add_params, "Add a static route to the cluster's record",
     "Returns when the record has it and every core routes by it.", show_route, NULL},
    {"route set", "route.set", route_set_params, "Change a route of the record",
     "What is not given stays as it was.", show_route, NULL},
    {"route remove", "route.remove", route_remove_params, "Remove a route of the record", NULL, show_removed,
     NULL},
    {"route explain", "route.explain", explain_params, "Which route a URI takes, and why not each other one",
     NULL, show_explain, NULL},
    {"node list", "node.list", NULL, "The nodes of the cluster, and what is not as it should be", NULL,
     show_nodes, NULL},
    {"node show", "node.show", node_name_params, "One node, and what may be done with it now", NULL,
     show_node, NULL},
    {"node add", "node.add", node_add_params, "Make a node known before it is installed",
     "A node that starts makes itself known; this is for logical nodes that hold a place.", show_node,
     run_confirmed},
    {"node set", "node.set", node_set_params, "Change a node's capacity, or make it the publisher", NULL,
     show_node, run_confirmed},
    {"node remove", "node.remove", node_change_params, "Forget a node that has no users", NULL, show_node,
     run_confirmed},
    {"node assign", "node.assign", node_place_params, "Put a node into a subcluster",
     "The order is: add the subcluster, add the node, install it, assign it, switch high availability on, "
     "assign users.",
     show_node, run_confirmed},
    {"node unassign", "node.unassign", node_change_params, "Take a node out of its subcluster",
     "Its users go first, and high availability is switched off.", show_node, run_confirmed},
    {"node move", "node.move", node_place_params, "Put a node into another subcluster or slot", NULL,
     show_node, run_confirmed},
    {"node ping", "node.ping", node_name_params, "Whether a node answers, by both networks, and how fast",
     "The exit status is 1 when it does not.", show_ping, NULL},
    {"subcluster list", "subcluster.list", NULL, "Subclusters with their nodes", NULL, show_subclusters,
     NULL},
    {"subcluster show", "subcluster.show", subcluster_name_params, "One subcluster and its nodes", NULL,
     show_subcluster, NULL},
    {"subcluster add", "subcluster.add", subcluster_add_params, "Make a subcluster", NULL, show_subcluster,
     run_confirmed},
    {"subcluster set", "subcluster.set", subcluster_set_params,
     "Change high availability, mode or service addresses of a subcluster", NULL, show_subcluster,
     run_confirmed},
    {"subcluster remove", "subcluster.remove", subcluster_remove_params, "Forget a subcluster without nodes",
     NULL, show_subcluster, run_confirmed},
    {"ha status", "ha.status", ha_status_params, "Every pair with its states, and what this node sees",
     "States and reasons stand in docs/ha.md.", show_ha_status, run_ha_status},
    {"ha enable", "subcluster.set", ha_subcluster_params, "Switch high availability of a subcluster on",
     "Its two nodes watch each other from then on. Returns when both managers run.", show_subcluster,
     run_ha_enable},
    {"ha disable", "subcluster.set", ha_subcluster_params, "Switch high availability of a subcluster off",
     "Two standalone nodes; users that are served by the peer of their node stay with it for good.",
     show_subcluster, run_ha_disable},
    {"ha failover", "ha.failover", ha_node_params, "Have the peer take over the users of a node",
     "Offered for a node in Normal. Any node accepts it. Returns when the peer has all of them.",
     show_ha_command, run_decided},
    {"ha fallback", "ha.fallback", ha_node_params, "Give a node its users back",
     "Offered for a node that is Idle or Failed Over. Any node accepts it. Returns when it has all of them.",
     show_ha_command, run_confirmed},
    {"ha recover", "ha.recover", ha_node_params, "Start both managers of a pair anew",
     "Offered when both nodes are in Running in Failed Mode. Any node accepts it.", show_ha_command,
     run_confirmed},
    {"alarm list", "alarm.list", NULL, "The alarms of this node", NULL, show_alarms, NULL},
    {"event", "event.list", event_params, "What happened, of all nodes, as the record has it", NULL, NULL,
     run_events},
    {"troubleshoot", "troubleshoot", NULL, "Checks of node and cluster, each with what to do",
     "OK is as it should be, ADVICE works and could be better, BAD does not work or may be lost. The exit "
     "status is 4 "
     "when something is BAD, and 0 otherwise.",
     show_troubleshoot, NULL},
    {"user list", "user.list", user_list_params, "Users, their homes and contacts", NULL, NULL,
     run_user_list},
    {"user find", "user.find", user_params, "Where a user is served", NULL, show_user, NULL},
    {"user add", "user.add", user_add_params, "Make a user known",
     "Without --node the mode of the cluster chooses the home: equally over all nodes, the first node of "
     "each subcluster, or none. %-escapes of the name are undone; blanks and characters that nobody sees are "
     "refused.",
     show_user, NULL},
    {"user set", "user.set", user_set_params, "Change a user's home or contacts, or make the user known",
     "What is not given stays as it was.", show_user, NULL},
    {"user remove", "user.remove", user_remove_params, "Forget a user", NULL, show_removed, NULL},
    {"user assign", "user.assign", user_assign_params, "Give many users another home",
     "Automatic targets level the load; as many users as possible stay where they are, those with contacts "
     "first.",
     show_assigned, run_confirmed},
    {"user rebalance", "user.rebalance", user_rebalance_params,
     "Spread all users anew by the mode of the cluster",
     "Users of nodes in failover stay, unassigned ones stay unassigned.", show_assigned, run_confirmed},
    {"user import", "user.import", user_import_params, "Users from a file of comma separated values",
     "user,node,contact,contact...: an empty node leaves the home as it is and lets new users be assigned; - "
     "is none. What is wrong is told line by line, and the exit status is 1 then; the other lines are "
     "written. "
     "A file that is no table of users is not read any further.",
     NULL, run_user_import},
    {"user export", "user.list", user_export_params, "Users into a file of comma separated values", NULL,
     NULL, run_user_export},
    {"whatif fail", "whatif.fail", whatif_fail_params, "Who would serve whom if a node failed now", NULL,
     show_whatif_fail, NULL},
    {"whatif rebalance", "user.rebalance", NULL, "What user rebalance would do", NULL, show_assigned,
     run_whatif_rebalance},
    {"backup", NULL, backup_params, "The whole record into a file",
     "Lines of JSON with a checksum. What changes meanwhile is in it as it was before or after.", NULL,
     run_backup},
    {"restore", NULL, restore_params, "The record from a file",
     "The file is checked whole before anything is written. Refused when the record has subclusters, routes "
     "or users already, unless --force replaces them. Where the file is of another record or of other nodes, "
     "where "
     "high availability is on, and where entries go out, it asks first, or wants --yes.",
     NULL, run_restore},
    {"core list", "core.list", NULL, "The cores of the dataplane", NULL, show_cores, NULL},
    {"hop list", "hop.list", NULL, "Next hops with their health and counters", NULL, show_hops, NULL},
    {"connections close", "connection.close", connections_close_params, "End connections that match",
     "They are reset at once: both ends are told. At least one of the options has to be given, and all that "
     "are "
     "given must match. Half-open connections and those in TIME-WAIT are not among them.",
     show_connections, NULL},
    {"connections", "connection.list", connections_params,
     "Connections of TCP, with what is under way on them",
     "All that is given must match. Half-open connections and those in TIME-WAIT are counted only "
     "(hgctl counters).",
     show_connections, NULL},
    {"tls show", "tls.show", NULL, "The certificates that are in force", NULL, show_tls, NULL},
    {"tls reload", "tls.reload", NULL, "Read certificates, keys and trust again",
     "Files that change are read again within seconds anyway. Open connections go on; when a file is no "
     "good, "
     "what was read before stays in force.",
     show_tls, NULL},
    {"trace", "trace", trace_params, "Show a few matching messages as they pass",
     "All that is given must match. One trace runs at a time; what is over the rate is held back and "
     "counted.",
     NULL, run_trace},
    {"version", "version", NULL, "Versions of hgctl, control plane and dataplane", NULL, show_version, NULL},
    {"help", NULL, help_params, "Help on a command", NULL, NULL, run_help},
};
const unsigned ctl_commands_n = sizeof(ctl_commands) / sizeof(ctl_commands[0]);
