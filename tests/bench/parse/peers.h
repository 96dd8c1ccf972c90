/* SPDX-License-Identifier: BSD-2-Clause */
/* Other parsers behind one call: parse the whole message, look at what a proxy looks at, free. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdbool.h>
#include <stdint.h>

bool peers_sofia_init(void); /* false: not built in */
bool peers_sofia(const char *p, uint32_t len);
bool peers_osip_init(void);
bool peers_osip(const char *p, uint32_t len);

#endif
