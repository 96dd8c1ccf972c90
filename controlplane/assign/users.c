/* SPDX-License-Identifier: BSD-2-Clause */
#include "assign/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "hg/user_key.h"

#define BITS_MIN 10
#define OVERFLOW 512 /* slots behind the last home: there is no wrap-around, which keeps the order */

struct slot {
    uint64_t hash;
    struct user *user; /* NULL: empty */
};

struct home {
    uint32_t users, signed_in;
    char name[HG_NODE_NAME_MAX + 1]; /* "" = free */
};

struct users {
    struct hg_hash_secret secret;
    struct slot *slot;
    unsigned bits;
    uint32_t count;
    uint8_t mark;
    uint64_t homes_generation;
    struct home home[HG_NODES_MAX]; /* [0]: unassigned */
};

static uint64_t slots(const struct users *u)
{
    return ((uint64_t)1 << u->bits) + OVERFLOW;
}

static uint64_t home(const struct users *u, uint64_t hash)
{
    return hash >> (64 - u->bits);
}

struct users *users_create(void)
{
    struct users *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    u->bits = BITS_MIN;
    u->slot = calloc(slots(u), sizeof(u->slot[0]));
    if (!u->slot || getrandom(&u->secret, sizeof(u->secret), 0) != sizeof(u->secret)) {
        free(u->slot);
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
    for (uint64_t i = 0; i < slots(u); i++)
        free_user(u->slot[i].user);
    free(u->slot);
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

/* Position of the name, or where it would stand. */
static uint64_t locate(const struct users *u, uint64_t hash, struct slice name, bool *found)
{
    uint64_t i = home(u, hash);
    int c = -1;

    while (u->slot[i].user && (c = order(hash, name, &u->slot[i])) > 0)
        i++;
    *found = u->slot[i].user && c == 0;
    return i;
}

/* The last slot is always empty: it ends every walk. */
static bool insert(struct users *u, uint64_t i, struct slot s)
{
    uint64_t end = i;

    while (u->slot[end].user)
        end++;
    if (end + 1 >= slots(u))
        return false;
    memmove(&u->slot[i + 1], &u->slot[i], (end - i) * sizeof(s));
    u->slot[i] = s;
    return true;
}

static bool grow(struct users *u)
{
    struct slot *old = u->slot;
    uint64_t n = slots(u);

    for (unsigned bits = u->bits + 1; bits < 40; bits++) {
        struct users bigger = *u;
        bigger.bits = bits;
        bigger.slot = calloc(slots(&bigger), sizeof(old[0]));
        if (!bigger.slot)
            return false;
        bool whole = true;
        uint64_t next = 0; /* the old table is in order: each entry goes behind the one before */
        for (uint64_t i = 0; i < n && whole; i++) {
            if (!old[i].user)
                continue;
            uint64_t at = home(&bigger, old[i].hash);
            at = at > next ? at : next;
            whole = at + 1 < slots(&bigger);
            if (whole)
                bigger.slot[at] = old[i];
            next = at + 1;
        }
        if (whole) {
            u->bits = bits;
            u->slot = bigger.slot;
            free(old);
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

/* false: no memory, the old ones stay */
static bool set_contacts(struct user *user, struct slice contacts, unsigned *changed)
{
    if (slice_eq(contacts, user->contacts ? slice_str(user->contacts) : slice_of("", 0)))
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
    bool found;

    if (u->count >= ((uint64_t)1 << u->bits) / 8 * 6 && !grow(u))
        return false;
    while (!insert(u, locate(u, s.hash, name, &found), s))
        if (!grow(u))
            return false;
    u->count++;
    return true;
}

struct user *users_set(struct users *u, struct slice name, uint16_t home, struct slice contacts,
                       struct record_version version, unsigned *changed)
{
    uint64_t hash = hg_siphash64(&u->secret, name.p, name.len);
    bool found;
    uint64_t i = locate(u, hash, name, &found);
    struct user *user = found ? u->slot[i].user : new_user(name);

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
    bool found;
    uint64_t i = locate(u, hg_siphash64(&u->secret, name.p, name.len), name, &found);

    return found ? u->slot[i].user : NULL;
}

static void remove_slot(struct users *u, uint64_t i)
{
    count(u, u->slot[i].user, -1);
    free_user(u->slot[i].user);
    while (u->slot[i + 1].user && home(u, u->slot[i + 1].hash) <= i) {
        u->slot[i] = u->slot[i + 1];
        i++;
    }
    u->slot[i].user = NULL;
    u->count--;
}

bool users_remove(struct users *u, struct slice name)
{
    bool found;
    uint64_t i = locate(u, hg_siphash64(&u->secret, name.p, name.len), name, &found);

    if (found)
        remove_slot(u, i);
    return found;
}

uint64_t users_position_after(const struct users *u, struct slice name)
{
    if (!name.len)
        return 0;
    bool found;
    uint64_t i = locate(u, hg_siphash64(&u->secret, name.p, name.len), name, &found);
    return found ? i + 1 : i;
}

const struct user *users_after(const struct users *u, struct slice name)
{
    uint64_t i = users_position_after(u, name), n = slots(u);

    while (i < n && !u->slot[i].user)
        i++;
    return i < n ? u->slot[i].user : NULL;
}

struct user *users_walk(struct users *u, uint64_t *at)
{
    for (uint64_t n = slots(u); *at < n; (*at)++)
        if (u->slot[*at].user)
            return u->slot[(*at)++].user;
    return NULL;
}

void users_remove_walked(struct users *u, uint64_t *at)
{
    (*at)--;
    remove_slot(u, *at);
}

uint8_t users_new_mark(struct users *u)
{
    return ++u->mark;
}

void users_mark(struct users *u, struct slice name)
{
    bool found;
    uint64_t at = locate(u, hg_siphash64(&u->secret, name.p, name.len), name, &found);

    if (found)
        u->slot[at].user->mark = u->mark;
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
