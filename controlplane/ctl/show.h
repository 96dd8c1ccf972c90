/* SPDX-License-Identifier: BSD-2-Clause */
/* The results of commands, for people (show_*.c), and the commands that are more than one request. */
#ifndef HG_CTL_SHOW_H
#define HG_CTL_SHOW_H

#include "ctl/ctl.h"

int show_status(struct ctl *ctl, json_t *result);
int show_version(struct ctl *ctl, json_t *result);
int show_drain(struct ctl *ctl, json_t *result);
int show_tls(struct ctl *ctl, json_t *result);
int show_cores(struct ctl *ctl, json_t *result);
int show_connections(struct ctl *ctl, json_t *result);
int show_hops(struct ctl *ctl, json_t *result);
int show_config(struct ctl *ctl, json_t *result);
int show_set(struct ctl *ctl, json_t *result);
int show_saved(struct ctl *ctl, json_t *result);
int show_config_diff(struct ctl *ctl, json_t *result);
int show_reload(struct ctl *ctl, json_t *result);
int show_route(struct ctl *ctl, json_t *result);
int show_removed(struct ctl *ctl, json_t *result);
int show_explain(struct ctl *ctl, json_t *result);
int show_user(struct ctl *ctl, json_t *result);
int show_nodes(struct ctl *ctl, json_t *result);
int show_node(struct ctl *ctl, json_t *result);
int show_subclusters(struct ctl *ctl, json_t *result);
int show_subcluster(struct ctl *ctl, json_t *result);
/* Somebody sits there and wants to see progress. */
bool show_terminal(const struct ctl *ctl);
/* Asks whether to go on. */
bool show_agreed(struct ctl *ctl);
/* Findings of rules, to the error output. */
void show_warnings(struct ctl *ctl, json_t *findings);
int show_assigned(struct ctl *ctl, json_t *result);
int show_whatif_fail(struct ctl *ctl, json_t *result);
int run_whatif_rebalance(struct ctl *ctl);
int run_user_import(struct ctl *ctl);
int run_user_export(struct ctl *ctl);
int run_confirmed(struct ctl *ctl);
int run_decided(
    struct ctl *ctl); /* the same, and refused where nobody can be asked and --yes does not stand */
int show_ha_status(struct ctl *ctl, json_t *result);
int show_ha_command(struct ctl *ctl, json_t *result);
int show_alarms(struct ctl *ctl, json_t *result);
int show_troubleshoot(struct ctl *ctl, json_t *result);
int show_ping(struct ctl *ctl, json_t *result);
int run_ha_status(struct ctl *ctl);
int run_ha_enable(struct ctl *ctl);
int run_ha_disable(struct ctl *ctl);
int run_events(struct ctl *ctl);
int run_counters(struct ctl *ctl);
int run_config_check(struct ctl *ctl);
int run_route_list(struct ctl *ctl);
int run_user_list(struct ctl *ctl);
int run_trace(struct ctl *ctl);
int run_backup(struct ctl *ctl);
int run_restore(struct ctl *ctl);
int run_help(struct ctl *ctl);

#endif
