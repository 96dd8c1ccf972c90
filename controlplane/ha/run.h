/* SPDX-License-Identifier: BSD-2-Clause */
/* High availability of this node in the running control plane: gives the pure manager (srm.h) its events,
 * does what its actions say. Files: run.c life and events, run_pair.c whether there is a pair, run_actions.c
 * actions, run_serving.c the map that the cores get, lease_write.c the lease in the segment, run_watch.c
 * critical services, run_hears.c whether the service network is heard, run_ways.c the other nodes, run_say.c
 * logs and alarms, run_look.c what administrators see, run_orders.c commands for other pairs, run_copy.c the
 * copy for a start without Redis, run_entry.c what is written over the ownership by hand. */
#ifndef CONTROLPLANE_HA_RUN_H
#define CONTROLPLANE_HA_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "ha/orders.h"
#include "ha/services.h"
#include "ha/srm.h"
#include "hg/endpoint.h"
#include "hg/slice.h"
#include "impl/segment.h"
#include "store/record.h"

struct controlplane;
struct ha;
struct hg_config;

/* After feed, record and topology were created. NULL with a message in why. */
struct ha *ha_create(struct controlplane *cp, char *why, unsigned size);
/* While the loop still turns. Says good-bye to the peer when the whole node ends. */
void ha_stop(struct ha *ha);
void ha_free(struct ha *ha);

/* ---- what happened ---- */
void ha_load_begin(struct ha *ha);
/* An entry of RECORD_HA, while loading or later. false: it cannot be used. */
bool ha_entry(struct ha *ha, enum record_op op, struct slice subcluster, struct slice value,
              struct record_version version);
/* The load cannot read that table. */
void ha_entries_skipped(struct ha *ha);
/* Nodes, subclusters and RECORD_HA were read whole, whatever else is still to come: the manager may start.
 * May be called more than once in a load. */
void ha_tables_loaded(struct ha *ha);
void ha_topology_changed(struct ha *ha);
void ha_record_state(struct ha *ha, enum record_state state);
void ha_attached(struct ha *ha, const struct hg_segment *segment);
void ha_detached(struct ha *ha);
void ha_datagram(struct ha *ha, const void *data, uint32_t length);
void ha_turn(struct ha *ha);
void ha_second(struct ha *ha);

/* ---- for administrators ---- */
struct ha_pair_view {
    bool managed; /* this node runs a manager for its subcluster */
    struct srm_status status;
    uint16_t node[SRM_SLOTS];
    const char *subcluster;
    uint64_t lease_left_ns; /* UINT64_MAX: no deadline */
};
void ha_look(const struct ha *ha, struct ha_pair_view *out);
const struct services *ha_services(const struct ha *ha);
uint64_t ha_now(const struct ha *ha);
/* The entry of a subcluster as the record has it; NULL: none. */
const struct srm_entry *ha_entry_of(const struct ha *ha, const char *subcluster);
/* The entry cannot be understood; ha_entry_of() is the last that could, if any. */
bool ha_is_broken(const struct ha *ha, const char *subcluster);
const char *ha_broken(const struct ha *ha); /* the first such subcluster; NULL: none */
/* Of a node as this one sees it; own manager's word where it has one. */
enum srm_state ha_state_of(const struct ha *ha, uint16_t node, enum srm_reason *reason);
/* Who serves the users of a home node, as told to the cores; 0 = nobody. */
uint16_t ha_serving(const struct ha *ha, uint16_t home);
/* What a node told with its last heartbeat; of this node what it would tell. */
struct ha_told {
    bool record;                   /* it follows the record */
    uint8_t load;                  /* of its cores, percent */
    uint64_t services, watched;    /* bit per critical service */
    uint64_t unresolved;           /* bit per index of a node: its name does not resolve there */
    struct record_version applied; /* of the record: in force on every core */
};
/* false: not heard lately. */
bool ha_told_by(const struct ha *ha, uint16_t node, struct ha_told *out);
/* The name of a critical service other than the record that does not run there; NULL: all do. One that is
 * relative counts while the peer has it. */
const char *ha_told_outage(const struct ha *ha, uint16_t node, const struct ha_told *told);
/* All of them, each with what it is, of this node with why it is down. false: none. */
bool ha_told_down(const struct ha *ha, uint16_t node, char *out, size_t size);
struct srm_params ha_params(const struct hg_config *config);
/* For controlplane.facts_of_ha. */
struct rules_facts;
void ha_facts(struct controlplane *cp, struct rules_facts *out);
/* NULL: done, the manager works on it. Else the rule that forbids it and what would allow it. */
const char *ha_command(struct ha *ha, enum srm_command command, unsigned slot);
const char *ha_refusal(struct ha *ha, enum srm_command command, unsigned slot);

/* ---- for the managers of other nodes (ha/orders.h) ---- */
/* Passes a command on to both nodes of another pair. 0: it cannot be. Else its number, to be given to the two
 * below. */
uint32_t ha_order(struct ha *ha, const uint16_t nodes[SRM_SLOTS], enum srm_command command, uint16_t node);
enum order_state ha_order_state(struct ha *ha, uint32_t id, const char **why);
void ha_order_end(struct ha *ha, uint32_t id);

struct ha_way {
    uint64_t heard_ms; /* ago; UINT64_MAX = never */
    uint64_t rtt_us;   /* 0 = not known */
    uint32_t kbps;
    bool reachable; /* it has an address by this way */
};
/* service: over the service network. false: this node stands alone. */
bool ha_way_to(const struct ha *ha, uint16_t node, bool service, struct ha_way *out);
/* Asks at once (node ping). false: this node stands alone or the node is not known. */
bool ha_ask_now(struct ha *ha, uint16_t node);

#endif
