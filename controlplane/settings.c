/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane.h"

bool settings_create(struct controlplane *cp)
{
    (void)cp;
    return true;
}

void settings_free(struct controlplane *cp)
{
    (void)cp;
}

void settings_load_begin(struct controlplane *cp)
{
    (void)cp;
}

void settings_one(struct controlplane *cp, struct slice path, struct slice value,
                  struct record_version version)
{
    if (slice_eq(path, SLICE_LIT(TOPOLOGY_REVISION))) {
        cp->topology_version = version;
        cp->topology_revision = 0;
        for (uint32_t i = 0; i < value.len && value.p[i] >= '0' && value.p[i] <= '9'; i++)
            cp->topology_revision = cp->topology_revision * 10 + (uint64_t)(value.p[i] - '0');
    }
}

void settings_gone(struct controlplane *cp, struct slice path)
{
    if (slice_eq(path, SLICE_LIT(TOPOLOGY_REVISION)))
        cp->topology_version = (struct record_version){0, 0};
}

void settings_load_end(struct controlplane *cp)
{
    (void)cp;
}

void settings_apply(struct controlplane *cp, struct hg_config *config)
{
    (void)cp;
    (void)config;
}

void settings_second(struct controlplane *cp)
{
    (void)cp;
}
