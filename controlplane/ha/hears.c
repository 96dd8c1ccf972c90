/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/hears.h"

static bool recent(uint64_t heard, uint64_t now, uint64_t limit)
{
    return heard != 0 && (now < heard || now - heard < limit);
}

void hears_frames(struct hears *hears, uint64_t frames, uint64_t now)
{
    /* What an earlier run of either process counted says nothing of now. */
    if (hears->counted && frames > hears->frames)
        hears->frame_ns = now;
    hears->counted = true;
    hears->frames = frames;
}

bool hears_silence(const struct hears *hears, uint64_t now, uint64_t limit)
{
    return !recent(hears->frame_ns, now, limit);
}

struct seen {
    bool asked, management, service;
    bool third; /* a node that is not the peer is heard by the management network */
};

static struct seen look(const struct hears_node *nodes, unsigned n, uint64_t now, uint64_t limit)
{
    struct seen s = {0};

    for (unsigned i = 0; i < n; i++) {
        bool there = nodes[i].asked && recent(nodes[i].management, now, limit);
        s.asked |= nodes[i].asked;
        s.service |= nodes[i].asked && recent(nodes[i].service, now, limit);
        s.management |= there;
        s.third |= there && !nodes[i].peer;
    }
    return s;
}

enum hears_verdict hears_judge(struct hears *hears, const struct hears_node *nodes, unsigned n, uint64_t now,
                               uint64_t limit)
{
    struct seen s = look(nodes, n, now, limit);

    if (!s.asked)
        return HEARS_ALONE;
    hears->heard |= s.service;
    hears->judged |= s.service || s.management;
    if (!hears->begun_ns)
        hears->begun_ns = now;
    if (!hears->judged)
        return now - hears->begun_ns <= limit ? HEARS_UNKNOWN : HEARS_WELL;
    /* With the peer alone it cannot be told which of the two is deaf; the one that frames reach is not. */
    if (s.service || !s.management || (!s.third && !hears_silence(hears, now, limit))) {
        hears->well_ns = now;
        return HEARS_WELL;
    }
    /* Two nodes that go deaf together do not notice at the same moment: neither may still claim to hear when
     * the other begins to count. A start that has heard nobody may have started because it was deaf. */
    return hears->heard && now - hears->well_ns <= limit ? HEARS_DOUBT : HEARS_NOTHING;
}
