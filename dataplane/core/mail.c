/* SPDX-License-Identifier: BSD-2-Clause */
/* What other cores have sent: frames of ports and of hot flows, datagrams, news. */
#include <string.h>

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "core/core.h"
#include "core/stage.h"
#include "core/turn.h"
#include "lib/prefetch.h"
#include "net/stage.h"
#include "route/route.h"
#include "sip/sip.h"

struct sorted_mail {
    unsigned datagrams;
    struct datagram datagram[CORE_BURST];
};

static void mail_rx_frame(struct core *core, const struct mail *mail)
{
    if (mail->a >= core->nports) {
        rte_pktmbuf_free(mail->m);
        return;
    }
    struct core_port *p = &core->port[mail->a];
    queue_add(mail->kind == MAIL_RX_SPRAYED ? &p->sprayed : &p->mailed, &mail->m, 1);
}

/* Sent on behalf of a core without a queue; that core has counted it as sent. */
static void mail_tx_frame(struct core *core, const struct mail *mail)
{
    struct rte_mbuf *m = mail->m;

    if (!net_may_leave(core->net, m)) {
        rte_pktmbuf_free(m);
        return;
    }
    if (mail->a < core->nports && core->port[mail->a].tx &&
        port_send(&core->port[mail->a], core->ctx.core, &m, 1) == 1)
        return;
    ctx_count(&core->ctx, HG_C_tx_dropped);
    rte_pktmbuf_free(m);
}

static void mail_datagram(struct core *core, struct sorted_mail *s, const struct mail *mail)
{
    struct datagram *d = &s->datagram[s->datagrams++];

    memcpy(d, rte_mbuf_to_priv(mail->m), sizeof(*d));
    d->flags |= DATAGRAM_HANDED_OVER;
    if (s->datagrams == CORE_BURST) {
        turn_sip(core, s->datagram, CORE_BURST);
        s->datagrams = 0;
    }
}

static void mail_sort(struct core *core, struct sorted_mail *s, const struct mail *mail)
{
    switch (mail->kind) {
    case MAIL_RX_FRAME:
    case MAIL_RX_SPRAYED:
        mail_rx_frame(core, mail);
        break;
    case MAIL_TX_FRAME:
        mail_tx_frame(core, mail);
        break;
    case MAIL_NEIGHBOUR:
        if (mail->a < core->nports)
            net_neighbour_news(core->net, mail->a, mail->m);
        else
            rte_pktmbuf_free(mail->m);
        break;
    case MAIL_SIP_DATAGRAM:
        mail_datagram(core, s, mail);
        break;
    case MAIL_TCP_SEGMENT:
        mail_segment(core, mail);
        break;
    case MAIL_TCP_NEWS:
        mail_icmp_news(core, mail);
        break;
    case MAIL_SIP_SEND:
        sip_send_parcel(core->sip, mail->m);
        break;
    case MAIL_HOP_HEALTH:
        route_hop_mail(core->route, mail->a, mail->b);
        break;
    default:
        rte_pktmbuf_free(mail->m);
    }
}

static void mail_prefetch(const struct mail *mail)
{
    if (mail->m == NULL)
        return;
    prefetch_write(mail->m);
    if (mail->kind == MAIL_SIP_DATAGRAM)
        rte_prefetch0(rte_mbuf_to_priv(mail->m));
    else
        rte_prefetch0((const char *)mail->m + mail->b);
}

/* As much mail as every queue could take. */
static unsigned mail_wanted(struct core *core)
{
    unsigned wanted = MAIL_BURST;

    for (uint16_t i = 0; i < core->nports; i++) {
        struct core_port *p = &core->port[i];
        queue_begin(&p->mailed);
        queue_begin(&p->sprayed);
        wanted = RTE_MIN(wanted, queue_room(&p->mailed));
        wanted = RTE_MIN(wanted, queue_room(&p->sprayed));
    }
    return wanted;
}

static unsigned mail_receive(struct core *core)
{
    struct mail mail[MAIL_BURST];
    struct sorted_mail s;
    uint64_t since = stage_begin(core);
    unsigned wanted = mail_wanted(core);
    unsigned n = mail_take(&core->mail_in, mail, wanted);

    core->mail_full = n == wanted;
    if (n == 0)
        return 0;
    s.datagrams = 0;
    for (unsigned i = 0; i < n; i++)
        mail_prefetch(&mail[i]);
    for (unsigned i = 0; i < n; i++)
        mail_sort(core, &s, &mail[i]);
    stage_end(core, HG_STAGE_mail, since, n);
    hg_count(core->ctx.counters, HG_C_mail_received, n);
    turn_sip(core, s.datagram, s.datagrams);
    return n;
}

unsigned turn_mail(struct core *core)
{
    if (core->ctx.cores == 1 && mail_depth(&core->mail_in) == 0)
        return 0;
    unsigned work = mail_receive(core);
    for (uint16_t i = 0; i < core->nports; i++) {
        work += turn_queue(core, i, &core->port[i].mailed, 0);
        work += turn_queue(core, i, &core->port[i].sprayed, DATAGRAM_ALLOWED);
    }
    return work;
}
