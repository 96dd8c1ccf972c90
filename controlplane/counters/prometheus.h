/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters in Prometheus' text format (version 0.0.4). */
#ifndef CONTROLPLANE_COUNTERS_PROMETHEUS_H
#define CONTROLPLANE_COUNTERS_PROMETHEUS_H

#include <stdio.h>

struct controlplane;
struct hg_segment;

#define PROMETHEUS_ROUTES 2000 /* series of routes at most, those with traffic first in order of slots */

void prometheus_write(struct controlplane *cp, FILE *out);
/* Counters and histograms of a segment alone. */
void prometheus_segment(const struct hg_segment *s, FILE *out);
/* A label's value with what the format wants escaped. */
void prometheus_label(FILE *out, const char *text);

#endif
