/* SPDX-License-Identifier: BSD-2-Clause */
/* The lease in the segment: serve_until in ticks of the time stamp counter, and the word that says what it
 * stands on. A control plane that starts reads both back, so they never promise more than was confirmed: the
 * word goes first when time is added, last when it is taken away. */
#include <stdatomic.h>

#include "controlplane.h"
#include "counters/own.h"
#include "ha/run_impl.h"

static uint64_t ticks(const struct ha *ha, uint64_t until)
{
    return until == SRM_NO_DEADLINE ? UINT64_MAX : ha_clock_tsc_of(&ha->clock, until);
}

static void store(struct hg_segment_header *h, uint64_t until, uint64_t word)
{
    if (until >= atomic_load_explicit(&h->serve_until, memory_order_relaxed)) {
        atomic_store_explicit(&h->serve_epoch, word, memory_order_release);
        atomic_store_explicit(&h->serve_until, until, memory_order_release);
    } else {
        atomic_store_explicit(&h->serve_until, until, memory_order_release);
        atomic_store_explicit(&h->serve_epoch, word, memory_order_release);
    }
}

/* Nobody wanted it to end, and it is renewed too late all the same. */
static bool is_gap(const struct ha *ha, uint64_t until)
{
    uint64_t now = ha_clock_ns(&ha->clock);

    return ha->lease_until && !ha->lease_ended && ha->lease_until < now && until > now;
}

void ha_lease_write(struct ha *ha, uint64_t until, uint64_t word)
{
    const struct hg_segment *s = feed_segment(ha->cp->feed);

    ha->cp->own.v[OWN_ha_lease_gaps] += is_gap(ha, until);
    ha->lease_ended = until < ha->lease_until;
    ha->lease_until = until;
    ha->lease_word = word;
    own_count(&ha->cp->own, OWN_ha_lease_renewals);
    if (s)
        store(s->header, ticks(ha, until), word);
}

void ha_lease_read(const struct ha *ha, const struct hg_segment *s, uint64_t *until, uint64_t *word)
{
    *until = *word = 0;
    if (!s || !hg_segment_dp_lives(s))
        return;
    uint64_t tsc = atomic_load_explicit(&s->header->serve_until, memory_order_acquire);
    *word = atomic_load_explicit(&s->header->serve_epoch, memory_order_acquire);
    *until = tsc == UINT64_MAX ? SRM_NO_DEADLINE : ha_clock_ns_of(&ha->clock, tsc);
}
