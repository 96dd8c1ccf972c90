/* SPDX-License-Identifier: BSD-2-Clause */
/* Initial sequence numbers (RFC 6528: a clock of 4 us and a keyed hash of the endpoints) and where the clock
 * of timestamps begins for them (RFC 7323 section 5.4): for the same endpoints always there, so that
 * TIME-WAIT may be taken over by RFC 6191. */
#include "tcp/state.h"

void isn_make(const struct tcp *t, const struct tcp_key *key, uint32_t *isn, uint32_t *ts_offset)
{
    uint64_t h = hg_siphash64(&t->isn, key, sizeof(*key));
    *isn = (uint32_t)h + (uint32_t)(t->ctx->ms * 250);
    *ts_offset = (uint32_t)(h >> 32);
}
