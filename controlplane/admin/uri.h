/* SPDX-License-Identifier: BSD-2-Clause */
/* A request URI as an administrator types it, taken apart for routing. */
#ifndef CONTROLPLANE_ADMIN_URI_H
#define CONTROLPLANE_ADMIN_URI_H

#include <stdbool.h>

#include "hg/limits.h"

struct uri {
    char user[HG_USER_MAX + 1]; /* unescaped, without password */
    char host[HG_HOST_MAX + 1]; /* "" of a telephone number: the cluster's domain */
};

/* "sip:user@host", "sips:...", "tel:+4711", "<sip:...>", "user@host", "host.name"; parameters are passed
 * over. */
bool uri_parse(const char *text, struct uri *out);

#endif
