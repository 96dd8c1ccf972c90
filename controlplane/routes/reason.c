/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "routes/compile.h"

static const char *const proto_name[] = {"UDP", "TCP", "TLS"};

const char *routes_state_name(uint8_t state)
{
    static const char *const name[ROUTES_STATES] = {
        [ROUTES_ACTIVE] = "active",
        [ROUTES_OUT_OF_SERVICE] = "out of service",
        [ROUTES_NO_TRANSPORT] = "out of service: no transport",
        [ROUTES_UNRESOLVED] = "next hop not resolved",
        [ROUTES_REFUSED] = "refused",
    };
    return state < ROUTES_STATES ? name[state] : "unknown";
}

static void field_reason(const struct hg_static_route *r, char *out, size_t size)
{
    if (r->priority == 0)
        snprintf(out, size, "priority 0 is out of range; 1 to 65535");
    else if (r->weight == 0)
        snprintf(out, size, "weight 0 is out of range; 1 to 65535");
    else
        snprintf(out, size, "unknown protocol; udp, tcp or tls");
}

static void name_reason(const struct hg_static_route *r, bool asked, char *out, size_t size)
{
    if (asked)
        snprintf(out, size, "next hop %s is being resolved", r->next_hop);
    else if (r->port == 0)
        snprintf(out, size,
                 "next hop %s has no SRV record %s%s with an address; give a port to use its address, or "
                 "check DNS",
                 r->next_hop, routes_srv_labels(routes_kind(r)), r->next_hop);
    else
        snprintf(out, size, "next hop %s has no address; check DNS, or give a full IP address", r->next_hop);
}

static void transport_reason(const struct hg_static_route *r, char *out, size_t size)
{
    snprintf(out, size, "out of service: no transport; %s is not there yet, use protocol udp or tcp",
             r->proto <= HG_TLS ? proto_name[r->proto] : "that");
}

char *routes_reason(const struct routes_input *input, const struct hg_static_route *route,
                    const struct routes_status *status, char *out, size_t size)
{
    const struct hg_config *c = input->config;
    uint32_t ntemplates = c->ntemplates < HG_TEMPLATES_MAX ? c->ntemplates : HG_TEMPLATES_MAX;
    if (size == 0)
        return out;
    out[0] = 0;
    switch ((enum routes_reason)status->reason) {
    case ROUTES_GOOD:
        break;
    case ROUTES_SWITCHED_OFF:
        snprintf(out, size, "taken out of service by the administrator");
        break;
    case ROUTES_TRANSPORT:
        transport_reason(route, out, size);
        break;
    case ROUTES_RESOLVING:
    case ROUTES_NO_ADDRESS:
        name_reason(route, status->reason == ROUTES_RESOLVING, out, size);
        break;
    case ROUTES_NAME_EMPTY:
        snprintf(out, size, "the route has no name");
        break;
    case ROUTES_NAME_TAKEN:
        snprintf(out, size, "another route is named %s already; names are unique over file and administrator",
                 route->name);
        break;
    case ROUTES_PATTERN:
        (void)hg_route_pattern_check(route->type, route->pattern,
                                     (const char(*)[HG_PATTERN_MAX + 1]) c->templates, ntemplates, out, size);
        break;
    case ROUTES_TOO_MANY:
        snprintf(out, size, "there are %d routes with the pattern %s already, no more are allowed",
                 HG_SAME_PATTERN_MAX, route->pattern);
        break;
    case ROUTES_NEXT_HOP:
        (void)hg_host_check(route->next_hop, out, size);
        break;
    case ROUTES_SRV_ADDRESS:
        snprintf(out, size, "port 0 asks for SRV records, and %s is an address; give a port",
                 route->next_hop);
        break;
    case ROUTES_FIELD:
        field_reason(route, out, size);
        break;
    case ROUTES_HOPS_FULL:
        snprintf(out, size, "there are %d different next hops already", HG_HOP_SLOTS);
        break;
    case ROUTES_FORMS:
        snprintf(out, size,
                 "more than %d different lengths before the * with the same ending; use fewer forms",
                 HG_IMAGE_SUFFIX_FORMS);
        break;
    }
    return out;
}
