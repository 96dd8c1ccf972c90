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

struct users {
    struct hg_hash_secret secret;
    struct slot *slot;
    unsigned bits;
    uint32_t count;
    uint8_t mark;
    uint16_t nodes;
    char node[HG_NODES_MAX][HG_NODE_NAME_MAX + 1];
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

void users_free(struct users *u)
{
    if (!u)
        return;
    for (uint64_t i = 0; i < slots(u); i++)
        free(u->slot[i].user);
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

struct user *users_set(struct users *u, struct slice name, uint16_t node, bool *changed)
{
    uint64_t hash = hg_siphash64(&u->secret, name.p, name.len);
    bool found;
    uint64_t i = locate(u, hash, name, &found);

    *changed = true;
    if (found) {
        struct user *user = u->slot[i].user;
        *changed = user->node != node;
        user->node = node;
        user->mark = u->mark;
        return user;
    }
    int64_t at = find_at(name);
    if (name.len > USERS_NAME_MAX || at < 0)
        return NULL;
    struct user *user = malloc(sizeof(*user) + name.len + 1);
    if (!user)
        return NULL;
    user->node = node;
    user->at = (uint16_t)at;
    user->len = (uint16_t)name.len;
    user->mark = u->mark;
    memcpy(user->name, name.p, name.len);
    user->name[name.len] = '\0';
    struct slot s = {.hash = hash, .user = user};
    if (u->count >= ((uint64_t)1 << u->bits) / 8 * 6) {
        if (!grow(u)) {
            free(user);
            return NULL;
        }
        i = locate(u, hash, name, &found);
    }
    while (!insert(u, i, s)) {
        if (!grow(u)) {
            free(user);
            return NULL;
        }
        i = locate(u, hash, name, &found);
    }
    u->count++;
    return user;
}

const struct user *users_find(const struct users *u, struct slice name)
{
    bool found;
    uint64_t i = locate(u, hg_siphash64(&u->secret, name.p, name.len), name, &found);

    return found ? u->slot[i].user : NULL;
}

static void remove_slot(struct users *u, uint64_t i)
{
    free(u->slot[i].user);
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

bool users_is_marked(const struct users *u, const struct user *user)
{
    return user->mark == u->mark;
}

uint16_t users_node_find(const struct users *u, struct slice name)
{
    for (uint16_t i = 1; i <= u->nodes; i++)
        if (slice_eq(slice_str(u->node[i]), name))
            return i;
    return 0;
}

uint16_t users_node(struct users *u, struct slice name)
{
    uint16_t i = users_node_find(u, name);

    if (i || u->nodes + 1 >= HG_NODES_MAX || name.len == 0 || name.len > HG_NODE_NAME_MAX)
        return i;
    i = ++u->nodes;
    memcpy(u->node[i], name.p, name.len);
    u->node[i][name.len] = '\0';
    return i;
}

const char *users_node_name(const struct users *u, uint16_t node)
{
    return node >= 1 && node <= u->nodes ? u->node[node] : "";
}
