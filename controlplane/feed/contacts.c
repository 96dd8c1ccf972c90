/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed/contacts.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES 4096u /* more than that only when one user alone has it */

void contacts_init(struct contacts_mirror *m)
{
    memset(m, 0, sizeof(*m));
    mirror_init(&m->keys);
}

static struct contacts_entry *entry_at(const struct contacts_mirror *m, uint32_t slot)
{
    return &m->block[slot / MIRROR_BLOCK][slot % MIRROR_BLOCK];
}

bool contacts_free_some(struct contacts_mirror *m)
{
    if (!m->old)
        return false;
    if (m->old_blocks) {
        struct contacts_entry *block = m->old[--m->old_blocks];
        for (uint32_t i = 0; i < MIRROR_BLOCK; i++)
            free(block[i].bytes);
        free(block);
        return true;
    }
    free(m->old);
    m->old = NULL;
    return false;
}

static void forget(struct contacts_mirror *m)
{
    while (contacts_free_some(m)) /* of the reset before this one */
        ;
    m->old = m->block;
    m->old_blocks = m->blocks;
    m->block = NULL;
    m->blocks = m->blocks_max = 0;
}

void contacts_free(struct contacts_mirror *m)
{
    forget(m);
    while (contacts_free_some(m))
        ;
    mirror_free(&m->keys);
    contacts_init(m);
}

bool contacts_reset(struct contacts_mirror *m, unsigned cores)
{
    forget(m);
    return mirror_reset(&m->keys, cores);
}

static bool add_block(struct contacts_mirror *m)
{
    if (m->blocks == m->blocks_max) {
        uint32_t max = m->blocks ? m->blocks * 2 : 16;
        struct contacts_entry **more = realloc(m->block, max * sizeof(struct contacts_entry *));
        if (!more)
            return false;
        m->block = more;
        m->blocks_max = max;
    }
    m->block[m->blocks] = calloc(MIRROR_BLOCK, sizeof(struct contacts_entry));
    if (!m->block[m->blocks])
        return false;
    m->blocks++;
    return true;
}

/* As many entries as the mirror may have after one more key. */
static bool make_room(struct contacts_mirror *m)
{
    uint32_t want = m->keys.users_max / MIRROR_BLOCK;
    if (!m->keys.free_list && m->keys.users_used == m->keys.users_max)
        want++;
    while (m->blocks < want)
        if (!add_block(m))
            return false;
    return true;
}

static bool same(const struct contacts_entry *e, const char *bytes, uint32_t length, unsigned n)
{
    return e->n == n && e->length == length && memcmp(e->bytes, bytes, length) == 0;
}

bool contacts_set(struct contacts_mirror *m, const struct hg_user_key *key, const char *bytes,
                  uint32_t length, unsigned n)
{
    uint32_t slot;
    if (mirror_slot(&m->keys, key, &slot) && same(entry_at(m, slot), bytes, length, n))
        return true;
    char *copy = malloc(length);
    if (!copy || !make_room(m) || !mirror_touch(&m->keys, key, 1, &slot)) {
        free(copy);
        return false;
    }
    memcpy(copy, bytes, length);
    free(entry_at(m, slot)->bytes);
    *entry_at(m, slot) = (struct contacts_entry){.bytes = copy, .length = length, .n = (uint16_t)n};
    return true;
}

void contacts_remove(struct contacts_mirror *m, const struct hg_user_key *key, bool tell)
{
    uint32_t slot;
    if (mirror_slot(&m->keys, key, &slot)) {
        free(entry_at(m, slot)->bytes);
        *entry_at(m, slot) = (struct contacts_entry){.bytes = NULL};
        mirror_remove(&m->keys, key);
    } else if (tell && make_room(m)) {
        (void)mirror_forget(&m->keys, key); /* without memory the end of the resynchronisation sweeps it */
    }
}

static uint32_t padded(uint32_t length)
{
    return (length + 7u) & ~7u;
}

unsigned contacts_next(const struct contacts_mirror *m, unsigned core, uint32_t *length)
{
    uint64_t waiting = mirror_waiting(&m->keys, core);
    uint32_t slot = 0;
    unsigned n = 0;
    *length = 0;
    for (; n < waiting && n < HG_DOWN_CONTACTS_USERS; n++) {
        slot = n ? mirror_behind(&m->keys, core, slot) : mirror_first(&m->keys, core);
        const struct contacts_entry *e = entry_at(m, slot);
        uint32_t more = (uint32_t)sizeof(struct hg_down_contacts_user) + padded(e->length);
        if (n && *length + more > RECORD_BYTES)
            break;
        *length += more;
    }
    return n;
}

void contacts_take(struct contacts_mirror *m, unsigned core, unsigned n, char *out)
{
    for (unsigned i = 0; i < n; i++) {
        const struct contacts_entry *e = entry_at(m, mirror_first(&m->keys, core));
        struct hg_down_user user;
        (void)mirror_take(&m->keys, core, &user, 1);
        struct hg_down_contacts_user head = {.key = user.key, .n = e->n, .length = e->length};
        memcpy(out, &head, sizeof(head));
        out += sizeof(head);
        memset(out, 0, padded(e->length));
        if (e->length)
            memcpy(out, e->bytes, e->length);
        out += padded(e->length);
    }
}
