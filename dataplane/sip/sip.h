/* SPDX-License-Identifier: BSD-2-Clause */
/* The SIP room of one core, as core/ sees it. Each call is one stage of the turn. */
#ifndef SIP_SIP_H
#define SIP_SIP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/ctx.h"
#include "net/datagram.h"

struct sip;
struct net;
struct route;
struct rte_mbuf;
struct stream;
struct wheel_timer;

/* Off the hot path, before the loop. NULL with a message on stderr when memory is short. */
/* stream: where streams come from and go to; NULL: nowhere. */
struct sip *sip_create(struct ctx *ctx, struct net *net, struct route *route, struct stream *stream);
void sip_destroy(struct sip *sip);

/* A burst of datagrams, owned from here on; every one ends in exactly one disposition. */
void sip_input(struct sip *sip, struct datagram *d, unsigned n);
/* The call of a datagram of a flow that is too much for one core, told by its Call-ID, which is first looked
 * for *from bytes behind the beginning; it is told there where it stood. false: nothing can be told. */
struct sip_call {
    uint64_t hash;  /* the same on every core */
    unsigned owner; /* the core that has the call's state */
};
bool sip_spray(struct sip *sip, const char *data, uint32_t len, uint32_t *from, struct sip_call *call);
/* How many of n such datagrams, all of one source, have passed the guard and must not be asked again on the
 * core that they go to. */
unsigned sip_spray_admit(struct sip *sip, const struct hg_ip *src, unsigned n);
/* One that was admitted stays here after all, and the guard asks it again. */
void sip_spray_refund(struct sip *sip, const struct hg_ip *src);
/* What happened on streams of the SIP service, and what is still to be read of them. */
struct stream_event;
/* Returns how much was done. */
unsigned sip_streams(struct sip *sip, const struct stream_event *e, unsigned n);
/* MAIL_SIP_SEND: a message for a connection of this core; takes m. */
void sip_send_parcel(struct sip *sip, struct rte_mbuf *m);
void sip_timers(struct sip *sip, struct wheel_timer **t, unsigned n);
/* Every few hundred turns: probes due, overload state. */
void sip_housekeeping(struct sip *sip);
/* The service addresses of the cluster: requests for them are requests for us, on every port of ours. false:
 * there is no room for all of them, some because transactions still answer from addresses that are gone. */
bool sip_service_set(struct sip *sip, const struct hg_ip *ip, unsigned n);
/* drain: new requests get 503 with Retry-After; busy tells whether transactions are left. */
void sip_drain(struct sip *sip, bool on, uint32_t retry_after_s);
bool sip_busy(const struct sip *sip);

#endif
