/* SPDX-License-Identifier: BSD-2-Clause */
/* One simulated pair for tests that bring about what they want by themselves. Every step fails the test when
 * two nodes act for one user. */
#ifndef TESTS_SIM_PAIR_RIG_H
#define TESTS_SIM_PAIR_RIG_H

#include "pair_impl.h"

extern struct pair *w;
extern struct pair_result result;

/* High availability is on, both in Normal; no automatic fallback. */
void open_as(enum pair_profile profile);
int end(void **state);

struct srm_status status(unsigned node);
enum srm_row row(void);
void pass(uint64_t ns);
void await(enum srm_row wanted, uint64_t limit); /* until the row is there, `limit` at most */
void serves(unsigned node0, unsigned node1);     /* bits of home slots */

void command(unsigned node, enum srm_command what, unsigned slot);
void restart(unsigned node); /* the control plane */
void kill_both(unsigned node);
void power_on(unsigned node);
void cut_wire(bool cut); /* every way between the two */

#endif
