/* SPDX-License-Identifier: BSD-2-Clause */
/* What a core tells the control plane: records into its up ring. Logs are rate-limited per id, so no packet
 * can flood them; a full ring never blocks: logs and traces are dropped (up_full), news that matter are
 * offered again. */
#ifndef LIB_LOG_OUT_H
#define LIB_LOG_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/log.h"
#include "hg/records.h"
#include "hg/slice.h"
#include "lib/ctx.h"

struct hg_segment;

/* Off the hot path, before the loop; the result belongs into ctx->log. 0: no memory or no ring. */
struct log_out *log_out_create(const struct hg_segment *segment, unsigned core);
/* Without a segment (tests, benchmarks): everything is counted and dropped. */
struct log_out *log_out_create_null(void);
void log_out_destroy(struct log_out *log);

/* Arguments may hold any bytes: they are cut to HG_LOG_ARG_MAX and escaped here. Never bodies or credentials.
 */
void log_event(struct ctx *c, enum hg_log_id id, unsigned nargs, const struct slice *args);
/* The usual cases; they format only what passes the rate limit. */
void log_endpoint(struct ctx *c, enum hg_log_id id, const struct hg_endpoint *ep);
void log_ip(struct ctx *c, enum hg_log_id id, const struct hg_ip *ip);
void log_number(struct ctx *c, enum hg_log_id id, uint64_t a);
void log_numbers(struct ctx *c, enum hg_log_id id, uint64_t a, uint64_t b);
void log_endpoint_numbers(struct ctx *c, enum hg_log_id id, const struct hg_endpoint *ep, uint64_t a,
                          uint64_t b);

/* Records other than logs: r->type is set by the caller, version, length and seq here. false: ring full. */
bool log_record(struct ctx *c, struct hg_record *r, uint32_t length);
bool log_hop_state(struct ctx *c, uint16_t hop_slot, uint8_t state, const struct hg_endpoint *ep);

/* ---- trace ---- */
/* The filter in force, 0 when nothing is traced: one load on the hot path. What matches is the protocol's
 * business. */
const struct hg_down_trace *log_trace_filter(const struct ctx *c);
/* Copies the message up, cut and rate-limited; switches the filter off when its count or time is over. */
void log_trace(struct ctx *c, const struct hg_endpoint *src, const struct hg_endpoint *dst, bool outgoing,
               struct slice message);
/* For feed: a new filter (checked by it), on == 0 ends. */
void log_trace_set(struct ctx *c, const struct hg_down_trace *filter);
/* Now and then: ends a trace whose time is over. */
void log_trace_expire(struct ctx *c);

#endif
