/* SPDX-License-Identifier: BSD-2-Clause */
/* Service addresses and contacts, as they go into a down ring. */
#include <string.h>

#include "feed/feed_impl.h"

bool feed_put_service(struct feed *feed, unsigned core, unsigned home)
{
    const struct feed_service *s = &feed->service[home];
    struct hg_down_service *out = (void *)feed->buf;
    *out = (struct hg_down_service){.home = (uint16_t)home, .n = s->n};
    memcpy(out->net, s->net, s->n * sizeof(s->net[0]));
    return feed_put(feed, core, out, HG_DOWN_SERVICE, (uint32_t)(sizeof(*out) + s->n * sizeof(s->net[0])));
}

bool feed_fill_contacts(struct feed *feed, unsigned core)
{
    struct hg_down_contacts *out = (void *)feed->buf;
    struct hg_ring *ring = &feed->core[core].down;
    struct hg_spans spans;
    uint32_t bytes;
    unsigned n = contacts_next(&feed->contacts, core, &bytes);
    uint32_t length = (uint32_t)sizeof(*out) + bytes;
    /* room first: what is taken out of the queue counts as told */
    if (n == 0 || !feed_room(feed, core) || !hg_ring_reserve(ring, length, &spans))
        return false;
    out->n = n;
    out->pad = 0;
    contacts_take(&feed->contacts, core, n, (char *)(out + 1));
    feed_number(feed, core, &out->r, HG_DOWN_CONTACTS, length);
    hg_spans_write(&spans, 0, out, length);
    hg_ring_commit(ring, length);
    feed_sent(feed, core);
    return true;
}
