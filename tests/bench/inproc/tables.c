/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control plane would send, put straight into the cores' tables; and what the cores counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness_impl.h"
#include "hg/records.h"
#include "hg/route_image.h"
#include "route/apply.h"
#include "route/route.h"
#include "routes/routes.h"

bool harness_routes(struct harness *h, const struct hg_static_route *routes, uint32_t n)
{
    struct routes_input input = {.config = h->config, .admin = routes, .nadmin = n};
    const char *why = "";

    if (h->routes == NULL)
        h->routes = routes_create("harness", (uint32_t)h->config->dp_routes_max, 1);
    if (h->routes == NULL)
        return false;
    const struct routes_result *result = routes_compile(h->routes, &input);
    void *image = result ? aligned_alloc(64, (result->size + 63) & ~63ull) : NULL;
    if (image == NULL)
        return false;
    memcpy(image, result->image, result->size);
    if (!hg_image_check(image, result->size, &why)) {
        fprintf(stderr, "harness: the compiled routes are refused: %s\n", why);
        free(image);
        return false;
    }
    for (unsigned i = 0; i < h->cores; i++)
        route_image_set(h->core[i]->route, image);
    free(h->image);
    h->image = image;
    return true;
}

void harness_routes_free(struct harness *h)
{
    if (h->routes != NULL)
        routes_destroy(h->routes);
    free(h->image);
}

bool harness_user(struct harness *h, const char *user, uint16_t node)
{
    const char *at = strrchr(user, '@');
    if (at == NULL)
        return false;
    struct hg_user_key key =
        hg_user_key(&h->secret, slice_of(user, (uint32_t)(at - user)), slice_str(at + 1));
    for (unsigned i = 0; i < h->cores; i++)
        if (!route_user_set(h->core[i]->route, &key, node))
            return false;
    return true;
}

uint64_t harness_counter(const struct harness *h, unsigned id)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < h->cores; i++)
        sum += __atomic_load_n(&h->area[i]->counters[id], __ATOMIC_RELAXED);
    return sum;
}

static uint64_t drops(const struct harness *h, const char *layer)
{
    uint64_t sum = 0;

    for (unsigned id = 0; id < HG_DROP_COUNT; id++)
        if (strcmp(hg_counter_info[id].layer, layer) == 0 && id != HG_DROP_frag_timeout)
            sum += harness_counter(h, id);
    return sum;
}

uint64_t harness_net_sum(const struct harness *h)
{
    return harness_counter(h, HG_C_net_up_datagrams) + harness_counter(h, HG_C_net_answered) +
           harness_counter(h, HG_C_net_absorbed) + harness_counter(h, HG_C_net_control) +
           harness_counter(h, HG_C_net_parked_fragments) + drops(h, "net");
}

uint64_t harness_sip_sum(const struct harness *h)
{
    return harness_counter(h, HG_C_sip_forwarded) + harness_counter(h, HG_C_sip_answered) +
           harness_counter(h, HG_C_sip_absorbed) + drops(h, "sip");
}

void harness_report(const struct harness *h)
{
    for (unsigned id = 0; id < HG_COUNTERS_MAX; id++)
        if (harness_counter(h, id) != 0)
            fprintf(stderr, "%-24s %llu\n", hg_counter_info[id].name,
                    (unsigned long long)harness_counter(h, id));
}
