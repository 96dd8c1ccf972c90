/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyed hashes of a burst, as many at a time as there are lanes: the user's key, with which the table is
 * asked, and the MAC of the branch that a stateless copy would get. */
#include "sip/forward.h"

void batch_init(struct sip *s)
{
    s->hash_lanes = hash_lanes_best();
    s->isa = sip_isa_best();
    hash_lanes_reset(&s->keys.h);
    hash_lanes_reset(&s->macs.h);
}

void batch_fetch(struct sip *s)
{
    if (s->fetched < s->fetches)
        route_user_prefetch(s->route, &s->fetch[s->fetched++]->key);
}

/* The lines of the user table are fetched one message at a time, while others are worked on: a CPU has few
 * fetches under way, and all at once would wait for one another. */
static void keys_done(struct sip *s)
{
    struct batch *b = &s->keys;
    unsigned n = b->h.n;
    if (n == 0)
        return;
    s->hash_lanes(&b->h, route_user_secret(s->route), true);
    hash_lanes_reset(&b->h);
    while (s->fetched < s->fetches)
        batch_fetch(s);
    for (unsigned i = 0; i < n; i++) {
        b->w[i]->key = (struct hg_user_key){{b->h.out[0][i], b->h.out[1][i]}};
        s->fetch[i] = b->w[i];
    }
    s->fetched = 0;
    s->fetches = n;
}

static void macs_done(struct sip *s)
{
    struct batch *b = &s->macs;
    unsigned n = b->h.n;
    if (n == 0)
        return;
    s->hash_lanes(&b->h, &s->secret, false);
    hash_lanes_reset(&b->h);
    for (unsigned i = 0; i < n; i++)
        b->w[i]->branch_mac = (uint32_t)b->h.out[0][i];
}

void batch_user_key(struct sip *s, struct work *w)
{
    struct batch *b = &s->keys;
    unsigned lane = b->h.n;
    uint32_t words = hg_user_key_words(w->user, &s->domain, &b->h.word[0][lane], HASH_LANES, HASH_LANE_WORDS);
    if (unlikely(words == 0)) {
        w->key = hg_user_key_in(route_user_secret(s->route), w->user, &s->domain);
        route_user_prefetch(s->route, &w->key);
        return;
    }
    b->w[lane] = w;
    hash_lanes_added(&b->h, words);
    if (b->h.n == HASH_LANES)
        keys_done(s);
}

void batch_branch(struct sip *s, struct work *w)
{
    struct batch *b = &s->macs;
    unsigned lane = b->h.n;
    if (s->branch_kind == 0)
        return;
    w->loop_hash = validate_loop_hash(s, w);
    stateless_branch(s, w, s->branch_kind, &w->branch);
    branch_mac_words(&w->branch, &b->h.word[0][lane], HASH_LANES);
    w->has_branch = true;
    b->w[lane] = w;
    hash_lanes_added(&b->h, BRANCH_MAC_WORDS);
    if (b->h.n == HASH_LANES)
        macs_done(s);
}

void batch_done(struct sip *s, unsigned n)
{
    keys_done(s);
    macs_done(s);
    while (n <= HASH_LANES && s->fetched < s->fetches)
        batch_fetch(s);
}
