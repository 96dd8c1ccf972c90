/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_sip.h"

#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "lib/mailbox.h"
#include "lib/wheel.h"
#include "net/net.h"
#include "sip/sip.h"

struct sip {
    struct ctx *ctx;
    struct net *net;
    struct wheel_timer timer;
};

struct fake_sip fake;

struct sip *sip_create(struct ctx *ctx, struct net *net, struct route *route, struct stream *stream)
{
    struct sip *sip = calloc(1, sizeof(*sip));

    (void)route;
    (void)stream;
    sip->ctx = ctx;
    sip->net = net;
    sip->timer.kind = WHEEL_KIND(WHEEL_SIP, 1);
    return sip;
}

void sip_destroy(struct sip *sip)
{
    wheel_cancel(sip->ctx->wheel, &sip->timer);
    free(sip);
}

static void one(struct sip *sip, struct datagram *d)
{
    struct ctx *c = sip->ctx;

    if (fake.mail_to >= 0 && !(d->flags & DATAGRAM_HANDED_OVER)) {
        memcpy(rte_mbuf_to_priv(d->m), d, sizeof(*d));
        if (mail_send(c, (unsigned)fake.mail_to, (struct mail){.kind = MAIL_SIP_DATAGRAM, .m = d->m})) {
            ctx_count(c, HG_C_sip_handed_over);
            return;
        }
    }
    fake.datagrams[c->core]++;
    fake.mailed += d->flags & DATAGRAM_HANDED_OVER ? 1 : 0;
    fake.len[fake.n++ % FAKE_KEPT] = d->len;
    if (d->len >= 5 && memcmp(d->data, "timer", 5) == 0)
        wheel_arm(c->wheel, &sip->timer, c->ms + 100);
    if (d->len >= 4 && memcmp(d->data, "echo", 4) == 0) {
        ctx_count(c, HG_C_sip_answered);
        net_udp_send(sip->net, d->m, &d->dst, &d->src);
        return;
    }
    ctx_count(c, HG_C_sip_absorbed);
    rte_pktmbuf_free(d->m);
}

unsigned sip_streams(struct sip *sip, const struct stream_event *e, unsigned n)
{
    (void)sip;
    (void)e;
    return n;
}

void sip_send_parcel(struct sip *sip, struct rte_mbuf *m)
{
    (void)sip;
    rte_pktmbuf_free(m);
}

void sip_input(struct sip *sip, struct datagram *d, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        one(sip, &d[i]);
}

/* "hot:" and eight bytes: the call's hash. */
bool sip_spray(struct sip *sip, const char *data, uint32_t len, uint32_t *from, struct sip_call *call)
{
    if (len < 12 || memcmp(data, "hot:", 4) != 0)
        return false;
    *from = 4;
    memcpy(&call->hash, data + 4, 8);
    call->owner = (unsigned)((call->hash >> 32) * sip->ctx->cores >> 32);
    return true;
}

unsigned sip_spray_admit(struct sip *sip, const struct hg_ip *src, unsigned n)
{
    (void)sip;
    (void)src;
    return n;
}

void sip_spray_refund(struct sip *sip, const struct hg_ip *src)
{
    (void)sip;
    (void)src;
}

void sip_timers(struct sip *sip, struct wheel_timer **t, unsigned n)
{
    (void)t;
    fake.timers += n;
    fake.timer_ms = sip->ctx->ms;
}

void sip_housekeeping(struct sip *sip)
{
    (void)sip;
    fake.houses++;
}

bool sip_service_set(struct sip *sip, const struct hg_ip *ip, unsigned n)
{
    (void)sip;
    (void)ip;
    (void)n;
    return true;
}

void sip_drain(struct sip *sip, bool on, uint32_t retry_after_s)
{
    (void)sip;
    (void)on;
    (void)retry_after_s;
}

bool sip_busy(const struct sip *sip)
{
    (void)sip;
    return false;
}
