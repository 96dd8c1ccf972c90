/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules between values: what the tables cannot say of one value alone. */
#include <stdlib.h>
#include <string.h>

#include "hg/names.h"
#include "hg/route_pattern.h"
#include "impl/config_load.h"
#include "impl/config_table.h"

static bool is_zero(const struct hg_ip *ip)
{
    return hg_ip_eq(ip, &(struct hg_ip){{0}});
}

/* An address that a host can have: neither unspecified, loopback, multicast nor broadcast. */
static bool is_unicast(const struct hg_ip *ip)
{
    if (hg_ip_is4(ip))
        return ip->b[12] != 0 && ip->b[12] != 127 && ip->b[12] < 224;
    static const struct hg_ip loopback = {{[15] = 1}};
    return !is_zero(ip) && !hg_ip_eq(ip, &loopback) && ip->b[0] != 0xff;
}

static bool is_link_local(const struct hg_ip *ip)
{
    return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

static void check_scalars(const struct hg_config *c, struct config_errors *e)
{
    if (c->dp_ring_cells & (c->dp_ring_cells - 1))
        config_error_at(e, "dataplane.ring_cells", "not a power of two", "a power of two, such as 16384");
    if (c->sip_t1_ms > c->sip_t2_ms)
        config_error_at(e, "cluster.sip.t1", "longer than cluster.sip.t2", "t1 <= t2");
    if (c->sip_source_burst < c->sip_source_rate / 100)
        config_error_at(e, "cluster.sip.source_burst", "less than a hundredth of cluster.sip.source_rate",
                        "a bucket that holds what arrives in 10 ms");
}

/* The interface that has the address, or NULL. */
static const struct hg_config_iface *iface_of(const struct hg_config *c, const struct hg_ip *ip)
{
    for (uint32_t p = 0; p < c->nports; p++)
        for (uint32_t i = 0; i < c->ports[p].nifaces; i++)
            for (uint32_t a = 0; a < c->ports[p].iface[i].naddrs; a++)
                if (hg_ip_eq(&c->ports[p].iface[i].addr[a].ip, ip))
                    return &c->ports[p].iface[i];
    return NULL;
}

static bool reaches(const struct hg_config_iface *iface, const struct hg_ip *ip)
{
    for (uint32_t a = 0; a < iface->naddrs; a++)
        if (hg_net_contains(&iface->addr[a], ip))
            return true;
    return !hg_ip_is4(ip) && is_link_local(ip);
}

static void check_gateways(const struct hg_config_iface *iface, struct config_errors *e, uint32_t port,
                           uint32_t index)
{
    char member[48];
    const struct hg_ip *gateway[] = {&iface->gateway4, &iface->gateway6};
    for (unsigned i = 0; i < 2; i++) {
        if (is_zero(gateway[i]))
            continue;
        snprintf(member, sizeof(member), "interfaces[%u].gateway%u", index, i ? 6 : 4);
        if (hg_ip_is4(gateway[i]) != (i == 0))
            config_error_in(e, CONFIG_PORTS, port, member, "of the other address family",
                            i ? "an IPv6 address" : "an IPv4 address");
        else if (!reaches(iface, gateway[i]))
            config_error_in(e, CONFIG_PORTS, port, member, "in none of the interface's networks",
                            "a neighbour on the interface");
        else if (!is_unicast(gateway[i]))
            config_error_in(e, CONFIG_PORTS, port, member, "not a host's address", "a unicast address");
    }
}

static void check_iface(const struct hg_config *c, struct config_errors *e, uint32_t port, uint32_t index)
{
    char member[64];
    const struct hg_config_port *p = &c->ports[port];
    const struct hg_config_iface *iface = &p->iface[index];
    bool v6 = false;
    for (uint32_t i = 0; i < index; i++)
        if (p->iface[i].vlan == iface->vlan) {
            snprintf(member, sizeof(member), "interfaces[%u].vlan", index);
            config_error_in(e, CONFIG_PORTS, port, member, "used twice on this port",
                            "one interface for each VLAN");
        }
    for (uint32_t a = 0; a < iface->naddrs; a++) {
        snprintf(member, sizeof(member), "interfaces[%u].addresses[%u]", index, a);
        v6 = v6 || !hg_ip_is4(&iface->addr[a].ip);
        if (iface->addr[a].bits == 0) /* refused by the loader */
            continue;
        if (!is_unicast(&iface->addr[a].ip))
            config_error_in(e, CONFIG_PORTS, port, member, "not a host's address", "a unicast address");
        const struct hg_config_iface *first = iface_of(c, &iface->addr[a].ip);
        bool earlier = first != iface;
        for (uint32_t b = 0; b < a; b++)
            earlier = earlier || hg_ip_eq(&iface->addr[b].ip, &iface->addr[a].ip);
        if (earlier)
            config_error_in(e, CONFIG_PORTS, port, member, "used twice", "each address once");
    }
    uint16_t least = v6 ? 1280 : 576; /* RFC 8200 section 5, RFC 791 */
    if (iface->mtu != 0 && iface->mtu < least) {
        snprintf(member, sizeof(member), "interfaces[%u].mtu", index);
        config_error_in(e, CONFIG_PORTS, port, member, "too small",
                        v6 ? "0 or 1280 to 9600 bytes with IPv6" : "0 or 576 to 9600 bytes");
    }
    check_gateways(iface, e, port, index);
}

/* TCP and TLS share their ports. */
static bool same_place(const struct hg_endpoint *a, const struct hg_endpoint *b)
{
    return hg_ip_eq(&a->ip, &b->ip) && a->port == b->port && (a->proto == HG_UDP) == (b->proto == HG_UDP);
}

static void check_network(const struct hg_config *c, struct config_errors *e)
{
    for (uint32_t p = 0; p < c->nports; p++) {
        for (uint32_t q = 0; q < p; q++)
            if (strcmp(c->ports[p].device, c->ports[q].device) == 0)
                config_error_in(e, CONFIG_PORTS, p, "device", "used twice", "each device once");
        for (uint32_t i = 0; i < c->ports[p].nifaces; i++)
            check_iface(c, e, p, i);
    }
    for (uint32_t i = 0; i < c->nstatics; i++) {
        const struct hg_config_static *s = &c->statics[i];
        bool found = false;
        for (uint32_t p = 0; p < c->nports; p++)
            for (uint32_t k = 0; k < c->ports[p].nifaces; k++)
                found = found || reaches(&c->ports[p].iface[k], &s->gateway);
        if (hg_ip_is4(&s->gateway) != (hg_ip_is4(&s->net.ip) && s->net.bits >= 96))
            config_error_in(e, CONFIG_STATICS, i, "gateway", "of another address family than the network",
                            "a gateway of the same family");
        else if (!found)
            config_error_in(e, CONFIG_STATICS, i, "gateway", "in no connected network",
                            "a neighbour on an interface");
    }
    for (uint32_t i = 0; i < c->nlisteners; i++) {
        const struct hg_endpoint *ep = &c->listeners[i].ep;
        if (iface_of(c, &ep->ip) == NULL)
            config_error_in(e, CONFIG_LISTENERS, i, "address", "on none of the interfaces",
                            "an address of dataplane.ports[].interfaces[].addresses");
        if (ep->proto == HG_TLS && c->ncertificates == 0)
            config_error_in(e, CONFIG_LISTENERS, i, "protocol", "needs a certificate, and there is none",
                            "dataplane.tls.certificates with a chain and its key");
        else if (ep->proto == HG_TLS && c->listeners[i].service == HG_SERVICE_SIP)
            config_error_in(e, CONFIG_LISTENERS, i, "protocol", "a transport that SIP has not got yet",
                            "udp or tcp, or service = \"echo\"");
        if (ep->proto != HG_TLS &&
            (c->listeners[i].client_auth != HG_CLIENT_AUTH_NONE || c->listeners[i].alpn[0]))
            config_error_in(e, CONFIG_LISTENERS, i, c->listeners[i].alpn[0] ? "alpn" : "client_auth",
                            "means nothing without TLS", "protocol = \"tls\"");
        if (ep->proto == HG_UDP && c->listeners[i].service != HG_SERVICE_SIP)
            config_error_in(e, CONFIG_LISTENERS, i, "service", "needs connections", "protocol = \"tcp\"");
        for (uint32_t k = 0; k < i; k++)
            if (same_place(ep, &c->listeners[k].ep))
                config_error_in(e, CONFIG_LISTENERS, i, NULL, "the same as an earlier one",
                                "each endpoint once");
    }
}

struct route_errors {
    struct config_errors *errors;
    uint32_t index;
};

static void say_route(void *arg, const char *member, const char *what, const char *expected)
{
    struct route_errors *r = arg;
    if (strcmp(what, "missing") == 0) /* the loader has said it, or what was wrong with it */
        return;
    config_error_in(r->errors, CONFIG_ROUTES, r->index, member, what, expected);
}

static int by_name(const void *a, const void *b)
{
    const struct hg_static_route *x = *(struct hg_static_route *const *)a,
                                 *y = *(struct hg_static_route *const *)b;
    int d = strcmp(x->name, y->name);
    return d ? d : x < y ? -1 : x > y;
}

static int by_pattern(const void *a, const void *b)
{
    const struct hg_static_route *x = *(struct hg_static_route *const *)a,
                                 *y = *(struct hg_static_route *const *)b;
    int d = x->type != y->type ? x->type - y->type : strcmp(x->pattern, y->pattern);
    return d ? d : x < y ? -1 : x > y;
}

static void check_routes(const struct hg_config *c, struct config_errors *e)
{
    struct hg_static_route **sorted = calloc(c->nroutes ? c->nroutes : 1, sizeof(*sorted));
    if (sorted == NULL) {
        config_error_at(e, "cluster.routes", "out of memory", "fewer routes");
        return;
    }
    for (uint32_t i = 0; i < c->nroutes; i++) {
        sorted[i] = &c->routes[i];
        hg_static_route_check(&c->routes[i], say_route, &(struct route_errors){e, i});
    }
    qsort(sorted, c->nroutes, sizeof(*sorted), by_name);
    for (uint32_t i = 1; i < c->nroutes; i++)
        if (sorted[i]->name[0] && strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
            config_error_in(e, CONFIG_ROUTES, (uint32_t)(sorted[i] - c->routes), "name", "used twice",
                            "a name of its own for each route");
    qsort(sorted, c->nroutes, sizeof(*sorted), by_pattern);
    for (uint32_t i = 0, first = 0; i < c->nroutes; i++) {
        if (sorted[i]->type != sorted[first]->type || strcmp(sorted[i]->pattern, sorted[first]->pattern) != 0)
            first = i;
        if (i - first == HG_SAME_PATTERN_MAX)
            config_error_in(e, CONFIG_ROUTES, (uint32_t)(sorted[i] - c->routes), "pattern",
                            "the 101st route with this pattern", "at most 100 routes with one pattern (L03)");
    }
    free(sorted);
}

static void check_ha(const struct hg_config *c, struct config_errors *e)
{
    if (c->node_address[0] && !c->cluster_secret[0])
        config_error_at(e, "cluster.secret", "empty, but node.address makes this node one of several",
                        "a secret that all nodes of the cluster share");
    if (c->ha_relogin_lower_s > c->ha_relogin_upper_s)
        config_error_at(e, "cluster.ha.relogin_lower", "above cluster.ha.relogin_upper", "lower <= upper");
}

static void check_redis(const struct hg_config *c, struct config_errors *e)
{
    if (!c->redis_tls_cert[0] != !c->redis_tls_key[0])
        config_error_at(e, c->redis_tls_cert[0] ? "node.redis.tls_key" : "node.redis.tls_cert",
                        "empty, but the other one is set", "a certificate and its key, or neither");
}

static void check_cluster(const struct hg_config *c, struct config_errors *e)
{
    char why[200];
    for (uint32_t i = 0; i < c->ntemplates; i++)
        if (c->templates[i][0] && hg_route_template_check(c->templates[i], why, sizeof(why)) != NULL)
            config_error_in(e, CONFIG_TEMPLATES, i, NULL, why, "a template such as 74..78xxxxx*");
    for (uint32_t i = 0; i < c->nnodes; i++) {
        const struct hg_config_node *node = &c->nodes[i];
        if (node->name[0] && slice_ieq(slice_str(node->name), slice_str(c->node_name)))
            config_error_in(e, CONFIG_NODES, i, "name", "this node itself (node.name)",
                            "only the other nodes");
        for (uint32_t k = 0; k < i; k++)
            if (node->name[0] && slice_ieq(slice_str(node->name), slice_str(c->nodes[k].name)))
                config_error_in(e, CONFIG_NODES, i, "name", "used twice", "each node once");
        if (node->sip.proto != HG_UDP)
            config_error_in(e, CONFIG_NODES, i, "sip", "a transport that is not available yet", "udp");
    }
    for (uint32_t i = 0; i < c->nneighbours; i++) {
        const struct hg_config_neighbour *n = &c->neighbours[i];
        if (n->burst > 0 && n->rate == 0)
            config_error_in(e, CONFIG_NEIGHBOURS, i, "burst", "set without a rate",
                            "a rate above 0, or no burst");
    }
}

void config_check(const struct hg_config *config, struct config_errors *errors)
{
    check_scalars(config, errors);
    check_network(config, errors);
    check_cluster(config, errors);
    check_ha(config, errors);
    check_redis(config, errors);
    check_routes(config, errors);
}
