/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/branch.h"

#include <string.h>

#include "sip/text.h"

static uint32_t branch_mac(const struct hg_hash_secret *secret, const struct branch *b)
{
    return (uint32_t)hg_siphash64(secret, b, sizeof(*b));
}

void branch_write(const struct hg_hash_secret *secret, const struct branch *b, char *out)
{
    struct branch clean = *b;
    memset(clean.pad, 0, sizeof(clean.pad));
    memcpy(out, BRANCH_MAGIC, 7);
    out[7] = (char)b->kind;
    hex_write(out + 8, b->node, 2);
    hex_write(out + 10, b->boot, 8);
    hex_write(out + 18, b->core, 2);
    hex_write(out + 20, b->id, 16);
    hex_write(out + 36, b->loop, 8);
    hex_write(out + 44, branch_mac(secret, &clean), 8);
}

enum branch_origin branch_read(const struct hg_hash_secret *secret, uint8_t node, uint32_t boot,
                               struct slice text, struct branch *b)
{
    uint64_t node_, boot_, core, id, loop, mac;
    if (text.len != BRANCH_LEN || memcmp(text.p, BRANCH_MAGIC, 7) != 0)
        return BRANCH_FOREIGN;
    memset(b, 0, sizeof(*b));
    b->kind = (uint8_t)text.p[7];
    if (b->kind != BRANCH_STATELESS && b->kind != BRANCH_TRANSACTION && b->kind != BRANCH_FENCED)
        return BRANCH_FOREIGN;
    if (!hex_read(text.p + 8, 2, &node_) || !hex_read(text.p + 10, 8, &boot_) ||
        !hex_read(text.p + 18, 2, &core) || !hex_read(text.p + 20, 16, &id) ||
        !hex_read(text.p + 36, 8, &loop) || !hex_read(text.p + 44, 8, &mac))
        return BRANCH_FOREIGN;
    b->node = (uint8_t)node_;
    b->boot = (uint32_t)boot_;
    b->core = (uint8_t)core;
    b->id = id;
    b->loop = (uint32_t)loop;
    if (b->node != node || b->boot != boot)
        return BRANCH_OTHER_BOOT;
    return branch_mac(secret, b) == (uint32_t)mac ? BRANCH_OURS : BRANCH_FORGED;
}
