/* SPDX-License-Identifier: BSD-2-Clause */
#include "topology/unread.h"

/* FNV-1a: names are few, and nobody gains by two that are taken for one. */
static uint64_t key_of(enum topology_kind kind, struct slice name)
{
    uint64_t key = UINT64_C(0xcbf29ce484222325) ^ kind;

    for (uint32_t i = 0; i < name.len; i++)
        key = (key ^ (uint8_t)name.p[i]) * UINT64_C(0x100000001b3);
    return key;
}

void unread_add(struct topology_unread *u, enum topology_kind kind, struct slice name)
{
    unread_drop(u, kind, name);
    if (u->n == sizeof(u->key) / sizeof(u->key[0]))
        u->more = true;
    else
        u->key[u->n++] = key_of(kind, name);
}

void unread_drop(struct topology_unread *u, enum topology_kind kind, struct slice name)
{
    uint64_t key = key_of(kind, name);

    for (unsigned i = 0; i < u->n; i++) {
        if (u->key[i] != key)
            continue;
        u->key[i] = u->key[--u->n];
        return;
    }
}
