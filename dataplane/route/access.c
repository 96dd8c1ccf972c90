/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may send to us (K11, closed by default), and where names lead. */
#include "hg/route_pattern.h"
#include "route/state.h"

bool route_is_node(const struct route *r, const struct hg_ip *src)
{
    for (unsigned i = 1; i <= r->highest_node; i++)
        if (r->nodes[i].present && hg_ip_eq(&r->nodes[i].sip.ip, src))
            return true;
    return false;
}

/* Longest prefix first: one probe for each length that exists. */
static const struct hg_image_entry *find_network(const struct hg_image *image, const struct hg_ip *src)
{
    struct hg_image_text t;
    for (uint32_t i = 0; i < image->nnets; i++) {
        unsigned bits = image->net_bits[i];
        struct hg_ip net = {{0}};
        memcpy(net.b, src->b, bits / 8);
        if (bits % 8)
            net.b[bits / 8] = (uint8_t)(src->b[bits / 8] & (0xff00 >> bits % 8));
        hg_image_text_set(&t, image->seed, (const char *)net.b, sizeof(net.b));
        const struct hg_image_entry *e = hg_image_find(image, &t, sizeof(net.b), HG_KEY_NETWORK, bits);
        if (e)
            return e;
    }
    return NULL;
}

enum route_access route_access(const struct route *r, const struct hg_ip *src, uint16_t *index)
{
    const struct hg_image *image = r->image;
    const struct hg_image_entry *e;
    struct hg_image_text t;
    *index = ROUTE_ACCESS_NODE;
    if (image) {
        hg_image_text_set(&t, image->seed, (const char *)src->b, sizeof(src->b));
        if ((e = hg_image_find(image, &t, sizeof(src->b), HG_KEY_NEIGHBOUR, 0))) {
            *index = (uint16_t)e->value;
            return ACCESS_NEIGHBOUR;
        }
    }
    if (route_is_node(r, src))
        return ACCESS_NEIGHBOUR;
    if (image && (e = find_network(image, src))) {
        *index = (uint16_t)e->value;
        return ACCESS_NETWORK;
    }
    return ACCESS_DENIED;
}

bool route_neighbour_limit(const struct route *r, uint16_t index, uint32_t *rate, uint32_t *burst,
                           uint32_t *id)
{
    if (!r->image || index >= r->image->section[HG_SECTION_NEIGHBOURS].n)
        return false;
    const struct hg_image_neighbour *n =
        HG_IMAGE_AT(r->image, HG_SECTION_NEIGHBOURS, struct hg_image_neighbour) + index;
    *rate = n->rate;
    *burst = n->burst;
    *id = n->id;
    return n->rate != 0;
}

bool route_host_find(const struct route *r, struct slice host, uint16_t port, struct hg_endpoint *out)
{
    struct hg_image_text t;
    struct hg_ip ip;
    uint16_t index;
    if (hg_ip_parse(host, &ip)) {
        if (route_access(r, &ip, &index) != ACCESS_NEIGHBOUR)
            return false;
        *out = (struct hg_endpoint){.ip = ip, .port = port ? port : 5060, .proto = HG_UDP};
        return true;
    }
    if (!r->image)
        return false;
    t.len = t.stored = hg_host_normalise(host, t.c);
    hg_image_text_seal(&t, r->image->seed);
    const struct hg_image_entry *e = t.len ? hg_image_find(r->image, &t, t.len, HG_KEY_NAME, 0) : NULL;
    if (!e)
        return false;
    *out = HG_IMAGE_AT(r->image, HG_SECTION_HOSTS, struct hg_endpoint)[e->value];
    if (port)
        out->port = port;
    return true;
}
