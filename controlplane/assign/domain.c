/* SPDX-License-Identifier: BSD-2-Clause */
#include "assign/domain.h"

#include <string.h>

#include "hg/config.h"
#include "hg/route_pattern.h"

static bool same(const char *host, uint32_t len, const char *of_config)
{
    char other[HG_HOST_MAX + 1];

    return hg_host_normalise(slice_str(of_config), other) == len && len && memcmp(host, other, len) == 0;
}

static bool is_ours(const struct hg_config *config, const char *host, uint32_t len)
{
    if (same(host, len, config->cluster_domain) || same(host, len, config->cluster_srv_name))
        return true;
    for (uint32_t i = 0; i < config->naliases; i++)
        if (same(host, len, config->aliases[i]))
            return true;
    return false;
}

bool user_take_home(const struct hg_config *config, char *name, uint32_t *len)
{
    char host[HG_HOST_MAX + 1];
    char *at = memrchr(name, '@', *len);

    if (!at)
        return false;
    uint32_t user = (uint32_t)(at + 1 - name);
    uint32_t host_len = hg_host_normalise(slice_of(at + 1, *len - user), host);
    if (!is_ours(config, host, host_len))
        return false;
    uint32_t n = (uint32_t)strlen(config->cluster_domain);
    for (uint32_t i = 0; i < n; i++)
        at[1 + i] = ascii_lower(config->cluster_domain[i]);
    name[user + n] = '\0';
    *len = user + n;
    return true;
}
