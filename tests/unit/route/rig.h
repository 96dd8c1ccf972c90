/* SPDX-License-Identifier: BSD-2-Clause */
/* One route room without a core around it, fed by the control plane's compiler. */
#ifndef TEST_ROUTE_RIG_H
#define TEST_ROUTE_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "hg/config.h"
#include "lib/ctx.h"
#include "lib/mailbox.h"
#include "route/apply.h"
#include "route/route.h"
#include "routes/routes.h"

#define RIG_ROUTES 4096
#define RIG_MAILS  64

struct rig {
    struct ctx ctx;
    uint64_t counters[HG_COUNTERS_MAX];
    struct hg_hop_stats hop_stats[HG_HOP_SLOTS];
    struct hg_config *config;
    struct route *route;
    struct routes *routes;
    struct routes_input in;
    const struct routes_result *result;
    struct mail mails[RIG_MAILS];
    unsigned to[RIG_MAILS];
    unsigned nmails;
    void *image; /* in force */
};

struct rig *rig_open(uint16_t core, uint16_t cores);
void rig_close(struct rig *rig);
/* A route of the file over UDP port 5060 with all defaults, named r0, r1, ...; to be changed before
 * rig_compile. */
struct hg_static_route *rig_add(struct rig *rig, uint8_t type, const char *pattern, const char *next_hop);
void rig_template(struct rig *rig, const char *template);
/* Compiles and puts the image in force. */
void rig_compile(struct rig *rig);
enum route_verdict rig_find(struct rig *rig, const char *user, const char *host, uint32_t draw,
                            struct route_targets *out);
/* The last byte of the IPv4 address of a target: tests number their next hops 192.0.2.n. */
unsigned rig_hop(const struct route_target *t);
uint16_t rig_slot(struct rig *rig, const char *ip);
const struct routes_status *rig_status(const struct rig *rig, uint32_t i);
char *rig_reason(const struct rig *rig, uint32_t i, char *out, size_t size);

#endif
