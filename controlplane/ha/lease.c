/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/lease.h"

#include <string.h>

void lease_init(struct lease *l, uint64_t now, uint64_t span)
{
    memset(l, 0, sizeof(*l));
    lease_give(l, now, span);
}

void lease_want(struct lease *l, uint64_t now)
{
    l->want = true;
    l->want_since = now;
}

void lease_unwant(struct lease *l)
{
    l->want = false;
    l->held = false;
}

static void extend(struct lease *l, uint64_t sent, uint64_t span)
{
    l->held = true;
    if (l->until < sent + span)
        l->until = sent + span;
}

void lease_on_grant(struct lease *l, uint64_t sent, uint64_t span)
{
    if (l->want && sent >= l->want_since)
        extend(l, sent, span);
}

void lease_on_write(struct lease *l, uint64_t sent, uint64_t span, bool may_gain)
{
    if (l->want && (l->held || may_gain))
        extend(l, sent, span);
}

void lease_on_beat(struct lease *l, bool has, struct record_version version)
{
    static const struct record_version none;
    if (has) {
        l->clear = none;
        return;
    }
    /* it dropped the slot after it asked for what we granted: it will not use that grant */
    l->granted = 0;
    l->clear = version;
}

void lease_give(struct lease *l, uint64_t now, uint64_t span)
{
    if (l->granted < now + span)
        l->granted = now + span;
}

void lease_bound(struct lease *l, uint64_t until)
{
    if (l->until > until)
        l->until = until;
}

uint64_t lease_claim_at(const struct lease *l, struct record_version known, uint64_t learned, uint64_t span,
                        uint64_t guard)
{
    uint64_t at = l->granted != 0 ? l->granted + guard : 0;
    bool clear = !record_version_is_none(l->clear) && record_version_cmp(l->clear, known) == 0;
    if (!clear && at < learned + span + guard)
        at = learned + span + guard;
    return at;
}

uint64_t lease_deadline(const struct lease *l, unsigned n)
{
    uint64_t until = LEASE_FOREVER;
    bool any = false;
    for (unsigned i = 0; i < n; i++)
        if (l[i].mapped) {
            any = true;
            until = l[i].until < until ? l[i].until : until;
        }
    return any ? until : 0;
}
