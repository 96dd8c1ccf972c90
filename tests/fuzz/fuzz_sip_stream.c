/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream all at once, and the same stream in pieces and growing by a few bytes at a time: the same messages
 * end at the same bytes, and every whole one is taken whole by the index pass. The first byte says how it is
 * cut. */
#include <stdlib.h>

#include "sip/frame.h"

#define MAX    4096
#define PIECES 4096

#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            abort();                                                                                         \
    } while (0)

static unsigned cut(struct slice *s, const char *p, uint32_t len, uint32_t piece)
{
    unsigned n = 0;
    for (uint32_t at = 0; at < len && n < PIECES; at += s[n++].len)
        s[n] = slice_of(p + at, len - at < piece ? len - at : piece);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[SIP_HEAD_MAX];
    static struct sip_msg m;
    static struct slice s[PIECES];
    if (size < 1 || size > PIECES)
        return 0;
    uint32_t piece = 1 + data[0] % 61, step = 1 + data[0] / 8;
    const char *p = (const char *)data + 1;
    uint32_t left = (uint32_t)size - 1;
    for (;;) {
        struct slice all = slice_of(p, left);
        uint32_t blank = sip_frame_blank(&all, 1);
        p += blank;
        left -= blank;
        all = slice_of(p, left);
        if (left == 0)
            return 0;
        struct sip_frame once = {0}, grown = {0};
        enum sip_frame_result want = sip_frame(&once, &all, 1, MAX, &m, room), got = SIP_FRAME_MORE;
        for (uint32_t have = 0; got == SIP_FRAME_MORE && have < left;) {
            have = left - have < step ? left : have + step;
            got = sip_frame(&grown, s, cut(s, p, have, piece), MAX, &m, room);
        }
        CHECK(got == want);
        if (want != SIP_FRAME_WHOLE)
            return 0;
        CHECK(once.whole == grown.whole && once.head == grown.head && once.whole <= left);
        enum sip_result r = sip_index(&m, p, once.whole, false, SIP_HEADERS_MAX);
        CHECK(r == SIP_BAD || (r == SIP_DONE && m.len == once.whole && m.buf == p));
        p += once.whole;
        left -= once.whole;
    }
}
