/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/applied.h"

#include "controlplane.h"
#include "push/push.h"
#include "settings/settings.h"

/* All of them, piece by piece: to a dataplane that was there before us, or since a home is another node. */
static bool users_under_way(const struct controlplane *cp)
{
    return feed_segment(cp->feed) && (cp->push_users.walking || !cp->push_users.told);
}

static void look(struct controlplane *cp)
{
    struct applied *a = &cp->applied;
    struct record_version now = record_position(cp->record);

    if (!record_loaded(cp->record) || cp->sweep || settings_pending(cp) ||
        record_version_cmp(now, a->done) == 0)
        return;
    a->looking = now;
    a->routes_version = push_routes_wanted(cp);
    a->marked = false;
    a->pending = true;
}

/* Users go down as they are told, routes once they are compiled, with the settings that they are compiled by.
 */
void applied_turn(struct controlplane *cp)
{
    struct applied *a = &cp->applied;
    unsigned lagging;

    if (!a->pending)
        look(cp);
    if (!a->pending || push_routes_version(cp) < a->routes_version)
        return;
    if (!a->marked && users_under_way(cp))
        return;
    if (!a->marked) {
        feed_mark(cp->feed, &a->token);
        a->marked = true;
    }
    if (feed_unseen(cp->feed)) /* it lives, and serves by what it has: it gets nothing from here */
        return;
    /* A dataplane that starts later gets everything before it opens its listeners. */
    switch (feed_segment(cp->feed) ? feed_applied(cp->feed, &a->token, &lagging) : FEED_APPLIED) {
    case FEED_APPLIED:
        a->done = a->looking;
        a->pending = false;
        break;
    case FEED_LOST:
        a->marked = false;
        break;
    case FEED_REFUSED:
        a->pending = false; /* the next image may be taken */
        break;
    case FEED_PENDING:
        break;
    }
}
