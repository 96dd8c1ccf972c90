/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames on their way to other cores, as they came: what the port could not steer, and what belongs to a hot
 * flow. A trunk is often one flow, and a flow is one core's by hash. When one sends so much that a core would
 * drown, its datagrams are spread by Call-ID before anything else is done to them: the core that receives for
 * all reads the headers and looks for the Call-ID, the checksum and the parser run where the message goes. */
#include <string.h>

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "core/core.h"
#include "core/steer.h"
#include "lib/mailbox.h"
#include "sip/sip.h"

#define HOT_WINDOW 8   /* ms */
#define HOT_FRAMES 512 /* of one flow in a window: 64,000/s */
#define AHEAD      4
#define AHEAD_HOT  6
#define LINE       64
#define SLACK      32 /* how much shorter a message may be before it costs a second look */

/* Flows that share a slot are hot together: they are then spread, which is harmless. */
static bool flow_is_hot(struct core *core, uint32_t hash)
{
    struct hot_flow *f = &core->flow[hash % CORE_FLOWS];
    uint64_t window = core->ctx.ms / HOT_WINDOW + 1;

    if (f->window != window) {
        f->before = f->window + 1 == window ? f->now : 0;
        f->now = 0;
        f->window = window;
    }
    f->now++;
    if (f->now <= HOT_FRAMES && f->before <= HOT_FRAMES)
        return false;
    core->hot_ms = core->ctx.ms;
    return true;
}

/* true: *to is the core for this datagram of a hot flow. */
static bool spray(struct core *core, const struct rte_mbuf *m, unsigned *to)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    uint32_t len = rte_pktmbuf_data_len(m), at;
    uint32_t from = core->hot_at > SLACK ? core->hot_at - SLACK : 0;
    struct hg_ip src;

    if (!steer_payload(frame, len, &src, &at) ||
        !sip_spray(core->sip, &src, (const char *)frame + at, len - at, &from, to))
        return false;
    core->hot_at = from < core->hot_at ? from : core->hot_at + (from - core->hot_at) / 16;
    return true;
}

/* Every line that this core does not touch is one that the other need not fetch from here. */
static void prefetch_frame(const struct core *core, const struct rte_mbuf *m, bool hot)
{
    const char *p = rte_pktmbuf_mtod(m, const char *);

    rte_prefetch0(p);
    if (!hot)
        return;
    p += core->hot_at;
    rte_prefetch0(p);
    rte_prefetch0(p + LINE);
}

/* One burst of mail to each core that gets any, so that the ring is touched once. Returns what is sent back
 * to the caller: datagrams of a hot flow whose core is behind stay here. */
static unsigned send_away(struct core *core, struct mail *mail, const uint8_t *to, unsigned n,
                          struct rte_mbuf **kept)
{
    struct ctx *c = &core->ctx;
    unsigned back = 0;

    for (unsigned first = 0; first < n; first++) {
        struct mail box[CORE_BURST];
        unsigned k = 0, sprayed = 0;
        if (mail[first].m == NULL)
            continue;
        for (unsigned i = first; i < n; i++) {
            if (to[i] != to[first] || mail[i].m == NULL)
                continue;
            box[k++] = mail[i];
            mail[i].m = NULL;
        }
        unsigned sent = mail_send_burst(c, to[first], box, k);
        for (unsigned i = 0; i < sent; i++)
            sprayed += box[i].kind == MAIL_RX_SPRAYED;
        hg_count(c->counters, HG_C_net_handed_over, sent);
        hg_count(c->counters, HG_C_sip_sprayed, sprayed);
        for (unsigned i = sent; i < k; i++) {
            if (box[i].kind == MAIL_RX_SPRAYED) {
                kept[back++] = box[i].m;
            } else {
                ctx_count(c, HG_DROP_mail_full);
                rte_pktmbuf_free(box[i].m);
            }
        }
    }
    return back;
}

unsigned steer_burst(struct core *core, uint16_t port, struct rte_mbuf **m, unsigned n, bool all)
{
    struct ctx *c = &core->ctx;
    struct mail mail[CORE_BURST];
    uint8_t to[CORE_BURST];
    unsigned kept = 0, away = 0;
    bool hot = core->hot_ms + HOT_WINDOW > c->ms;
    unsigned ahead = hot ? AHEAD_HOT : AHEAD;

    for (unsigned i = 0; i < n && i < ahead; i++)
        prefetch_frame(core, m[i], hot);
    for (unsigned i = 0; i < n; i++) {
        uint8_t kind = MAIL_RX_FRAME;
        uint32_t hash;
        if (i + ahead < n)
            prefetch_frame(core, m[i + ahead], hot);
        enum steer_kind is =
            steer_hash(rte_pktmbuf_mtod(m[i], const uint8_t *), rte_pktmbuf_data_len(m[i]), c->boot, &hash);
        bool home = is == STEER_HERE || (is == STEER_FLOW && !all);
        unsigned core_of = home ? c->core : steer_core(hash, c->cores);
        if (is == STEER_FLOW && flow_is_hot(core, hash) && spray(core, m[i], &core_of))
            kind = MAIL_RX_SPRAYED;
        if (core_of == c->core) {
            m[kept++] = m[i];
            continue;
        }
        to[away] = (uint8_t)core_of;
        mail[away++] = (struct mail){.kind = kind,
                                     .a = port,
                                     .b = (uint32_t)(rte_pktmbuf_mtod(m[i], char *) - (char *)m[i]),
                                     .m = m[i]};
    }
    if (away > 0)
        kept += send_away(core, mail, to, away, m + kept);
    return kept;
}
