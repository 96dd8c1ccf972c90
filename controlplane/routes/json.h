/* SPDX-License-Identifier: BSD-2-Clause */
/* A static route as JSON: in the record and on the admin socket (docs/admin-protocol.md, Routes). */
#ifndef CONTROLPLANE_ROUTES_JSON_H
#define CONTROLPLANE_ROUTES_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "hg/slice.h"
#include "hg/static_route.h"

/* Changes in route the members that object has. Each thing wrong is appended to errors, an array of texts. */
void route_json_apply(const json_t *object, struct hg_static_route *route, json_t *errors);
/* Rules that span members. */
void route_json_check(const struct hg_static_route *route, const char (*templates)[HG_PATTERN_MAX + 1],
                      uint32_t ntemplates, json_t *errors);
json_t *route_json_object(const struct hg_static_route *route);

/* The record's form: an object without line breaks, all members. */
char *route_json_text(const struct hg_static_route *route); /* for free() */
bool route_json_parse(struct slice text, struct hg_static_route *route, char *why, size_t size);

#endif
