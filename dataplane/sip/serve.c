/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests for users of our domain: delivered to their contacts when this node serves them, sent on to the
 * node that does, or refused. What is done for a user is fenced: it leaves only while the lease lasts. */
#include "sip/proxy.h"

/* During a move two nodes may point at each other for a moment: one more hop is forgiven, then no other. */
#define RELAY_HOPS_MAX 2

unsigned serve_hops(const struct sip *s, const struct work *w)
{
    struct slice value;
    uint32_t hops;
    /* anybody may write this: it counts from nodes only, and what comes back with our own Via on top is a
     * loop */
    if (!w->c.via.params.len || !route_is_node(s->route, &w->d->src.ip) ||
        !sip_param(w->c.via.params, SLICE_LIT(SIP_HOP_PARAM), &value) ||
        sip_uint_decode(value, UINT8_MAX, &hops) != SIP_DONE)
        return 0;
    return sip_is_us(s, w->c.via.host_kind, &w->c.via.ip, w->c.via.port) ? 0 : hops;
}

static void refuse_for_now(struct decision *out, const char *reason, uint16_t counter)
{
    target_refuse(out, 503, reason);
    out->retry_after = true;
    out->counter = counter;
}

/* ---- here ---- */

static void deliver(struct sip *s, struct work *w, struct decision *out)
{
    bool stateful = s->ctx->config->sip_user_mode != 0;
    if (s->ctx->lease_over) {
        refuse_for_now(out, "Not Serving", HG_C_sip_lease_over);
        return;
    }
    out->fenced = true;
    if (w->m->method == SIP_M_REGISTER) {
        target_refuse(out, 501, NULL);
        return;
    }
    unsigned contacts = route_contacts(s->route, &w->key, &out->targets);
    if (contacts == 0) {
        target_refuse(out, 480, NULL);
    } else if (out->targets.n == 0 || w->uri.scheme == SIP_SCHEME_SIPS) {
        out->targets.n = 0;
        target_refuse(out, 480, "No Transport To Next Hop");
    }
    out->stateful = stateful;
    for (unsigned i = 0; i < out->targets.n; i++)
        out->targets.t[i].stateful = stateful;
}

/* ---- elsewhere ---- */

static void redirect(const struct hg_endpoint *to, struct decision *out)
{
    struct text t = text_over(out->extra_buf, sizeof(out->extra_buf));
    text_lit(&t, "Contact: <sip:");
    text_host(&t, &to->ip);
    text_lit(&t, ":");
    text_number(&t, to->port);
    text_lit(&t, ">\r\n");
    out->extra = text_done(&t);
    target_refuse(out, 302, NULL);
    out->counter = HG_C_sip_redirected;
}

/* H01 to H03: inside a pair with high availability the nodes stand in for each other; else the client is
 * told. */
static bool stands_in(const struct sip *s, uint16_t home, uint16_t serving)
{
    return route_node_pair(s->route, home == route_self(s->route) ? serving : home);
}

static void send_on(struct sip *s, struct work *w, uint16_t home, uint16_t serving, struct decision *out)
{
    struct hg_endpoint ep;
    bool self;
    if (!route_node(s->route, serving, &ep, &self)) {
        target_refuse(out, 480, NULL);
        return;
    }
    if (w->m->method == SIP_M_REGISTER && !stands_in(s, home, serving)) {
        redirect(&ep, out);
        return;
    }
    unsigned hops = serve_hops(s, w);
    if (hops >= RELAY_HOPS_MAX) {
        refuse_for_now(out, "Moving", HG_C_sip_relay_loops);
    } else if (w->uri.scheme == SIP_SCHEME_SIPS) {
        target_refuse(out, 480, "No Transport To Next Hop");
    } else {
        target_one(s, out, &ep);
        out->targets.t[0].hop = (uint8_t)(hops + 1);
    }
}

/* ---- who ---- */

/* RFC 3261 10.3: a REGISTER names its user in the To. false: that is nobody of ours. */
static bool registering_user(struct sip *s, struct work *w)
{
    const struct sip_uri *to = &w->c.to.uri;
    bool ours = to->scheme == SIP_SCHEME_TEL || sip_is_us(s, to->host_kind, &to->ip, to->port) ||
                (to->host_kind == SIP_HOST_NAME && route_is_local_domain(s->route, to->host));
    w->user = preprocess_user(to, w->user_buf, sizeof(w->user_buf));
    if (!ours || w->user.len == 0)
        return false;
    w->key = hg_user_key(route_user_secret(s->route), w->user, slice_str(s->ctx->config->cluster_domain));
    return true;
}

void serve_user(struct sip *s, struct work *w, struct decision *out)
{
    bool registers = w->m->method == SIP_M_REGISTER;
    if (registers ? !registering_user(s, w) : w->user.len == 0) {
        target_refuse(out, !registers ? 404 : w->user.len ? 403 : 405, NULL);
        return;
    }
    struct route_serves who = route_user_serves(s->route, &w->key);
    if (who.home == 0)
        target_refuse(out, registers ? 403 : 404, NULL); /* M15; who does not exist may not register */
    else if (who.serving == 0)
        refuse_for_now(out, "Not Served", HG_C_sip_unserved);
    else if (who.self)
        deliver(s, w, out);
    else
        send_on(s, w, who.home, who.serving, out);
}
