/* SPDX-License-Identifier: BSD-2-Clause */
/* What the dataplane tells, and what follows from it. */
#ifndef CONTROLPLANE_LIFE_EVENTS_H
#define CONTROLPLANE_LIFE_EVENTS_H

#include "feed/feed.h"
#include "log/alarms.h"

struct controlplane;

extern const struct feed_handlers events_handlers; /* ctx: struct controlplane */
/* For struct alarms: news of one. arg: struct controlplane */
void events_alarm(void *arg, enum alarm_id id);
/* Once a second: alarms about cores and dataplane. */
void events_second(struct controlplane *cp);

#endif
