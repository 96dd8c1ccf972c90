/* SPDX-License-Identifier: BSD-2-Clause */
#include "hg/static_route.h"

void hg_static_route_defaults(struct hg_static_route *route)
{
    *route = (struct hg_static_route){
        .port = 5060,
        .type = HG_ROUTE_USER,
        .proto = HG_TCP,
        .priority = 1,
        .weight = 1,
        .less_specific = true,
        .in_service = true,
        .stateful = true,
        .source = HG_ROUTE_FROM_FILE,
    };
}
