/* SPDX-License-Identifier: BSD-2-Clause */
/* Users by name -> users by key in the feed's mirror. A new dataplane brings a new secret: all names are
 * hashed again, in pieces. */
#include <stdio.h>
#include <string.h>

#include "assign/users.h"
#include "controlplane.h"
#include "feed/feed.h"
#include "node/nodes.h"
#include "pace.h"
#include "push/push.h"

static struct hg_user_key key_of(const struct controlplane *cp, struct slice name)
{
    const struct hg_segment *s = feed_segment(cp->feed);
    const char *at = memrchr(name.p, '@', name.len);
    uint32_t user = (uint32_t)(at - name.p);

    return hg_user_key(&s->header->secret, slice_of(name.p, user), slice_of(at + 1, name.len - user - 1));
}

void push_users_begin(struct controlplane *cp)
{
    const struct hg_segment *s = feed_segment(cp->feed);
    struct push_users *p = &cp->push_users;

    p->walking = true;
    p->fresh = true;
    p->told = false;
    p->last_len = 0;
    p->served = atomic_load_explicit(&s->header->dp_ready, memory_order_acquire) != 0;
    p->begun_ms = uv_now(&cp->loop);
}

void push_users_again(struct controlplane *cp)
{
    cp->push_users.walking = feed_segment(cp->feed) != NULL;
    cp->push_users.last_len = 0;
    cp->push_users.fresh = false;
}

/* first: the cores cannot have anything else of this user, or sweep it.
 * Unassigned users, and those of a home that no node has, are nobody to the cores (C10). */
static void tell(struct controlplane *cp, const struct user *u, bool first)
{
    struct hg_user_key key = key_of(cp, slice_of(u->name, u->len));
    uint16_t node = nodes_of_home(cp, u->home);

    if (node)
        feed_user_set(cp->feed, &key, node);
    else if (!first)
        feed_user_remove(cp->feed, &key);
    if (!first || u->contacts) /* what a core has and nobody mentions is swept */
        push_contacts(cp, &key, u, node);
}

bool push_users_turn(struct controlplane *cp)
{
    struct push_users *p = &cp->push_users;

    if (!feed_segment(cp->feed))
        return false;
    if (p->walking) {
        uint64_t at = users_position_after(cp->users, slice_of(p->last, p->last_len));
        const struct user *u = NULL;
        struct pace pace = pace_begin();
        while (!pace_is_over(&pace)) {
            const struct user *next = users_walk(cp->users, &at);
            if (!next) {
                p->walking = false;
                break;
            }
            u = next;
            tell(cp, u, p->fresh);
        }
        if (u) {
            memcpy(p->last, u->name, u->len);
            p->last_len = u->len;
        }
        return p->walking;
    }
    if (p->told)
        return false;
    /* Without the record nothing is known of the users. A dataplane that serves keeps those that it has; a
     * fresh one waits a moment for the record, then opens for what the static routes say. */
    bool patient = !p->served && uv_now(&cp->loop) - p->begun_ms >= RECORD_WAIT_MS;
    if (record_was_loaded(cp->record) || patient) {
        feed_users_loaded(cp->feed);
        p->told = true;
    }
    return false;
}

void push_user(struct controlplane *cp, const struct user *user, unsigned changed)
{
    if (feed_segment(cp->feed))
        tell(cp, user, changed & USERS_NEW);
}

void push_user_remove(struct controlplane *cp, struct slice name)
{
    if (!feed_segment(cp->feed))
        return;
    struct hg_user_key key = key_of(cp, name);
    feed_user_remove(cp->feed, &key);
    push_contacts_remove(cp, &key);
}
