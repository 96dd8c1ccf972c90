/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/services.h"

#include <stdio.h>
#include <string.h>

void services_init(struct services *services)
{
    static const struct service list[] = {
#define SERVICE_ENTRY(id, relative_, database_, routes_, text_)                                              \
    {.name = #id, .text = text_, .relative = relative_, .database = database_, .routes = routes_},
        SERVICES_LIST(SERVICE_ENTRY)
#undef SERVICE_ENTRY
    };

    memset(services, 0, sizeof(*services));
    memcpy(services->s, list, sizeof(list));
    services->n = SERVICES_KNOWN;
}

int services_add(struct services *services, const char *name, const char *text, bool relative, bool routes)
{
    if (services->n == SERVICES_MAX)
        return -1;
    services->s[services->n] =
        (struct service){.name = name, .text = text, .relative = relative, .routes = routes};
    return (int)services->n++;
}

bool services_set(struct services *services, unsigned bit, bool watched, bool up, uint64_t now,
                  const char *why)
{
    struct service *s = &services->s[bit];
    bool changed = !s->known || s->up != up || s->watched != watched;

    if (up)
        s->why[0] = '\0';
    else
        snprintf(s->why, sizeof(s->why), "%s", why ? why : "");
    if (!changed)
        return false;
    if (s->known && s->up && !up)
        s->stops++;
    if (!s->known || s->up != up)
        s->since = now;
    s->known = true;
    s->up = up;
    s->watched = watched;
    return true;
}

static uint64_t bits(const struct services *services, bool up)
{
    uint64_t set = 0;

    for (unsigned i = 0; i < services->n; i++)
        if (up ? services->s[i].known && services->s[i].up : services->s[i].watched)
            set |= 1ull << i;
    return set;
}

uint64_t services_up(const struct services *services)
{
    return bits(services, true);
}

uint64_t services_watched(const struct services *services)
{
    return bits(services, false);
}
