/* SPDX-License-Identifier: BSD-2-Clause */
#include "hg/static_route.h"

#include <stdio.h>
#include <string.h>

#include "hg/names.h"
#include "hg/route_pattern.h"
#include "impl/config_table.h"

void hg_static_route_defaults(struct hg_static_route *route)
{
    const struct config_list *routes = &config_lists[CONFIG_ROUTES];
    memset(route, 0, sizeof(*route));
    config_field_defaults(routes->field, routes->fields, route);
    route->source = HG_ROUTE_FROM_FILE;
}

const char *hg_static_route_set(struct hg_static_route *route, const char *member, const char *value)
{
    const struct config_list *routes = &config_lists[CONFIG_ROUTES];
    for (uint32_t i = 0; i < routes->fields; i++) {
        const struct config_field *field = &routes->field[i];
        if (strcmp(field->name, member) != 0)
            continue;
        if (config_put_any(field, route, value))
            return NULL;
        return field->kind == CONFIG_TEXT ? config_form_text(field->form) : field->expected;
    }
    return "unknown member";
}

void hg_static_route_show(const struct hg_static_route *route, hg_static_route_fn *fn, void *arg)
{
    const struct config_list *routes = &config_lists[CONFIG_ROUTES];
    char value[CONFIG_TEXT_MAX];
    for (uint32_t i = 0; i < routes->fields; i++) {
        const struct config_field *field = &routes->field[i];
        config_get_text(field, route, value);
        fn(arg, field->name, value, field->kind != CONFIG_INT && field->kind != CONFIG_BOOL);
    }
}

unsigned hg_static_route_check(const struct hg_static_route *route, hg_static_route_say *say, void *arg)
{
    unsigned n = 0;
    struct hg_pattern pattern;
    struct hg_ip ip;
    const struct {
        const char *member, *value;
    } needed[] = {{"name", route->name}, {"pattern", route->pattern}, {"next_hop", route->next_hop}};

    for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (needed[i].value[0] == 0) {
            say(arg, needed[i].member, "missing", "a value");
            n++;
        }
    if (route->pattern[0]) {
        enum hg_pattern_error error = hg_pattern_parse(route->type, slice_str(route->pattern), &pattern);
        if (error != HG_PATTERN_OK) {
            say(arg, "pattern", hg_pattern_error_text(error),
                route->type == HG_ROUTE_DOMAIN ? "a domain pattern such as *.example.com"
                                               : "a user pattern such as 1919476* or 1919476....");
            n++;
        }
    }
    bool address = hg_ip_parse(slice_str(route->next_hop), &ip);
    if (route->port == 0 && address) {
        say(arg, "port", "0 with an address as next hop", "a port; 0 means DNS SRV and needs a name (L12)");
        n++;
    }
    if (route->port != 0 && route->next_hop[0] == '_' && hg_name_is_srv(slice_str(route->next_hop))) {
        say(arg, "port", "a port with a DNS-SRV name as next hop", "0: the SRV records bring the port (L12)");
        n++;
    }
    return n;
}
