/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the dataplane's segment, and leaving it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed/feed_impl.h"

void feed_detach(struct feed *feed)
{
    if (!feed->segment.header)
        return;
    if (feed->on.on_detached)
        feed->on.on_detached(feed->ctx);
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        free(feed->core[i].check);
    memset(feed->core, 0, sizeof(feed->core));
    hg_segment_detach(&feed->segment);
    feed->users_loaded = false;
}

/* Everything but users; those are queued by whoever knows them. */
static void all_others(struct feed *feed, struct feed_core *c)
{
    c->others = (struct others){.begin = true, .image = feed->image.generation != 0};
    for (unsigned i = 1; i < HG_NODES_MAX; i++) {
        c->others.nodes |= (uint64_t)feed->node[i].present << i;
        c->others.services |= (uint64_t)(feed->service[i].n != 0) << i;
    }
    c->urgent.serving = feed->serving_known;
    c->urgent.ping = !feed->serving_known;
    for (unsigned i = 0; i < feed->nsettings; i++)
        c->others.settings[i / 64] |= 1ull << i % 64;
    /* A control plane that was restarted does not know that its node is draining, and must not end it. */
    c->others.drain = feed->drain_known;
    c->state = CORE_SYNC;
    c->end_seq = UINT64_MAX;
}

void feed_resync(struct feed *feed, unsigned core)
{
    struct feed_core *c = &feed->core[core];
    c->again = true;
    all_others(feed, c);
    mirror_dirty_all(&feed->users, core);
    mirror_dirty_all(&feed->contacts.keys, core);
    c->walking = true;
}

static bool open_cores(struct feed *feed)
{
    for (unsigned i = 0; i < feed->segment.cores; i++) {
        struct feed_core *c = &feed->core[i];
        if (!hg_ring_open(&c->down, feed->segment.core[i].down, feed->segment.ring_cells) ||
            !hg_ring_open(&c->up, feed->segment.core[i].up, feed->segment.ring_cells) ||
            !feed_urgent_attach(feed, i))
            return false;
        c->check = calloc(feed->segment.ring_cells, sizeof(*c->check));
        if (!c->check)
            return false;
        c->heartbeat_ms = feed->now_ms;
        all_others(feed, c);
    }
    return mirror_reset(&feed->users, feed->segment.cores) &&
           contacts_reset(&feed->contacts, feed->segment.cores);
}

static void attach(struct feed *feed)
{
    char error[HG_SEGMENT_ERROR] = "";
    if (feed->tried_ms && feed->now_ms - feed->tried_ms < RETRY_MS && feed->refused[0])
        return;
    feed->tried_ms = feed->now_ms;
    enum hg_attach result = hg_segment_attach(feed->node_name, &feed->segment, error);
    if (result != HG_ATTACH_OK) {
        if (result != HG_ATTACH_ABSENT && strcmp(error, feed->refused) != 0)
            feed_message(feed, HG_LOG_ERROR, "%s", error);
        if (result == HG_ATTACH_ABSENT)
            error[0] = '\0';
        memcpy(feed->refused, error, sizeof(error));
        return;
    }
    if (!open_cores(feed)) {
        snprintf(error, sizeof(error), "no memory for %u cores of the dataplane", feed->segment.cores);
        if (strcmp(error, feed->refused) != 0) /* it lives, and cannot be attached: feed_unseen() */
            feed_message(feed, HG_LOG_ERROR, "%s", error);
        memcpy(feed->refused, error, sizeof(error));
        for (unsigned i = 0; i < HG_CORES_MAX; i++)
            free(feed->core[i].check);
        memset(feed->core, 0, sizeof(feed->core));
        hg_segment_detach(&feed->segment);
        return;
    }
    feed->refused[0] = '\0';
    feed->attaches++;
    feed->users_loaded = false;
    /* Raised before any record of the epoch: a core refuses those of an epoch that it does not see here. */
    feed->epoch = atomic_fetch_add_explicit(&feed->segment.header->cp_epoch, 1, memory_order_acq_rel) + 1;
    feed_serve_attached(feed);
    if (feed->on.on_attached)
        feed->on.on_attached(feed->ctx, &feed->segment);
}

void feed_look(struct feed *feed)
{
    if (feed->looked && feed->now_ms - feed->looked_ms < BEAT_MS)
        return;
    feed->looked = true;
    feed->looked_ms = feed->now_ms;
    if (feed->segment.header && !hg_segment_current(&feed->segment)) {
        feed_message(feed, HG_LOG_INFO, "the dataplane's segment is gone or was replaced");
        feed_detach(feed);
    }
    if (!feed->segment.header)
        attach(feed);
}
