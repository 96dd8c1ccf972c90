/* SPDX-License-Identifier: BSD-2-Clause */
/* The control plane's side of bench_churn, and what a message may be sent to. Everything but churn_expected
 * and churn_judge belongs to one thread. */
#ifndef BENCH_CHURN_H
#define BENCH_CHURN_H

#include <stdbool.h>
#include <stdint.h>

#include "harness_impl.h"

#define CHURN_USERS   1000000u
#define CHURN_ROUTE   CHURN_USERS /* the subject behind the users: one static route */
#define CHURN_STATICS 100000u
#define CHURN_RATE    100000 /* moves of users a second */

struct churn;

void churn_die(const char *what);
/* Gives the harness' core a segment and a feed; nodes and an image are in force when churn_load returns. */
struct churn *churn_open(struct harness *h);
void churn_close(struct churn *c);
/* A new control plane attaches and gives all users; seconds until they are in force. The core turns. */
double churn_load(struct churn *c);
/* Every user to the other node, as fast as the feed takes it; seconds until all are in force. */
double churn_move_all(struct churn *c);
double churn_bytes_per_user(void);
void churn_changes(struct churn *c, bool on);
void churn_turn(struct churn *c);
/* Until everything that was set is in force. */
void churn_settle(struct churn *c);
void churn_counted(const struct churn *c, uint64_t *users, uint64_t *images);

/* ---- the thread with the messages ---- */
/* Node that the subject is on for sure, 1 or 2, or 0; version to be kept for churn_judge. */
uint8_t churn_expected(struct churn *c, uint32_t subject, uint32_t *version);
bool churn_judge(struct churn *c, uint32_t subject, uint32_t version, uint8_t expected, const uint8_t *dst);

#endif
