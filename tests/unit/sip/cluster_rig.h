/* SPDX-License-Identifier: BSD-2-Clause */
/* The proxy of node 1 of a cluster: node 2 is the other one of its pair, node 3 stands in another subcluster;
 * each is the home of a user, and the test holds the lease. */
#ifndef TESTS_CLUSTER_RIG_H
#define TESTS_CLUSTER_RIG_H

#include "proxy_rig.h"

#define PEER    BOB   /* node 2 */
#define OTHER   CAROL /* node 3 */
#define PHONE   "10.0.0.40:5062"
#define DESK    "10.0.0.41:5060"
#define SERVICE "10.0.0.100"

extern _Atomic uint64_t cluster_lease; /* serve_until */

/* Users ours@, peers@ and others@example.com; extra as of rig_open. */
void cluster_open(unsigned cores, const char *extra);
/* The user's only contact. */
void cluster_phone(const char *user);
const char *cluster_registration(const char *user, const char *id);

#endif
