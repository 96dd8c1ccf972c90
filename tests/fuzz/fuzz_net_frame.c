/* SPDX-License-Identifier: BSD-2-Clause */
/* Raw frames into the network room of one core: {port and pause, length, bytes}... of one input. After each,
 * exactly one disposition; whatever happened, every buffer comes back in the end. Checksums are mended on the
 * way in, so that the fuzzer gets behind them. */
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../unit/net/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void mend4(uint8_t *b, uint32_t len)
{
    uint32_t header = (b[14] & 15u) * 4;
    if (header < 20 || 14 + header > len)
        return;
    fix_ip4(b);
    uint32_t total = (uint32_t)b[16] << 8 | b[17];
    if (b[23] == 1 && total >= header + 8 && 14 + total <= len) {
        put16(b + 14 + header + 2, 0);
        put16(b + 14 + header + 2, sum_of(b + 14 + header, total - header, 0));
    }
    if (b[23] == 17 && total >= header + 8 && 14 + total <= len)
        put16(b + 14 + header + 6, 0);
}

static void mend6(uint8_t *b, uint32_t len)
{
    uint32_t payload = (uint32_t)b[18] << 8 | b[19], start = payload;
    if (len < 62 || payload < 8 || 54 + payload > len || (b[20] != 58 && b[20] != 17))
        return;
    uint8_t *field = b + 54 + (b[20] == 58 ? 2 : 6);
    for (unsigned i = 22; i < 54; i += 2)
        start += (uint32_t)b[i] << 8 | b[i + 1];
    put16(field, 0);
    uint16_t sum = sum_of(b + 54, payload, start + b[20]);
    put16(field, sum ? sum : 0xffff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t b[2048];
    struct rig *rig = rig_open(NULL);
    for (unsigned frames = 0; size > 3 && frames < 60; frames++) {
        uint8_t how = data[0];
        uint32_t len = ((uint32_t)data[1] << 8 | data[2]) % 1600;
        data += 3;
        size -= 3;
        if (len > size)
            len = (uint32_t)size;
        memcpy(b, data, len);
        data += len;
        size -= len;
        if ((how & 2) && len >= 34 && b[12] == 8 && b[13] == 0)
            mend4(b, len);
        if ((how & 2) && len >= 54 && b[12] == 0x86 && b[13] == 0xdd)
            mend6(b, len);
        rig_feed(rig, how & 1, b, len);
        rig_wait(rig, (how >> 2) * 8u);
        rig_flush(rig);
        rig_free_out(rig);
    }
    rig_close(rig);
    return 0;
}
