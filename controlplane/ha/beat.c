/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/beat.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* Layout, big endian. Bytes that are not named are zero and must be. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_KIND = 5,
    AT_PATH = 6,
    AT_GRANTS = 7,
    AT_CLUSTER = 8,
    AT_FROM = 16,
    AT_TO = 18,
    AT_PROTOCOL = 20,
    AT_BOOT = 24,
    AT_SEQ = 32,
    AT_ECHO_BOOT = 40,
    AT_ECHO_SEQ = 48,
    AT_TERM = 56,
    AT_REV = 64,
    AT_EPOCH = 72,
    AT_ROW = 80,
    AT_LOAD = 82,
    AT_FLAGS = 84,
    AT_SERVICES = 88,
    AT_WATCHED = 96,
    AT_TRAIN = 104,
    AT_INDEX = 108,
    AT_ORDER = 112,
    AT_UNRESOLVED = 120,
    AT_LEASE = 128,
    AT_SPAN = 132,
    AT_APPLIED_TERM = 136,
    AT_APPLIED_SEQ = 144,
    AT_END = 152,
};
static_assert(AT_END + BEAT_MAC <= BEAT_SIZE, "the fields fit");

static void put(uint8_t *out, unsigned at, unsigned bytes, uint64_t v)
{
    for (unsigned i = 0; i < bytes; i++)
        out[at + i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

static uint64_t get(const uint8_t *in, unsigned at, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | in[at + i];
    return v;
}

static void mac(const struct beat_key *key, const uint8_t *data, size_t len, uint8_t out[BEAT_MAC])
{
    unsigned n = BEAT_MAC;
    HMAC(EVP_sha256(), key->k, sizeof(key->k), data, len, out, &n);
}

void beat_key_derive(const char *secret, const char *cluster, struct beat_key *out)
{
    static const char purpose[] = "heliograph heartbeat 1:";
    uint8_t text[sizeof(purpose) + 256];
    size_t name = strnlen(cluster, 256), n = sizeof(purpose) - 1;

    memcpy(text, purpose, n);
    memcpy(text + n, cluster, name);
    unsigned len = BEAT_MAC;
    HMAC(EVP_sha256(), secret, (int)strlen(secret), text, n + name, out->k, &len);
}

uint64_t beat_cluster(const char *cluster)
{
    uint8_t digest[BEAT_MAC];
    unsigned n = 0;

    EVP_Digest(cluster, strlen(cluster), digest, &n, EVP_sha256(), NULL);
    return get(digest, 0, 8);
}

static size_t length_of(enum beat_kind kind)
{
    return kind == BEAT_PROBE ? BEAT_TRAIN : BEAT_SIZE;
}

size_t beat_encode(const struct beat *b, const struct beat_key *key, uint64_t cluster, uint8_t *out)
{
    size_t len = length_of(b->kind);

    memset(out, 0, len);
    put(out, AT_MAGIC, 4, BEAT_MAGIC);
    put(out, AT_VERSION, 1, BEAT_VERSION);
    put(out, AT_KIND, 1, b->kind);
    put(out, AT_PATH, 1, b->path);
    put(out, AT_GRANTS, 1, b->grants);
    put(out, AT_CLUSTER, 8, cluster);
    put(out, AT_FROM, 2, b->from);
    put(out, AT_TO, 2, b->to);
    put(out, AT_PROTOCOL, 4, b->protocol);
    put(out, AT_BOOT, 8, b->boot);
    put(out, AT_SEQ, 8, b->seq);
    put(out, AT_ECHO_BOOT, 8, b->echo_boot);
    put(out, AT_ECHO_SEQ, 8, b->echo_seq);
    put(out, AT_TERM, 8, b->term);
    put(out, AT_REV, 8, b->rev);
    put(out, AT_EPOCH, 8, b->epoch);
    put(out, AT_ROW, 2, b->row);
    put(out, AT_LOAD, 1, b->load);
    put(out, AT_FLAGS, 4, b->flags);
    put(out, AT_SERVICES, 8, b->services);
    put(out, AT_WATCHED, 8, b->watched);
    put(out, AT_TRAIN, 4, b->train);
    put(out, AT_INDEX, 4, b->index);
    put(out, AT_ORDER, 8, b->order);
    put(out, AT_UNRESOLVED, 8, b->unresolved);
    put(out, AT_LEASE, 4, b->lease);
    put(out, AT_SPAN, 4, b->span);
    put(out, AT_APPLIED_TERM, 8, b->applied_term);
    put(out, AT_APPLIED_SEQ, 8, b->applied_seq);
    mac(key, out, len - BEAT_MAC, out + len - BEAT_MAC);
    return len;
}

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static void fields(const uint8_t *in, struct beat *b)
{
    *b = (struct beat){
        .kind = (enum beat_kind)in[AT_KIND],
        .path = (enum beat_path)in[AT_PATH],
        .grants = in[AT_GRANTS],
        .from = (uint16_t)get(in, AT_FROM, 2),
        .to = (uint16_t)get(in, AT_TO, 2),
        .protocol = (uint32_t)get(in, AT_PROTOCOL, 4),
        .boot = get(in, AT_BOOT, 8),
        .seq = get(in, AT_SEQ, 8),
        .echo_boot = get(in, AT_ECHO_BOOT, 8),
        .echo_seq = get(in, AT_ECHO_SEQ, 8),
        .term = get(in, AT_TERM, 8),
        .rev = get(in, AT_REV, 8),
        .epoch = get(in, AT_EPOCH, 8),
        .row = (uint16_t)get(in, AT_ROW, 2),
        .load = (uint8_t)get(in, AT_LOAD, 1),
        .flags = (uint32_t)get(in, AT_FLAGS, 4),
        .services = get(in, AT_SERVICES, 8),
        .watched = get(in, AT_WATCHED, 8),
        .train = (uint32_t)get(in, AT_TRAIN, 4),
        .index = (uint32_t)get(in, AT_INDEX, 4),
        .order = get(in, AT_ORDER, 8),
        .unresolved = get(in, AT_UNRESOLVED, 8),
        .lease = (uint32_t)get(in, AT_LEASE, 4),
        .span = (uint32_t)get(in, AT_SPAN, 4),
        .applied_term = get(in, AT_APPLIED_TERM, 8),
        .applied_seq = get(in, AT_APPLIED_SEQ, 8),
    };
}

enum beat_result beat_decode(const uint8_t *data, size_t len, const struct beat_key *key, uint64_t cluster,
                             struct beat *out)
{
    uint8_t expected[BEAT_MAC];

    if (len < BEAT_SIZE || get(data, AT_MAGIC, 4) != BEAT_MAGIC || data[AT_VERSION] != BEAT_VERSION)
        return BEAT_GARBLED;
    if (data[AT_KIND] < BEAT_ASK || data[AT_KIND] >= BEAT_KINDS || data[AT_PATH] >= BEAT_PATHS ||
        data[AT_GRANTS] > 3 || len != length_of((enum beat_kind)data[AT_KIND]))
        return BEAT_GARBLED;
    if (get(data, AT_CLUSTER, 8) != cluster)
        return BEAT_FOREIGN;
    mac(key, data, len - BEAT_MAC, expected);
    if (CRYPTO_memcmp(expected, data + len - BEAT_MAC, BEAT_MAC) != 0)
        return BEAT_FORGED;
    if (!is_zero(data + AT_LOAD + 1, AT_FLAGS - AT_LOAD - 1) ||
        !is_zero(data + AT_END, len - BEAT_MAC - AT_END))
        return BEAT_GARBLED;
    fields(data, out);
    return out->boot != 0 && out->seq != 0 && out->from != out->to ? BEAT_GOOD : BEAT_GARBLED;
}
