/* SPDX-License-Identifier: BSD-2-Clause */
/* Next hops are asked with OPTIONS whether they live. Any answer but 503 shows it, a 483 too (M19). */
#include "sip/probe.h"

#include "sip/mix.h"

#define PROBES_AT_ONCE 8

static bool probe_message(struct sip *s, struct client *c, const struct listener *out)
{
    struct branch b = {.kind = BRANCH_TRANSACTION,
                       .node = s->node,
                       .boot = s->ctx->boot,
                       .core = (uint8_t)s->ctx->core,
                       .id = client_id(s, c)};
    char buf[768], branch[BRANCH_LEN], id[16];
    struct text t = text_over(buf, sizeof(buf));
    branch_write(&s->secret, &b, branch);
    hex_write(id, ctx_random(s->ctx), 16);
    text_lit(&t, "OPTIONS sip:");
    text_host(&t, &c->dst.ip);
    text_lit(&t, ":");
    text_number(&t, c->dst.port);
    text_lit(&t, " SIP/2.0\r\n");
    text_bytes(&t, out->via, out->via_len);
    text_bytes(&t, branch, BRANCH_LEN);
    text_lit(&t, "\r\nMax-Forwards: 1\r\nFrom: <sip:");
    text_bytes(&t, out->hostport, out->hostport_len);
    text_lit(&t, ">;tag=");
    text_bytes(&t, id, 8);
    text_lit(&t, "\r\nTo: <sip:");
    text_host(&t, &c->dst.ip);
    text_lit(&t, ":");
    text_number(&t, c->dst.port);
    text_lit(&t, ">\r\nCall-ID: ");
    text_bytes(&t, id, 16);
    text_lit(&t, "@");
    text_bytes(&t, out->hostport, out->host_len);
    text_lit(&t, "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
    return !t.over && message_keep(s, &c->request, buf, text_done(&t).len);
}

static void probe_send(struct sip *s, const struct route_target *t)
{
    uint64_t now = s->ctx->ms;
    const struct listener *out = sip_listener_to(s, &t->ep, NULL);
    struct client *c = out ? client_new(s, NULL) : NULL;
    if (!c)
        return; /* not a sign of the next hop's health */
    c->probe = true;
    c->out = out;
    c->dst = t->ep;
    c->method = SIP_M_OPTIONS;
    c->hop_slot = t->hop_slot;
    c->route_slot = SIP_ROUTE_NONE;
    if (!probe_message(s, c, out) || !message_send(s, &c->request, &out->ep, &c->dst, 0)) {
        client_free(s, c);
        return;
    }
    c->interval_ms = (uint32_t)s->ctx->config->sip_t1_ms;
    if (c->dst.proto == HG_UDP)
        wheel_arm(s->ctx->wheel, &c->again, now + c->interval_ms);
    wheel_arm(s->ctx->wheel, &c->end, now + (uint64_t)s->ctx->config->probe_timeout_ms);
    ctx_count(s->ctx, HG_C_sip_probes_sent);
    s->ctx->hop_stats[t->hop_slot].requests++;
}

void probe_send_due(struct sip *s)
{
    struct route_target due[PROBES_AT_ONCE];
    unsigned n;
    n = route_probes_due(s->route, due, PROBES_AT_ONCE);
    for (unsigned i = 0; i < n; i++)
        probe_send(s, &due[i]);
}

void probe_answered(struct sip *s, struct client *c, unsigned status)
{
    if (c->finished)
        return;
    c->finished = true;
    message_drop(s, &c->request);
    if (status == 503)
        route_hop_failed(s->route, c->hop_slot, true);
    else
        route_hop_answered(s->route, c->hop_slot, true);
}

void probe_timed_out(struct sip *s, struct client *c)
{
    ctx_count(s->ctx, HG_C_sip_probe_timeouts);
    route_hop_failed(s->route, c->hop_slot, true);
    client_free(s, c);
}
