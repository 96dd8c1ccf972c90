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

#define HOT_FRAMES 512 /* of one flow in CORE_HOT_MS: 64,000/s */
#define BALANCE_MS 2   /* between two looks at the loads: each core tells its own every millisecond */
#define AHEAD      4
#define AHEAD_HOT  6
#define LINE       64
#define SLACK      32 /* how much shorter a message may be before it costs a second look */

struct away { /* frames of one burst that belong to other cores */
    unsigned n;
    struct mail mail[CORE_BURST];
    struct hg_ip src[CORE_BURST]; /* of sprayed ones */
    uint8_t to[CORE_BURST];
};

/* Flows that share a slot are hot together: they are then spread, which is harmless. */
static bool flow_is_hot(struct core *core, uint32_t hash)
{
    struct hot_flow *f = &core->flow[hash % CORE_FLOWS];
    uint64_t window = core->ctx.ms / CORE_HOT_MS + 1;

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

/* true: *to is the core for this datagram of a hot flow; again: of the flow last noted. */
static bool spray(struct core *core, const struct rte_mbuf *m, bool again, struct hg_ip *src, unsigned *to)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    uint32_t len = rte_pktmbuf_data_len(m), at = STEER_PLAIN_PAYLOAD;
    uint32_t from = core->hot_at > SLACK ? core->hot_at - SLACK : 0;
    struct sip_call call;

    if (again)
        *src = core->last_flow.src;
    else if (!steer_payload(frame, len, src, &at))
        return false;
    if (!sip_spray(core->sip, (const char *)frame + at, len - at, &from, &call))
        return false;
    core->hot_at = from < core->hot_at ? from : core->hot_at + (from - core->hot_at) / 16;
    *to = share_core(&core->share, call.owner, call.hash);
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

/* The guard of this core lets sprayed datagrams pass, a run of one source at a time. The others stay, and the
 * usual way says why. Returns how many. */
static unsigned refuse(struct core *core, struct away *a, struct rte_mbuf **kept)
{
    unsigned back = 0;

    for (unsigned first = 0, next; first < a->n; first = next) {
        next = first + 1;
        if (a->mail[first].kind != MAIL_RX_SPRAYED)
            continue;
        while (next < a->n && a->mail[next].kind == MAIL_RX_SPRAYED &&
               hg_ip_eq(&a->src[next], &a->src[first]))
            next++;
        for (unsigned i = first + sip_spray_admit(core->sip, &a->src[first], next - first); i < next; i++) {
            kept[back++] = a->mail[i].m;
            a->mail[i].m = NULL;
        }
    }
    return back;
}

/* It was admitted, and is now asked like any other. */
static void refund(struct core *core, const struct rte_mbuf *m)
{
    struct hg_ip src;
    uint32_t at;
    if (steer_payload(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m), &src, &at))
        sip_spray_refund(core->sip, &src);
}

/* Mails the burst; datagrams of a hot flow whose core is behind stay here. Returns how many. */
static unsigned post(struct core *core, unsigned to, struct mail *box, unsigned n, struct rte_mbuf **kept)
{
    struct ctx *c = &core->ctx;
    unsigned back = 0, sprayed = 0, sent = mail_send_burst(c, to, box, n);

    for (unsigned i = 0; i < sent; i++)
        sprayed += box[i].kind == MAIL_RX_SPRAYED;
    hg_count(c->counters, HG_C_net_handed_over, sent);
    hg_count(c->counters, HG_C_sip_sprayed, sprayed);
    for (unsigned i = sent; i < n; i++) {
        if (box[i].kind == MAIL_RX_SPRAYED) {
            refund(core, box[i].m);
            kept[back++] = box[i].m;
        } else {
            ctx_count(c, HG_DROP_mail_full);
            rte_pktmbuf_free(box[i].m);
        }
    }
    return back;
}

/* One burst of mail to each core that gets any, so that the ring is touched once. Returns how many stay. */
static unsigned send_away(struct core *core, struct away *a, struct rte_mbuf **kept)
{
    unsigned back = refuse(core, a, kept);

    for (unsigned first = 0; first < a->n; first++) {
        struct mail box[CORE_BURST];
        unsigned k = 0;
        for (unsigned i = first; a->mail[first].m != NULL && i < a->n; i++) {
            if (a->to[i] != a->to[first] || a->mail[i].m == NULL)
                continue;
            box[k++] = a->mail[i];
            if (i > first)
                a->mail[i].m = NULL;
        }
        if (k > 0)
            back += post(core, a->to[first], box, k, kept + back);
    }
    return back;
}

static void balance(struct core *core)
{
    const struct mail_board *board = core->mail_out.board;
    unsigned cores = core->ctx.cores;
    uint32_t load[HG_CORES_MAX];

    core->balanced_ms = core->ctx.ms;
    for (unsigned i = 0; i < cores; i++)
        load[i] = atomic_load_explicit(&board[i].load, memory_order_relaxed);
    share_balance(&core->share, load, cores);
}

unsigned steer_burst(struct core *core, uint16_t port, struct rte_mbuf **m, unsigned n, bool all)
{
    struct ctx *c = &core->ctx;
    struct away away;
    unsigned kept = 0;
    bool hot = core_is_hot(core);
    unsigned ahead = hot ? AHEAD_HOT : AHEAD;

    away.n = 0;
    if (hot && core->balanced_ms + BALANCE_MS <= c->ms)
        balance(core);
    for (unsigned i = 0; i < n && i < ahead; i++)
        prefetch_frame(core, m[i], hot);
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *frame = rte_pktmbuf_mtod(m[i], const uint8_t *);
        uint32_t len = rte_pktmbuf_data_len(m[i]), hash = core->last_flow.hash;
        uint8_t kind = MAIL_RX_FRAME;
        if (i + ahead < n)
            prefetch_frame(core, m[i + ahead], hot);
        bool again = steer_flow_again(&core->last_flow, frame, len);
        enum steer_kind is = again ? STEER_FLOW : steer_hash(frame, len, &c->home, &hash);
        if (is == STEER_FLOW && !again)
            steer_flow_note(&core->last_flow, frame, len, hash);
        bool home = is == STEER_HERE || (is == STEER_FLOW && !all);
        unsigned core_of = home ? c->core : steer_core(hash, c->cores);
        if (is == STEER_TCP) /* whatever the port thinks: a connection lives on one core */
            core_of = hash;
        if (is == STEER_FLOW && flow_is_hot(core, hash) &&
            spray(core, m[i], again, &away.src[away.n], &core_of))
            kind = MAIL_RX_SPRAYED;
        if (core_of == c->core) {
            if (hot) /* what stays of a burst is too little to be fetched while another is worked on */
                ahead_frame(m[i]);
            m[kept++] = m[i];
            continue;
        }
        away.to[away.n] = (uint8_t)core_of;
        away.mail[away.n++] = (struct mail){.kind = kind,
                                            .a = port,
                                            .b = (uint32_t)(rte_pktmbuf_mtod(m[i], char *) - (char *)m[i]),
                                            .m = m[i]};
    }
    if (away.n > 0)
        kept += send_away(core, &away, m + kept);
    return kept;
}
