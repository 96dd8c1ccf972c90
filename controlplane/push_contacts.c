/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "controlplane.h"
#include "push.h"

bool push_contacts_create(struct controlplane *cp)
{
    (void)cp;
    return true;
}

void push_contacts_stop(struct controlplane *cp)
{
    (void)cp;
}

void push_contacts(struct controlplane *cp, const struct hg_user_key *key, const struct user *user,
                   uint16_t node)
{
    (void)cp;
    (void)key;
    (void)user;
    (void)node;
}

void push_contacts_remove(struct controlplane *cp, const struct hg_user_key *key)
{
    (void)cp;
    (void)key;
}

void push_contacts_turn(struct controlplane *cp, uint64_t now_ms)
{
    (void)cp;
    (void)now_ms;
}
