/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 3261 16.5 and 16.6 step 7: where a request goes. Static routes beat the user table (L01); nothing goes
 * to an address that no access list knows, so that nobody relays through us. */
#include "sip/proxy.h"

void target_refuse(struct decision *out, uint16_t status, const char *reason)
{
    out->status = status;
    out->reason = reason;
}

static bool unicast(const struct hg_ip *ip)
{
    static const struct hg_ip zero;
    if (!hg_ip_is4(ip))
        return ip->b[0] != 0xff && !hg_ip_eq(ip, &zero);
    return ip->b[12] != 0 && ip->b[12] < 224;
}

void target_one(struct sip *s, struct decision *out, const struct hg_endpoint *ep)
{
    struct route_target *t = &out->targets.t[0];
    out->targets.n = 1;
    memset(t, 0, sizeof(*t));
    t->ep = *ep;
    t->route_slot = SIP_ROUTE_NONE;
    t->hop_slot = SIP_SLOT_NONE;
    t->stateful = s->ctx->config->sip_user_mode != 0;
    out->stateful = t->stateful;
}

bool target_address_allowed(struct sip *s, const struct hg_ip *ip)
{
    uint16_t index;
    return unicast(ip) && route_access(s->route, ip, &index) != ACCESS_DENIED;
}

bool target_is_us(const struct sip *s, const struct route_targets *t)
{
    unsigned us = 0;
    for (unsigned i = 0; i < t->n; i++)
        us += sip_listener_of(s, &t->t[i].ep) != NULL;
    return us == t->n && us > 0;
}

/* RFC 3263 4.1, as far as the URI itself says it. false: a transport that nobody here speaks. */
static bool uri_proto(const struct sip_uri *uri, uint8_t *proto, bool *told)
{
    struct slice transport;
    *told = uri->params.len && sip_param(uri->params, SLICE_LIT("transport"), &transport);
    if (uri->scheme == SIP_SCHEME_SIPS || (*told && slice_ieq(transport, SLICE_LIT("tls"))))
        *proto = HG_TLS;
    else if (*told && slice_ieq(transport, SLICE_LIT("tcp")))
        *proto = HG_TCP;
    else
        *proto = HG_UDP;
    return *proto != HG_UDP || !*told || slice_ieq(transport, SLICE_LIT("udp"));
}

/* RFC 3261 18.1.1: what may not fit into one packet goes by TCP, unless the URI wants UDP; and by UDP all the
 * same where nobody listens. */
static void target_large(struct sip *s, struct work *w, struct decision *out)
{
    struct net_path path;
    struct route_target *t = out->targets.t;
    uint32_t most = net_path_find(s->net, &t->ep.ip, &path) ? path.mtu - 200u : 1300;

    if (w->m->len <= most || !s->stream)
        return;
    t[1] = t[0];
    t[1].set = (uint8_t)(t[0].set + 1);
    t[0].ep.proto = HG_TCP;
    out->targets.n = 2;
    out->stateful = true;
    ctx_count(s->ctx, HG_C_sip_large_by_tcp);
}

/* The address that a URI names by itself: a Route value, or the Request-URI of a foreign domain. */
static void target_uri(struct sip *s, struct work *w, const struct sip_uri *uri, struct decision *out)
{
    struct hg_endpoint ep = {.port = uri->port};
    struct slice host = uri->host, maddr;
    bool known = uri->host_kind != SIP_HOST_NAME, told;
    uint8_t proto;
    if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS) {
        target_refuse(out, 404, NULL);
        return;
    }
    if (!uri_proto(uri, &proto, &told) || (proto != HG_UDP && !s->stream) || proto == HG_TLS) {
        target_refuse(out, 480, "No Transport To Next Hop");
        return;
    }
    if (ep.port == 0 && (known || proto != HG_UDP)) /* a name may have its port in DNS */
        ep.port = sip_default_port(proto);
    ep.proto = proto;
    ep.ip = uri->ip;
    if (uri->params.len && sip_param(uri->params, SLICE_LIT("maddr"), &maddr)) {
        host = maddr;
        known = hg_ip_parse(maddr, &ep.ip);
        if (known && ep.port == 0)
            ep.port = sip_default_port(proto);
    }
    if (!known) {
        if (!route_host_find(s->route, host, ep.port, &ep)) {
            target_refuse(out, 404, NULL);
            return;
        }
        ep.proto = proto;
    } else if (!target_address_allowed(s, &ep.ip)) {
        target_refuse(out, 403, "Relaying Denied");
        return;
    }
    target_one(s, out, &ep);
    if (proto == HG_UDP && !told)
        target_large(s, w, out);
}

/* true: the static routes have decided. */
static bool target_static(struct sip *s, struct work *w, struct decision *out)
{
    switch (route_static_find(s->route, w->user, w->host, (uint32_t)w->call_hash, &out->targets)) {
    case ROUTE_FOUND:
        out->stateful = out->targets.t[0].stateful;
        return true;
    case ROUTE_BLOCKED:
        target_refuse(out, 403, "Blocked");
        return true;
    case ROUTE_OUT_OF_SERVICE:
        target_refuse(out, 480, "Route Out Of Service");
        return true;
    case ROUTE_NO_TRANSPORT:
        target_refuse(out, 480, "No Transport To Next Hop");
        return true;
    case ROUTE_ALL_DOWN:
        target_refuse(out, 503, "Next Hops Down");
        out->retry_after = true;
        return true;
    case ROUTE_NONE:
        break;
    }
    return false;
}

static void find(struct sip *s, struct work *w, struct decision *out)
{
    if (w->route_element.len)
        target_uri(s, w, &w->route.uri, out);
    else if (target_static(s, w, out))
        return;
    else if (w->own_domain)
        serve_user(s, w, out);
    else
        target_uri(s, w, &w->uri, out);
}

void target_find(struct sip *s, struct work *w, struct decision *out)
{
    out->status = 0;
    out->reason = NULL;
    out->retry_after = false;
    out->stateful = false;
    out->fenced = false;
    out->counter = 0;
    out->extra.len = 0;
    out->targets.n = 0;
    find(s, w, out);
    s->fenced = out->fenced; /* answer or copy, whatever comes of it */
}
