/* SPDX-License-Identifier: BSD-2-Clause */
#include "assign/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "assign/contact.h"
#include "hg/user_key.h"

#define SHELF_BITS                                                                                           \
    12 /* shelves by the first bits of the hash: each grows on its own, in some microseconds                 \
        */
#define SHELVES  (1u << SHELF_BITS)
#define BITS_MIN 4
#define OVERFLOW 16 /* slots behind the last home: there is no wrap-around, which keeps the order */
#define AT_BITS  40 /* of a position: the slot of a shelf */

struct slot {
    uint64_t hash;
    struct user *user; /* NULL: empty */
};

struct shelf {         /* in the order of the hash */
    struct slot *slot; /* NULL: it never had anybody */
    unsigned bits;
    uint32_t count;
};

struct home {
    uint32_t users, signed_in;
    char name[HG_NODE_NAME_MAX + 1]; /* "" = free */
};

struct users {
    struct hg_hash_secret secret;
    struct shelf shelf[SHELVES];
    uint32_t count;
    uint8_t mark;
    uint64_t homes_generation;
    struct home home[HG_NODES_MAX]; /* [0]: unassigned */
};

struct place { /* of a name, or where it would stand */
    struct shelf *shelf;
    uint64_t i;
    bool found;
};

static uint64_t slots(const struct shelf *s)
{
    return s->slot ? ((uint64_t)1 << s->bits) + OVERFLOW : 0;
}

static uint64_t home(const struct shelf *s, uint64_t hash)
{
    return hash << SHELF_BITS >> (64 - s->bits);
}

struct users *users_create(void)
{
    struct users *u = calloc(1, sizeof(*u));

    if (u && getrandom(&u->secret, sizeof(u->secret), 0) != sizeof(u->secret)) {
        free(u);
        return NULL;
    }
    return u;
}

static void free_user(struct user *user)
{
    if (user)
        free(user->contacts);
    free(user);
}

void users_free(struct users *u)
{
    if (!u)
        return;
    for (unsigned k = 0; k < SHELVES; k++) {
        for (uint64_t i = 0; i < slots(&u->shelf[k]); i++)
            free_user(u->shelf[k].slot[i].user);
        free(u->shelf[k].slot);
    }
    free(u);
}

uint32_t users_count(const struct users *u)
{
    return u->count;
}

/* Of the last '@': a user part may have one. */
static int64_t find_at(struct slice name)
{
    for (int64_t i = (int64_t)name.len - 1; i >= 0; i--)
        if (name.p[i] == '@')
            return i;
    return -1;
}

bool users_canonical(struct slice name, char *out, uint32_t *len, const char **why)
{
    int64_t at = find_at(name);

    if (at <= 0 || at == (int64_t)name.len - 1) {
        *why = "a user is written user@domain";
        return false;
    }
    uint32_t user = (uint32_t)at, domain = name.len - user - 1;
    if (user > HG_USER_MAX || domain > HG_HOST_MAX) {
        *why = "the user part has at most 128 bytes, the domain 255";
        return false;
    }
    for (uint32_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x20 || c == 0x7f || (i > user && (c == ' ' || c >= 0x80))) {
            *why = "a user must not have control characters, and the domain is ASCII";
            return false;
        }
        out[i] = i > user ? ascii_lower((char)c) : (char)c;
    }
    out[name.len] = '\0';
    *len = name.len;
    return true;
}

static int order(uint64_t hash, struct slice name, const struct slot *s)
{
    if (hash != s->hash)
        return hash < s->hash ? -1 : 1;
    uint32_t len = name.len < s->user->len ? name.len : s->user->len;
    int c = memcmp(name.p, s->user->name, len);
    return c ? c : (int)name.len - (int)s->user->len;
}

static struct place locate(const struct users *u, uint64_t hash, struct slice name)
{
    struct place at = {.shelf = (struct shelf *)&u->shelf[hash >> (64 - SHELF_BITS)]};
    const struct slot *slot = at.shelf->slot;
    int c = -1;

    if (!slot)
        return at;
    at.i = home(at.shelf, hash);
    while (slot[at.i].user && (c = order(hash, name, &slot[at.i])) > 0)
        at.i++;
    at.found = slot[at.i].user && c == 0;
    return at;
}

static struct place locate_name(const struct users *u, struct slice name)
{
    return locate(u, hg_siphash64(&u->secret, name.p, name.len), name);
}

/* The last slot is always empty: it ends every walk. */
static bool insert(struct shelf *shelf, uint64_t i, struct slot s)
{
    uint64_t end = i;

    if (!shelf->slot)
        return false;
    while (shelf->slot[end].user)
        end++;
    if (end + 1 >= slots(shelf))
        return false;
    memmove(&shelf->slot[i + 1], &shelf->slot[i], (end - i) * sizeof(s));
    shelf->slot[i] = s;
    return true;
}

/* The old shelf is in order: each entry goes behind the one before. */
static bool fill(const struct shelf *old, struct shelf *bigger)
{
    uint64_t next = 0;

    for (uint64_t i = 0; i < slots(old); i++) {
        if (!old->slot[i].user)
            continue;
        uint64_t at = home(bigger, old->slot[i].hash);
        at = at > next ? at : next;
        if (at + 1 >= slots(bigger))
            return false;
        bigger->slot[at] = old->slot[i];
        next = at + 1;
    }
    return true;
}

static bool grow(struct shelf *shelf)
{
    for (unsigned bits = shelf->slot ? shelf->bits + 1 : BITS_MIN; bits < 32; bits++) {
        struct shelf bigger = {.bits = bits, .count = shelf->count};
        bigger.slot = calloc(((uint64_t)1 << bits) + OVERFLOW, sizeof(struct slot));
        if (!bigger.slot)
            return false;
        if (fill(shelf, &bigger)) {
            free(shelf->slot);
            *shelf = bigger;
            return true;
        }
        free(bigger.slot);
    }
    return false;
}

static void count(struct users *u, const struct user *user, int by)
{
    u->home[user->home].users += (uint32_t)by;
    if (user->contacts)
        u->home[user->home].signed_in += (uint32_t)by;
}

static struct slice contacts_of(const struct user *user)
{
    return user->contacts ? slice_str(user->contacts) : slice_of("", 0);
}

/* false: no memory, the old ones stay */
static bool set_contacts(struct user *user, struct slice contacts, unsigned *changed)
{
    if (slice_eq(contacts, contacts_of(user)))
        return true;
    char *copy = contacts.len ? strndup(contacts.p, contacts.len) : NULL;
    if (contacts.len && !copy)
        return false;
    free(user->contacts);
    user->contacts = copy;
    *changed |= USERS_CONTACTS;
    return true;
}

static struct user *new_user(struct slice name)
{
    int64_t at = find_at(name);

    if (name.len > USERS_NAME_MAX || at < 0)
        return NULL;
    struct user *user = calloc(1, sizeof(*user) + name.len + 1);
    if (!user)
        return NULL;
    user->at = (uint16_t)at;
    user->len = (uint16_t)name.len;
    memcpy(user->name, name.p, name.len);
    return user;
}

static bool place(struct users *u, struct slot s)
{
    struct slice name = slice_of(s.user->name, s.user->len);
    struct shelf *shelf = locate(u, s.hash, name).shelf;

    if (shelf->slot && shelf->count >= ((uint64_t)1 << shelf->bits) / 8 * 6 && !grow(shelf))
        return false;
    while (!insert(shelf, locate(u, s.hash, name).i, s))
        if (!grow(shelf))
            return false;
    shelf->count++;
    u->count++;
    return true;
}

struct user *users_set(struct users *u, struct slice name, uint16_t home, struct slice contacts,
                       struct record_version version, unsigned *changed)
{
    uint64_t hash = hg_siphash64(&u->secret, name.p, name.len);
    struct place at = locate(u, hash, name);
    bool found = at.found;
    struct user *user = found ? at.shelf->slot[at.i].user : new_user(name);

    *changed = found ? USERS_SAME : USERS_NEW;
    if (!user)
        return NULL;
    if (found)
        count(u, user, -1);
    bool good = set_contacts(user, contacts, changed);
    if (good && user->home != home)
        *changed |= USERS_HOME;
    if (good) {
        user->home = home;
        user->version = version;
    }
    user->mark = u->mark;
    if (!found && (!good || !place(u, (struct slot){.hash = hash, .user = user}))) {
        free_user(user);
        return NULL;
    }
    count(u, user, 1);
    return good ? user : NULL;
}

const struct user *users_find(const struct users *u, struct slice name)
{
    struct place at = locate_name(u, name);

    return at.found ? at.shelf->slot[at.i].user : NULL;
}

static void remove_slot(struct users *u, struct shelf *shelf, uint64_t i)
{
    struct slot *slot = shelf->slot;

    count(u, slot[i].user, -1);
    free_user(slot[i].user);
    while (slot[i + 1].user && home(shelf, slot[i + 1].hash) <= i) {
        slot[i] = slot[i + 1];
        i++;
    }
    slot[i].user = NULL;
    shelf->count--;
    u->count--;
}

uint32_t users_value(const struct user *user, struct slice home, char *out)
{
    return user_value_put(out, USER_VALUE_MAX, home, contacts_of(user));
}

bool users_remove(struct users *u, struct slice name)
{
    struct place at = locate_name(u, name);

    if (at.found)
        remove_slot(u, at.shelf, at.i);
    return at.found;
}

uint64_t users_position_after(const struct users *u, struct slice name)
{
    if (!name.len)
        return 0;
    struct place at = locate_name(u, name);
    return (uint64_t)(at.shelf - u->shelf) << AT_BITS | (at.found ? at.i + 1 : at.i);
}

struct user *users_walk(struct users *u, uint64_t *at)
{
    uint64_t k = *at >> AT_BITS, i = *at & (((uint64_t)1 << AT_BITS) - 1);

    for (; k < SHELVES; k++, i = 0) {
        const struct shelf *shelf = &u->shelf[k];
        for (uint64_t n = slots(shelf); shelf->count && i < n; i++) {
            if (!shelf->slot[i].user)
                continue;
            *at = k << AT_BITS | (i + 1);
            return shelf->slot[i].user;
        }
    }
    *at = k << AT_BITS;
    return NULL;
}

const struct user *users_after(const struct users *u, struct slice name)
{
    uint64_t at = users_position_after(u, name);

    return users_walk((struct users *)u, &at);
}

void users_remove_walked(struct users *u, uint64_t *at)
{
    --*at;
    remove_slot(u, &u->shelf[*at >> AT_BITS], *at & (((uint64_t)1 << AT_BITS) - 1));
}

uint8_t users_new_mark(struct users *u)
{
    return ++u->mark;
}

void users_mark(struct users *u, struct slice name)
{
    struct place at = locate_name(u, name);

    if (at.found)
        at.shelf->slot[at.i].user->mark = u->mark;
}

bool users_is_marked(const struct users *u, const struct user *user)
{
    return user->mark == u->mark;
}

uint16_t users_home_find(const struct users *u, struct slice name)
{
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (u->home[i].name[0] && slice_eq(slice_str(u->home[i].name), name))
            return i;
    return 0;
}

uint16_t users_home(struct users *u, struct slice name)
{
    uint16_t i = users_home_find(u, name);

    if (i || name.len == 0 || name.len > HG_NODE_NAME_MAX || memchr(name.p, 0, name.len))
        return i;
    for (i = 1; i < HG_NODES_MAX && u->home[i].name[0];)
        i++;
    if (i == HG_NODES_MAX) /* a name that nobody has any more gives its place */
        for (i = 1; i < HG_NODES_MAX && u->home[i].users;)
            i++;
    if (i == HG_NODES_MAX)
        return 0;
    memcpy(u->home[i].name, name.p, name.len);
    u->home[i].name[name.len] = '\0';
    u->homes_generation++;
    return i;
}

const char *users_home_name(const struct users *u, uint16_t home)
{
    return home < HG_NODES_MAX ? u->home[home].name : "";
}

uint64_t users_homes_generation(const struct users *u)
{
    return u->homes_generation;
}

uint32_t users_count_at(const struct users *u, uint16_t home)
{
    return home < HG_NODES_MAX ? u->home[home].users : 0;
}

uint32_t users_signed_in_at(const struct users *u, uint16_t home)
{
    return home < HG_NODES_MAX ? u->home[home].signed_in : 0;
}
