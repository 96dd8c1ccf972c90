/* SPDX-License-Identifier: BSD-2-Clause */
/* One static route as an administrator writes it (section L of the requirements). */
#ifndef HG_STATIC_ROUTE_H
#define HG_STATIC_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "hg/limits.h"

enum hg_route_type { HG_ROUTE_USER = 0, HG_ROUTE_DOMAIN = 1 };
enum hg_route_source { HG_ROUTE_FROM_FILE = 0, HG_ROUTE_FROM_ADMIN = 1 };

struct hg_static_route {
    char name[64];                    /* identity, unique over both sources */
    char pattern[HG_PATTERN_MAX + 1]; /* destination pattern (L02-L09) */
    char description[256];            /* L10 */
    char next_hop[HG_HOST_MAX + 1];   /* IP, host name or SRV name (L11) */
    uint16_t port;                    /* default 5060; 0 = SRV (L12) */
    uint8_t type;                     /* enum hg_route_type, default user (L13) */
    uint8_t proto;                    /* enum hg_proto, default TCP (L14) */
    uint16_t priority;                /* 1-65535, default 1, lower first (L15) */
    uint16_t weight;                  /* 1-65535, default 1 (L16) */
    bool less_specific;               /* allow a less specific route after this one, default true (L18) */
    bool in_service;                  /* default true (L19) */
    bool block;                       /* default false (L20) */
    bool stateful;                    /* transaction-stateful proxy, default true */
    bool parallel;                    /* all routes of one priority at once, default false */
    uint8_t source;                   /* enum hg_route_source */
};

/* All fields at their defaults. */
void hg_static_route_defaults(struct hg_static_route *route);
/* One member by its name in the configuration ("next_hop") and its value as text. NULL = done, else the
 * expected form (or "unknown member"). */
const char *hg_static_route_set(struct hg_static_route *route, const char *member, const char *value);
/* All members in order, as text; quoted says whether JSON and libconfig write it as a string. */
typedef void hg_static_route_fn(void *arg, const char *member, const char *value, bool quoted);
void hg_static_route_show(const struct hg_static_route *route, hg_static_route_fn *fn, void *arg);
/* The rules between members and of patterns. say is called for each breach; returns how many. */
typedef void hg_static_route_say(void *arg, const char *member, const char *what, const char *expected);
unsigned hg_static_route_check(const struct hg_static_route *route, hg_static_route_say *say, void *arg);

#endif
