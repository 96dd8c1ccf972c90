/* SPDX-License-Identifier: BSD-2-Clause */
/* The branch parameter of our own Via: it says who made it (node, boot, core), whether state stands behind
 * it, and carries a MAC, so that a response finds its owner and nobody can make us forward what we never
 * sent. z9hG4bK kind(1) node(2) boot(8) core(2) id(16) loop(8) mac(8), hex */
#ifndef SIP_BRANCH_H
#define SIP_BRANCH_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/slice.h"
#include "hg/user_key.h"

#define BRANCH_MAGIC "z9hG4bK"
#define BRANCH_LEN   52

#define BRANCH_STATELESS   's'
#define BRANCH_TRANSACTION 't'
/* the same, done for a user of the node that made it: fenced by its lease */
#define BRANCH_STATELESS_FENCED   'u'
#define BRANCH_TRANSACTION_FENCED 'v'

struct branch {
    uint64_t id;   /* stateless: what 16.11 wants equal over retransmissions; else generation << 32 | index */
    uint32_t loop; /* RFC 5393: hash of what decides about routing */
    uint32_t boot;
    uint8_t kind;
    uint8_t node;
    uint8_t core;
    uint8_t pad[5];
};

enum branch_origin {
    BRANCH_FOREIGN,    /* not of our making */
    BRANCH_OURS,       /* this boot of this node, MAC right */
    BRANCH_OTHER_BOOT, /* our form, from another node or an earlier start: its MAC cannot be checked */
    BRANCH_FORGED,     /* claims to be of this boot, and is not */
};

/* What the MAC is made of: id, loop, boot, kind, node and core, that is the struct without its padding, as
 * words for SipHash, each stride words behind the one before. */
#define BRANCH_MAC_BYTES 19
#define BRANCH_MAC_WORDS 3
static inline void branch_mac_words(const struct branch *b, uint64_t *word, unsigned stride)
{
    word[0] = b->id;
    word[stride] = b->loop | (uint64_t)b->boot << 32;
    word[2 * stride] =
        b->kind | (uint64_t)b->node << 8 | (uint64_t)b->core << 16 | (uint64_t)BRANCH_MAC_BYTES << 56;
}

static inline uint8_t branch_kind(bool transaction, bool fenced)
{
    return (uint8_t)((transaction ? BRANCH_TRANSACTION : BRANCH_STATELESS) + (fenced ? 2 : 0));
}

static inline bool branch_is_transaction(const struct branch *b)
{
    return b->kind == BRANCH_TRANSACTION || b->kind == BRANCH_TRANSACTION_FENCED;
}

static inline bool branch_is_fenced(const struct branch *b)
{
    return b->kind == BRANCH_STATELESS_FENCED || b->kind == BRANCH_TRANSACTION_FENCED;
}

/* out has room for BRANCH_LEN bytes. */
void branch_write(const struct hg_hash_secret *secret, const struct branch *b, char *out);
/* The same when the MAC is known. */
void branch_write_with(const struct branch *b, uint32_t mac, char *out);
enum branch_origin branch_read(const struct hg_hash_secret *secret, uint8_t node, uint32_t boot,
                               struct slice text, struct branch *b);

#endif
