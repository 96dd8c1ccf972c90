/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the names that the routes and access lists need resolved: asks, keeps to the TTL, asks again, and
 * holds on to the last good answer when nobody answers any more. */
#ifndef CONTROLPLANE_DNS_RESOLVER_H
#define CONTROLPLANE_DNS_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/dns.h"
#include "routes/routes.h"

#define RESOLVER_RUNNING 64 /* questions asked at one time */

struct resolver;

/* changed: some name has other addresses than before, or the first answer came */
struct resolver *resolver_create(struct dns *dns, uv_loop_t *loop, void (*changed)(void *arg), void *arg);
void resolver_close(struct resolver *r);

/* The names of now; those that are not among them are forgotten. False without memory. */
bool resolver_want(struct resolver *r, const struct routes_name *names, uint32_t n);
/* About every 100 ms. */
void resolver_turn(struct resolver *r, uint64_t now_ms);
/* A copy that nobody changes, for one free(): array and addresses in one piece. Returns how many, -1 without
 * memory. */
int64_t resolver_results(const struct resolver *r, struct routes_resolved **out);
/* Why a name has no address, "" if it has; NULL: not among the names. */
const char *resolver_error(const struct resolver *r, const char *name, uint8_t kind);
/* Names without any address, and whether no server answers at all (B09). */
uint32_t resolver_failed(const struct resolver *r, bool *no_server, const char **example);

#endif
