/* SPDX-License-Identifier: BSD-2-Clause */
/* Heartbeats from anywhere. First byte: what is done with the rest before it is decoded: 0 nothing, 1 a right
 * MAC is put behind it, so that the fields themselves are fuzzed. What is taken says the same when it is sent
 * again, and the window never takes a beat twice. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ha/beat.h"
#include "ha/beat_window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sign(uint8_t *wire, size_t len, const struct beat_key *key, uint64_t cluster)
{
    unsigned n = BEAT_MAC;

    for (unsigned i = 0; i < 8; i++)
        wire[8 + i] = (uint8_t)(cluster >> 8 * (7 - i));
    HMAC(EVP_sha256(), key->k, sizeof(key->k), wire, len - BEAT_MAC, wire + len - BEAT_MAC, &n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct beat_key key;
    struct beat_window window;
    struct beat beat;
    uint8_t again[BEAT_TRAIN];

    if (size < 1)
        return 0;
    bool good_mac = data[0] & 1;
    size_t len = size - 1;
    uint8_t *wire = malloc(len ? len : 1); /* exactly as long: a read behind it is seen */
    if (!wire)
        return 0;
    memcpy(wire, data + 1, len);
    uint64_t cluster = beat_cluster("c");
    beat_key_derive("s", "c", &key);
    if (good_mac && len >= BEAT_SIZE)
        sign(wire, len, &key, cluster);
    enum beat_result result = beat_decode(wire, len, &key, cluster, &beat);
    if (result == BEAT_GOOD) {
        if (!good_mac || beat_encode(&beat, &key, cluster, again) != len || memcmp(again, wire, len) != 0)
            abort();
        beat_window_init(&window, 7);
        for (unsigned i = 0; i < 3; i++)
            beat_window_send(&window, i + 1);
        enum beat_verdict first = beat_window_take(&window, &beat);
        if ((first == BEAT_FRESH || first == BEAT_NEW_START) &&
            beat_window_take(&window, &beat) != BEAT_REPLAYED)
            abort();
        (void)beat_window_echo(&window, &beat);
    }
    free(wire);
    return 0;
}
