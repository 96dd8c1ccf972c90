/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments by instruction: each 5 bytes of input make one {flags, id, offset, length, fill}. A model that
 * keeps every byte ever accepted says whether what comes up is right: a datagram may only be made of bytes
 * that were sent, none of them twice with different values. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../unit/net/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IDS  4
#define SPAN (256 * 8 + 64)

struct model {
    uint8_t byte[SPAN];
    bool known[SPAN], mixed; /* mixed: two pieces met on a byte with different values */
    uint64_t since;          /* when the datagram began, 0 = not yet */
};

static void model_add(struct model *m, uint32_t at, const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (m->known[at + i] && m->byte[at + i] != p[i])
            m->mixed = true;
        m->known[at + i] = true;
        m->byte[at + i] = p[i];
    }
}

static void check(const struct model *m, const struct datagram *d)
{
    if (m->mixed || 8 + d->len > SPAN)
        abort();
    for (uint32_t i = 0; i < d->len; i++)
        if (!m->known[8 + i] || m->byte[8 + i] != (uint8_t)d->data[i])
            abort();
}

/* What is dropped alone or is a whole datagram says nothing about the datagram in pieces. */
static bool stands_alone(uint32_t at, uint32_t len, bool more)
{
    return len == 0 || (more && len % 8) || (at == 0 && (len < 8 || !more));
}

static void judge(struct model *m, unsigned verdict, const struct rig *rig, uint32_t at, const uint8_t *piece,
                  uint32_t len)
{
    switch (verdict) {
    case HG_C_net_parked_fragments:
        model_add(m, at, piece, len);
        return;
    case HG_C_net_absorbed: /* an exact repeat */
        return;
    case HG_C_net_up_datagrams:
        model_add(m, at, piece, len);
        check(m, &rig->out[0]);
        memset(m, 0, sizeof(*m));
        return;
    case HG_DROP_frag_bad: /* refused with all its pieces, until its time is over */
        memset(m, 0, offsetof(struct model, since));
        return;
    default: /* whole, and then refused by UDP */
        memset(m, 0, sizeof(*m));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model models[2 * IDS];
    static uint8_t b[SPAN + 128], piece[SPAN];
    memset(models, 0, sizeof(models));
    struct rig *rig = rig_open(NULL);
    for (unsigned n = 0; size >= 5 && n < 100; n++, data += 5, size -= 5) {
        bool is6 = data[0] & 1, more = data[0] & 2;
        uint32_t id = data[1] % IDS, at = data[2] * 8u;
        uint32_t len = (data[3] % 8u) * 8 + (data[0] & 4 ? data[3] >> 5 : 0);
        struct model *m = &models[(is6 ? IDS : 0) + id];
        memset(piece, data[4], len);
        if (at == 0 && len >= 8) /* a UDP header to the listener; the input chooses the length */
            memcpy(piece, (uint8_t[]){0x0f, 0xa0, 0x13, 0xc4, (uint8_t)(data[4] >> 4), data[4], 0, 0}, 8);
        if (m->since && m->since + 2000 <= rig->ctx.ms)
            memset(m, 0, sizeof(*m));
        if (!m->since && !stands_alone(at, len, more))
            m->since = rig->ctx.ms;
        unsigned verdict =
            rig_feed(rig, 0, b,
                     make_fragment(b, is6 ? "fd00::9" : "10.0.0.9", is6 ? "fd00::1" : "10.0.0.1", 17, id, at,
                                   more, piece, len));
        if (!stands_alone(at, len, more))
            judge(m, verdict, rig, at, piece, len);
        if (data[0] & 0x80)
            rig_wait(rig, (data[0] >> 3 & 15) * 200u);
        rig_flush(rig);
        rig_free_out(rig);
    }
    rig_close(rig);
    return 0;
}
