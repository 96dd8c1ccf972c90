/* SPDX-License-Identifier: BSD-2-Clause */
/* Which names the resolver has to look up. */
#include <stdlib.h>

#include "routes/compile.h"

struct wanted {
    struct map map;
    struct routes_name *list;
    uint32_t n, room;
};

static bool want(struct wanted *w, const char *name, uint8_t kind)
{
    char key[HG_HOST_MAX + 2];
    bool fresh;
    key[0] = (char)kind;
    uint32_t len = hg_host_normalise(slice_str(name), key + 1);
    if (len == 0)
        return true;
    if (!map_put(&w->map, key, len + 1, 0, &fresh))
        return false;
    if (!fresh)
        return true;
    if (w->n == w->room) {
        uint32_t room = w->room ? w->room * 2 : 32;
        struct routes_name *list = realloc(w->list, room * sizeof(*list));
        if (!list)
            return false;
        w->list = list;
        w->room = room;
    }
    memcpy(w->list[w->n].name, key + 1, len + 1);
    w->list[w->n++].kind = kind;
    return true;
}

int64_t routes_names(const struct routes_input *in, struct routes_name **out)
{
    struct wanted w = {0};
    uint8_t kind;
    bool good = map_open(&w.map, 64);
    for (uint32_t i = 0; good && i < in->config->nroutes + in->nadmin; i++) {
        const struct hg_static_route *r = input_route(in, i);
        if (route_needs_name(r, &kind))
            good = want(&w, r->next_hop, kind);
    }
    for (uint32_t i = 0; good && i < in->config->nneighbours; i++) {
        const char *host = in->config->neighbours[i].host;
        if (hg_host_check(host, NULL, 0) == HG_HOST_NAME)
            good = want(&w, host, ROUTES_ADDRESSES) && want(&w, host, ROUTES_SRV);
    }
    map_close(&w.map);
    *out = w.list;
    if (good)
        return w.n;
    free(w.list);
    *out = NULL;
    return -1;
}
