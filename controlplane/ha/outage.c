/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/outage.h"

void outage_set(struct outage *o, unsigned bit, bool watched, bool up, bool relative, bool database,
                uint64_t now)
{
    struct outage_service *s = &o->service[bit & 63];
    if (!s->watched || (s->up && !up))
        s->down_since = now;
    s->counts = s->counts && watched && !up;
    s->watched = watched;
    s->up = up;
    s->relative = relative;
    s->database = database;
}

static bool counts(struct outage_service *s, bool peer_has, uint64_t now)
{
    bool before = s->counts;
    s->counts = s->watched && !s->up && (!s->relative || peer_has);
    if (s->counts && !before)
        s->since = s->relative ? now : s->down_since;
    return s->counts;
}

struct outage_verdict outage_judge(struct outage *o, uint64_t peer, uint64_t now, uint64_t delay)
{
    struct outage_verdict v = {true, false, false, UINT64_MAX};
    for (unsigned i = 0; i < 64; i++) {
        struct outage_service *s = &o->service[i];
        if (!counts(s, (peer >> i & 1) != 0, now))
            continue;
        v.well = false;
        bool out = now - s->since >= delay;
        v.database_out |= out && s->database;
        v.service_out |= out && !s->database;
        if (!out && s->since + delay < v.next)
            v.next = s->since + delay;
    }
    return v;
}

uint64_t outage_up(const struct outage *o)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 64; i++)
        bits |= (uint64_t)(o->service[i].watched && o->service[i].up) << i;
    return bits;
}

uint64_t outage_watched(const struct outage *o)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 64; i++)
        bits |= (uint64_t)o->service[i].watched << i;
    return bits;
}
