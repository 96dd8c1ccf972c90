/* SPDX-License-Identifier: BSD-2-Clause */
/* Home -> serving node, the contacts of users, service addresses: records applied and looked up. */
#include "route/apply.h"
#include "route/state.h"

static void show_contacts(const struct route *r)
{
    hg_gauge(r->ctx->counters, HG_C_contacts, r->contacts.used);
}

uint16_t route_self(const struct route *r)
{
    return r->self;
}

bool route_node_pair(const struct route *r, uint16_t node)
{
    return node && node < HG_NODES_MAX && r->nodes[node].present && r->nodes[node].pair;
}

/* ---- who serves whom ---- */

struct route_serves route_user_serves(struct route *r, const struct hg_user_key *key)
{
    uint16_t home = route_user_find(r, key), serving = r->serving[home];
    return (struct route_serves){.home = home, .serving = serving, .self = serving == r->self};
}

uint16_t route_serving(const struct route *r, uint16_t home)
{
    return home < HG_NODES_MAX ? r->serving[home] : 0;
}

uint64_t route_serving_epoch(const struct route *r)
{
    return r->serving_epoch;
}

bool route_apply_serving(struct route *r, const struct hg_record *rec, uint32_t length)
{
    const struct hg_down_serving *in = (const struct hg_down_serving *)rec;
    uint16_t fresh[HG_NODES_MAX] = {0};
    uint64_t seen = 0;
    if (length < sizeof(*in) || in->n > HG_NODES_MAX - 1 ||
        length - sizeof(*in) != in->n * sizeof(in->map[0]))
        return false;
    for (uint32_t i = 0; i < in->n; i++) {
        const struct hg_down_serves *s = &in->map[i];
        if (s->home < 1 || s->home >= HG_NODES_MAX || s->serving >= HG_NODES_MAX || (seen >> s->home & 1))
            return false;
        seen |= 1ull << s->home;
        fresh[s->home] = s->serving;
    }
    memcpy(r->serving, fresh, sizeof(fresh));
    r->serving_epoch = in->epoch;
    return true;
}

/* ---- contacts ---- */

unsigned route_contacts(struct route *r, const struct hg_user_key *key, struct route_targets *out)
{
    const struct contact_set *set = contact_table_find(&r->contacts, key);
    const struct hg_contact *c = set ? (const void *)set->bytes : NULL;
    uint16_t q = UINT16_MAX;
    uint8_t group = 0;
    out->n = 0;
    for (unsigned i = 0; set && i < set->n; i++, c = hg_contact_next(c)) {
        if (c->ep.proto == HG_TLS) /* not yet */
            continue;
        group = (uint8_t)(group + (out->n && c->q != q));
        q = c->q;
        out->t[out->n++] = (struct route_target){.ep = c->ep,
                                                 .route_slot = UINT32_MAX,
                                                 .hop_slot = UINT16_MAX,
                                                 .set = group,
                                                 .nth = (uint8_t)i,
                                                 .contact = set->generation};
    }
    return set ? set->n : 0;
}

struct slice route_contact_uri(const struct route *r, const struct hg_user_key *key,
                               const struct route_target *t)
{
    const struct contact_set *set = contact_table_find(&r->contacts, key);
    if (!set || set->generation != t->contact || t->nth >= set->n)
        return slice_of("", 0);
    const struct hg_contact *c = (const void *)set->bytes;
    for (unsigned i = 0; i < t->nth; i++)
        c = hg_contact_next(c);
    return hg_contact_uri(c);
}

static const struct hg_down_contacts_user *user_at(const struct hg_down_contacts *in, uint32_t at)
{
    return (const void *)((const char *)in + at);
}

/* Where the user behind this one begins; 0: it does not fit, or is malformed. */
static uint32_t user_end(const struct hg_down_contacts *in, uint32_t at, uint32_t length)
{
    const struct hg_down_contacts_user *u = user_at(in, at);
    uint32_t left = length - at;
    if (left < sizeof(*u))
        return 0;
    left -= (uint32_t)sizeof(*u);
    if (u->length > HG_CONTACTS_BYTES || ((u->length + 7u) & ~7u) > left ||
        !hg_contacts_check((const char *)(u + 1), u->length, u->n))
        return 0;
    return at + (uint32_t)sizeof(*u) + ((u->length + 7u) & ~7u);
}

static bool contacts_ok(const struct hg_down_contacts *in, uint32_t length)
{
    uint32_t at = sizeof(*in);
    if (length < sizeof(*in) || in->n > HG_DOWN_CONTACTS_USERS)
        return false;
    for (uint32_t i = 0; i < in->n; i++)
        if (!(at = user_end(in, at, length)))
            return false;
    return at == length;
}

bool route_apply_contacts(struct route *r, const struct hg_record *rec, uint32_t length)
{
    const struct hg_down_contacts *in = (const struct hg_down_contacts *)rec;
    bool good = true;
    if (!contacts_ok(in, length))
        return false;
    uint32_t at = sizeof(*in);
    for (uint32_t i = 0; i < in->n; i++) {
        const struct hg_down_contacts_user *u = user_at(in, at);
        if (u->n == 0) {
            (void)contact_table_delete(&r->contacts, &u->key);
        } else if (!contact_table_set(&r->contacts, &u->key, (const char *)(u + 1), u->length, u->n)) {
            ctx_count(r->ctx, HG_C_contacts_no_room);
            good = false;
        }
        at = user_end(in, at, length);
    }
    show_contacts(r);
    return good;
}

/* ---- service addresses ---- */

/* Requests for them are requests for us: static routes of type user apply to them, too. */
static void locals_set(struct route *r)
{
    r->nservice = 0;
    r->host.len = 0; /* what is remembered of it may be another now */
    for (unsigned home = 1; home < HG_NODES_MAX; home++)
        for (unsigned i = 0; i < r->service[home].n && r->nservice < ROUTE_SERVICE_MAX; i++)
            r->local[r->nlocal + r->nservice++] = r->service[home].net[i].ip;
}

unsigned route_service_addresses(const struct route *r, struct route_service_address *out)
{
    unsigned n = 0;
    for (unsigned home = 1; home < HG_NODES_MAX; home++)
        for (unsigned i = 0; i < r->service[home].n && n < ROUTE_SERVICE_MAX; i++)
            out[n++] = (struct route_service_address){
                .net = r->service[home].net[i],
                .held = r->self && r->serving[home] == r->self,
            };
    return n;
}

static bool unicast(const struct hg_net *net)
{
    const uint8_t *b = net->ip.b;
    static const struct hg_ip zero;
    if (net->bits > 128 || (hg_ip_is4(&net->ip) && net->bits < 96))
        return false;
    return hg_ip_is4(&net->ip) ? b[12] != 0 && b[12] != 127 && b[12] < 224
                               : b[0] != 0xff && !hg_ip_eq(&net->ip, &zero);
}

bool route_apply_service(struct route *r, const struct hg_record *rec, uint32_t length)
{
    const struct hg_down_service *in = (const struct hg_down_service *)rec;
    if (length < sizeof(*in) || in->home < 1 || in->home >= HG_NODES_MAX || in->n > HG_SERVICE_MAX ||
        length - sizeof(*in) != in->n * sizeof(in->net[0]))
        return false;
    for (unsigned i = 0; i < in->n; i++)
        if (!unicast(&in->net[i]))
            return false;
    struct route_service *s = &r->service[in->home];
    *s = (struct route_service){.round = r->users.round, .n = in->n};
    memcpy(s->net, in->net, in->n * sizeof(in->net[0]));
    locals_set(r);
    return true;
}

void cluster_sweep(struct route *r)
{
    for (unsigned home = 1; home < HG_NODES_MAX; home++)
        if (r->service[home].round != r->users.round)
            r->service[home].n = 0;
    locals_set(r);
}
