/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether two checks of one message left the same: every slice at the same place, every number. */
#ifndef SAME_FIELDS_H
#define SAME_FIELDS_H

#include "sip/check.h"

static inline bool same_slice(struct slice a, struct slice b)
{
    return a.len == b.len && a.p == b.p;
}

static inline bool same_uri(const struct sip_uri *a, const struct sip_uri *b)
{
    return same_slice(a->whole, b->whole) && a->scheme == b->scheme && a->host_kind == b->host_kind &&
           a->port == b->port && same_slice(a->scheme_name, b->scheme_name) && same_slice(a->user, b->user) &&
           same_slice(a->password, b->password) && a->has_user == b->has_user &&
           same_slice(a->host, b->host) && hg_ip_eq(&a->ip, &b->ip) && same_slice(a->params, b->params) &&
           same_slice(a->headers, b->headers) && same_slice(a->rest, b->rest);
}

static inline bool same_addr(const struct sip_addr *a, const struct sip_addr *b)
{
    return same_slice(a->whole, b->whole) && same_slice(a->display, b->display) &&
           same_uri(&a->uri, &b->uri) && a->angle == b->angle && a->star == b->star &&
           same_slice(a->params, b->params) && same_slice(a->tag, b->tag);
}

static inline bool same_via(const struct sip_via *a, const struct sip_via *b)
{
    return same_slice(a->whole, b->whole) && same_slice(a->transport, b->transport) &&
           same_slice(a->host, b->host) && a->host_kind == b->host_kind && hg_ip_eq(&a->ip, &b->ip) &&
           a->port == b->port && same_slice(a->params, b->params) && same_slice(a->branch, b->branch) &&
           same_slice(a->received, b->received) && same_slice(a->maddr, b->maddr) &&
           same_slice(a->ttl, b->ttl) && same_slice(a->rport, b->rport) && a->has_rport == b->has_rport;
}

/* Of a message without error: what stands behind the first error of another one is nobody's. */
static inline bool same_fields(const struct sip_core_fields *a, const struct sip_core_fields *b, bool request)
{
    return (!request || same_uri(&a->ruri, &b->ruri)) && same_via(&a->via, &b->via) &&
           a->after_via.f == b->after_via.f && a->after_via.at == b->after_via.at &&
           same_addr(&a->from, &b->from) && same_addr(&a->to, &b->to) && same_slice(a->call_id, b->call_id) &&
           a->cseq.number == b->cseq.number && a->cseq.method == b->cseq.method &&
           same_slice(a->cseq.method_name, b->cseq.method_name) && a->max_forwards == b->max_forwards &&
           a->has_max_forwards == b->has_max_forwards;
}

#endif
