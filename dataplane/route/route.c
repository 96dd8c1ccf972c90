/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "hg/config.h"
#include "hg/route_pattern.h"
#include "route/apply.h"
#include "route/state.h"

struct route *route_create(struct ctx *ctx, const struct hg_config *config,
                           const struct hg_hash_secret *secret)
{
    struct route *r = aligned_alloc(64, (sizeof(*r) + 63) & ~(size_t)63);
    if (!r) {
        fprintf(stderr, "route: no memory for the tables of core %u\n", ctx->core);
        return NULL;
    }
    memset(r, 0, sizeof(*r));
    r->ctx = ctx;
    r->secret = *secret;
    r->route_slots = (uint32_t)config->dp_routes_max;
    for (uint32_t i = 0; i < config->nlisteners && i < HG_LISTENERS_MAX; i++)
        r->local[r->nlocal++] = config->listeners[i].ep.ip;
    for (uint16_t i = 0; i < HG_NODES_MAX; i++)
        r->serving[i] = i; /* until the control plane tells; closed listeners wait for that */
    if (!contact_table_open(&r->contacts, (uint32_t)config->dp_contacts_max)) {
        fprintf(stderr, "route: no memory for the contacts of %lld users; lower dataplane.contacts_max\n",
                (long long)config->dp_contacts_max);
        free(r);
        return NULL;
    }
    if (!user_table_open(&r->users, (uint64_t)config->dp_users_max)) {
        fprintf(stderr, "route: no memory for %lld users; lower dataplane.users_max\n",
                (long long)config->dp_users_max);
        contact_table_close(&r->contacts);
        free(r);
        return NULL;
    }
    return r;
}

void route_destroy(struct route *r)
{
    if (!r)
        return;
    user_table_close(&r->users);
    contact_table_close(&r->contacts);
    free(r);
}

const struct hg_hash_secret *route_user_secret(const struct route *r)
{
    return &r->secret;
}

void route_user_prefetch(const struct route *r, const struct hg_user_key *key)
{
    user_table_prefetch(&r->users, key);
    contact_table_prefetch(&r->contacts, key);
}

uint16_t route_user_find(struct route *r, const struct hg_user_key *key)
{
    uint16_t node = user_table_find(&r->users, key);
    ctx_count(r->ctx, node ? HG_C_user_found : HG_C_user_missing);
    return node;
}

bool route_node(const struct route *r, uint16_t node, struct hg_endpoint *out, bool *self)
{
    if (node == 0 || node >= HG_NODES_MAX || !r->nodes[node].present)
        return false;
    *out = r->nodes[node].sip;
    *self = r->nodes[node].self;
    return true;
}

static bool is_listener(const struct route *r, const struct hg_image_text *host)
{
    struct hg_ip ip;
    char first = host->c[0], last = host->len ? host->c[host->len - 1] : 0;
    bool digit = last >= '0' && last <= '9';
    if (!(first >= '0' && first <= '9' && digit) && !memchr(host->c, ':', host->stored))
        return false;
    if (!hg_ip_parse(slice_of(host->c, host->stored), &ip))
        return false;
    for (uint32_t i = 0; i < r->nlocal + r->nservice; i++)
        if (hg_ip_eq(&r->local[i], &ip))
            return true;
    return false;
}

static void host_look_up(struct route *r, struct slice host)
{
    struct route_host *h = &r->host;
    struct hg_image_text text;
    text.len = text.stored = hg_host_normalise(host, text.c);
    hg_image_text_seal(&text, r->image->seed);
    h->local = text.len && hg_image_find(r->image, &text, text.len, HG_KEY_LOCAL, 0) != NULL;
    h->ours = h->local || is_listener(r, &text);
    h->groups = (uint16_t)image_match_host(r->image, &text, h->group);
}

const struct route_host *route_host_ready(struct route *r, struct slice host)
{
    struct route_host *h = &r->host;
    if (host.len && h->len == host.len && memcmp(h->raw, host.p, host.len) == 0)
        return h;
    h->len = 0;
    host_look_up(r, host);
    if (host.len && host.len <= sizeof(h->raw)) {
        memcpy(h->raw, host.p, host.len);
        h->len = host.len;
    }
    return h;
}

bool route_is_local_domain(struct route *r, struct slice host)
{
    return r->image && route_host_ready(r, host)->local;
}

const struct hg_image *route_image_set(struct route *r, const struct hg_image *image)
{
    const struct hg_image *old = r->image;
    health_image(r, image);
    r->image = image;
    r->host.len = 0;
    hg_gauge(r->ctx->counters, HG_C_route_generation, image ? image->generation : 0);
    return old;
}

uint64_t route_image_generation(const struct route *r)
{
    return r->image ? r->image->generation : 0;
}
