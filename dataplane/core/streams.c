/* SPDX-License-Identifier: BSD-2-Clause */
/* The wing of bytes: segments to the core where their connection is at home, what came of them to who speaks
 * on the stream. Once a turn for all bursts of it, so that one ACK answers them. */
#include <string.h>

#include <rte_mbuf.h>

#include "core/core.h"
#include "core/stage.h"
#include "core/turn.h"
#include "net/stage.h"
#include "sip/sip.h"
#include "stream/echo.h"
#include "stream/stream.h"
#include "tcp/tcp.h"
#include "tls/tls.h"

static void mail_away(struct core *core, unsigned to, uint8_t kind, struct rte_mbuf *m)
{
    if (mail_send(&core->ctx, to, (struct mail){.kind = kind, .m = m}))
        return;
    ctx_count(&core->ctx, HG_DROP_mail_full);
    rte_pktmbuf_free(m);
}

/* Fragments go to the core of their addresses, which need not be the connection's. true: it is not for us. */
static bool goes_away(struct core *core, const struct segment *s)
{
    uint16_t ports[2];

    if (!(s->flags & SEGMENT_REASSEMBLED) || core->ctx.cores == 1 || s->len < sizeof(ports))
        return false;
    memcpy(ports, s->tcp, sizeof(ports));
    unsigned to = flow_core_of(&core->ctx.home, &s->src, rte_be_to_cpu_16(ports[0]), &s->dst,
                               rte_be_to_cpu_16(ports[1]));
    if (to == core->ctx.core)
        return false;
    memcpy(rte_mbuf_to_priv(s->m), s, sizeof(*s));
    mail_away(core, to, MAIL_TCP_SEGMENT, s->m);
    return true;
}

void turn_segments(struct core *core, struct segment *s, unsigned n)
{
    unsigned kept = 0;

    if (n == 0)
        return;
    uint64_t since = stage_begin(core);
    for (unsigned i = 0; i < n; i++) {
        if (goes_away(core, &s[i]))
            continue;
        if (kept != i)
            s[kept] = s[i];
        kept++;
    }
    tcp_input(core->tcp, s, kept);
    stage_end(core, HG_STAGE_tcp, since, n);
}

void mail_segment(struct core *core, const struct mail *mail)
{
    struct segment s;

    memcpy(&s, rte_mbuf_to_priv(mail->m), sizeof(s));
    s.flags |= SEGMENT_HANDED_OVER;
    s.flags &= (uint8_t)~SEGMENT_REASSEMBLED;
    tcp_input(core->tcp, &s, 1);
}

void mail_icmp_news(struct core *core, const struct mail *mail)
{
    struct net_icmp_news news;

    memcpy(&news, rte_mbuf_to_priv(mail->m), sizeof(news));
    tcp_news(core->tcp, &news, 1);
    rte_pktmbuf_free(mail->m);
}

/* An ICMP error comes to the core of its own addresses. */
static void turn_news(struct core *core)
{
    const struct net_icmp_news *news;
    unsigned n = net_icmp_take(core->net, &news);

    for (unsigned i = 0; i < n; i++) {
        unsigned to = flow_core_of(&core->ctx.home, &news[i].local, news[i].local_port, &news[i].remote,
                                   news[i].remote_port);
        if (to == core->ctx.core) {
            tcp_news(core->tcp, &news[i], 1);
            continue;
        }
        struct rte_mbuf *m = rte_pktmbuf_alloc(core->ctx.pool);
        if (m == NULL)
            continue; /* the next packet brings it again */
        memcpy(rte_mbuf_to_priv(m), &news[i], sizeof(news[i]));
        mail_away(core, to, MAIL_TCP_NEWS, m);
    }
}

/* To who speaks on the streams: SIP takes all of its own at once. */
static unsigned events_deliver(struct core *core, const struct stream_event *e, unsigned n)
{
    struct stream_event sip[STREAM_EVENTS_MAX];
    unsigned nsip = 0;

    for (unsigned i = 0; i < n; i++) {
        if (e[i].service == HG_SERVICE_ECHO)
            echo_event(core->stream, &e[i]);
        else
            sip[nsip++] = e[i];
    }
    return n - nsip + sip_streams(core->sip, sip, nsip);
}

unsigned turn_streams(struct core *core)
{
    const struct stream_event *e;
    unsigned work = 0, n;
    uint64_t since = stage_begin(core);

    turn_news(core);
    if (core->tls != NULL)
        work += tls_work(core->tls);
    n = stream_events(core->stream, &e);
    do
        work += events_deliver(core, e, n);
    while (n > 0 && (n = stream_events(core->stream, &e)) > 0);
    stage_end(core, HG_STAGE_stream, since, work);
    if (core->tls != NULL)
        tls_turn_end(core->tls);
    tcp_turn_end(core->tcp);
    return work;
}
