/* SPDX-License-Identifier: BSD-2-Clause */
#include "routes/compile.h"

static bool template_fits(const struct hg_pattern *templates, uint32_t n, const struct hg_pattern *p)
{
    for (uint32_t i = 0; i < n; i++)
        if (hg_template_differs(&templates[i], p) == 0)
            return true;
    return false;
}

uint8_t routes_kind(const struct hg_static_route *route)
{
    static const uint8_t srv[] = {
        [HG_UDP] = ROUTES_SRV, [HG_TCP] = ROUTES_SRV_TCP, [HG_TLS] = ROUTES_SRV_TLS};
    return route->port != 0 || route->proto > HG_TLS ? ROUTES_ADDRESSES : srv[route->proto];
}

const char *routes_srv_labels(uint8_t kind)
{
    return kind == ROUTES_SRV_TCP ? "_sip._tcp." : kind == ROUTES_SRV_TLS ? "_sips._tcp." : "_sip._udp.";
}

bool route_needs_name(const struct hg_static_route *route, uint8_t *kind)
{
    *kind = routes_kind(route);
    return !route->block && route->in_service && route->proto != HG_TLS &&
           hg_host_check(route->next_hop, NULL, 0) == HG_HOST_NAME;
}

enum routes_reason check_route(const struct hg_pattern *templates, uint32_t ntemplates,
                               const struct hg_static_route *route, struct hg_pattern *pattern)
{
    if (route->name[0] == 0)
        return ROUTES_NAME_EMPTY;
    if (hg_pattern_parse(route->type, slice_str(route->pattern), pattern) != HG_PATTERN_OK)
        return ROUTES_PATTERN;
    if (pattern->type == HG_ROUTE_USER && pattern->embedded && !template_fits(templates, ntemplates, pattern))
        return ROUTES_PATTERN;
    if (route->priority == 0 || route->weight == 0 || route->proto > HG_TLS)
        return ROUTES_FIELD;
    if (route->block && route->next_hop[0] == 0)
        return ROUTES_GOOD; /* what is refused needs no way out */
    switch (hg_host_check(route->next_hop, NULL, 0)) {
    case HG_HOST_BAD:
        return ROUTES_NEXT_HOP;
    case HG_HOST_ADDRESS:
        return route->port == 0 ? ROUTES_SRV_ADDRESS : ROUTES_GOOD;
    case HG_HOST_NAME:
        break;
    }
    return ROUTES_GOOD;
}
