/* SPDX-License-Identifier: BSD-2-Clause */
/* Every rule of topology/rules.def: a command that breaks it, and one beside it that does not; by noun in
 * test_rules_*.c, run by test_rules.c. */
#ifndef TEST_TOPOLOGY_RULES_RIG_H
#define TEST_TOPOLOGY_RULES_RIG_H

#include "world.h"

extern struct world x;
extern bool reached[RULES];

/* The findings of a command have the rule, or not. */
void expect(enum rule_id rule, bool there);
void begin(void);

/* test_rules_nodes.c */
void nothing_is_wrong_with_a_good_name(void **state);
void names_B02_B03_B04_B07_A09(void **state);
void limits_A01_A05(void **state);
void removal_A06_A15(void **state);
void unassigning_A12_A15(void **state);
void moving_A14(void **state);
void assigning_A02_A12_A18_A19(void **state);
void capacity_of_its_own_C23(void **state);
/* test_rules_subclusters.c */
void subclusters_A08(void **state);
void ha_on_D03_D04_D05_A03_D35(void **state);
void ha_off_D08_D09_D10(void **state);
/* test_rules_users.c */
void targets_C14_C20(void **state);
void capacity_C22_C23(void **state);
void moves_A30_C12_C13_C18_C19(void **state);

#endif
