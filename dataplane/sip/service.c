/* SPDX-License-Identifier: BSD-2-Clause */
/* Service addresses are listeners like those of the configuration, on each of its ports, but they come and
 * go. */
#include "sip/proxy.h"

static struct listener *find(struct sip *s, const struct hg_endpoint *ep)
{
    for (unsigned i = 0; i < s->nlisteners; i++)
        if (hg_endpoint_eq(&s->listener[i].ep, ep))
            return &s->listener[i];
    return NULL;
}

/* Transactions point at listeners: the place of one that is gone is another's only when none does any more.
 */
static struct listener *place(struct sip *s)
{
    if (s->nlisteners < sizeof(s->listener) / sizeof(s->listener[0]))
        return &s->listener[s->nlisteners++];
    for (unsigned i = 0; i < s->nlisteners; i++)
        if (s->listener[i].gone && s->listener[i].users == 0)
            return &s->listener[i];
    return NULL;
}

static bool add(struct sip *s, const struct hg_endpoint *ep)
{
    struct listener *l = find(s, ep) ? NULL : place(s);
    if (!l)
        return find(s, ep) != NULL;
    memset(l, 0, sizeof(*l));
    listener_init(l, ep);
    l->service = true;
    s->has_v6 |= !hg_ip_is4(&ep->ip);
    return true;
}

static bool keep(struct sip *s, const struct hg_endpoint *ep)
{
    struct listener *l = find(s, ep);
    if (l)
        l->gone = false;
    return true;
}

static bool each(struct sip *s, const struct hg_ip *ip, unsigned n,
                 bool (*f)(struct sip *s, const struct hg_endpoint *ep))
{
    bool all = true;
    for (unsigned i = 0; i < n; i++)
        for (unsigned p = 0; p < s->nlisteners && !s->listener[p].service; p++)
            all &= s->listener[p].quiet ||
                   f(s, &(struct hg_endpoint){
                            .ip = ip[i], .port = s->listener[p].ep.port, .proto = s->listener[p].ep.proto});
    return all;
}

bool sip_service_set(struct sip *s, const struct hg_ip *ip, unsigned n)
{
    for (unsigned i = 0; i < s->nlisteners; i++)
        s->listener[i].gone = s->listener[i].service;
    (void)each(s, ip, n, keep); /* before the place of any that is gone is given away */
    memset(s->path, 0, sizeof(s->path));
    return each(s, ip, n, add);
}

const struct listener *sip_listener_for(struct sip *s, const struct route_target *t,
                                        const struct listener *in)
{
    const struct listener *out = sip_listener_to(s, &t->ep, in);
    if (likely(!in->service || in->gone || !t->contact || !out))
        return out;
    return hg_ip_is4(&out->ep.ip) == hg_ip_is4(&in->ep.ip) ? in : out;
}
