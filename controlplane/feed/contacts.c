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

void contacts_free(struct contacts_mirror *m)
{
    for (uint32_t i = 0; i < m->room; i++)
        free(m->entry[i].bytes);
    free(m->entry);
    mirror_free(&m->keys);
    contacts_init(m);
}

bool contacts_reset(struct contacts_mirror *m, unsigned cores)
{
    contacts_free(m);
    return mirror_reset(&m->keys, cores);
}

/* As many entries as the mirror may have after one more key. */
static bool make_room(struct contacts_mirror *m)
{
    uint32_t want = m->keys.users_max;
    if (!m->keys.free_list && m->keys.users_used == want)
        want *= 2;
    if (want <= m->room)
        return true;
    struct contacts_entry *entry = realloc(m->entry, (size_t)want * sizeof(*entry));
    if (!entry)
        return false;
    memset(entry + m->room, 0, (size_t)(want - m->room) * sizeof(*entry));
    m->entry = entry;
    m->room = want;
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
    if (mirror_slot(&m->keys, key, &slot) && same(&m->entry[slot], bytes, length, n))
        return true;
    char *copy = malloc(length);
    if (!copy || !make_room(m) || !mirror_touch(&m->keys, key, 1, &slot)) {
        free(copy);
        return false;
    }
    memcpy(copy, bytes, length);
    free(m->entry[slot].bytes);
    m->entry[slot] = (struct contacts_entry){.bytes = copy, .length = length, .n = (uint16_t)n};
    return true;
}

void contacts_remove(struct contacts_mirror *m, const struct hg_user_key *key, bool tell)
{
    uint32_t slot;
    if (mirror_slot(&m->keys, key, &slot)) {
        free(m->entry[slot].bytes);
        m->entry[slot] = (struct contacts_entry){.bytes = NULL};
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
    unsigned n = 0;
    *length = 0;
    for (; n < waiting && n < HG_DOWN_CONTACTS_USERS; n++) {
        const struct contacts_entry *e = &m->entry[mirror_peek(&m->keys, core, n)];
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
        const struct contacts_entry *e = &m->entry[mirror_peek(&m->keys, core, 0)];
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
