/* SPDX-License-Identifier: BSD-2-Clause */
/* The certificates of this node, as its dataplane has read them. */
#ifndef CONTROLPLANE_NODE_CERTIFICATES_H
#define CONTROLPLANE_NODE_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

struct alarms;
struct hg_segment;
struct hg_segment_tls;

/* A copy that is whole. false: it is being written without an end. */
bool certificates_read(const struct hg_segment *segment, struct hg_segment_tls *out);
/* Raises and clears the alarms; now: seconds since 1970. Once a second. */
void certificates_watch(struct alarms *alarms, const struct hg_segment *segment, int64_t now);
/* Files are to be read again: what certificates_done() is asked for. */
uint32_t certificates_ask(const struct hg_segment *segment);
bool certificates_done(const struct hg_segment *segment, uint32_t asked);

#endif
