/* SPDX-License-Identifier: BSD-2-Clause */
/* Forms of names that administrators write. Nothing is looked up here. */
#ifndef HG_NAMES_H
#define HG_NAMES_H

#include <stdbool.h>

#include "hg/slice.h"

/* Labels of letters, digits and hyphens; what ends in a numeric label is no name, so "5.6.7.8.9" and "10.1"
 * are not. */
bool hg_name_is_host(struct slice s);
/* "_sip._udp.example.com": service and protocol labels, then a host name. */
bool hg_name_is_srv(struct slice s);
/* B02: host name, FQDN, DNS-SRV name or full IPv4 address. */
bool hg_name_is_node(struct slice s);
/* L11: address, host name or DNS-SRV name. */
bool hg_name_is_next_hop(struct slice s);
/* K03: letters, digits, hyphens and dots, no underscore (and nothing that a Redis key or a path would trip
 * over). */
bool hg_name_is_cluster(struct slice s);
/* Printable ASCII without blanks, quotes or backslash: names of routes. */
bool hg_name_is_token(struct slice s);

#endif
