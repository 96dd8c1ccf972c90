/* SPDX-License-Identifier: BSD-2-Clause */
/* host, port and parameter rules that URI, Via and name-addr share. Each takes [p, e) and returns the byte
 * after what it read, 0 when there is no such thing at p. */
#ifndef SIP_HOST_H
#define SIP_HOST_H

#include "sip/decode.h"

/* IPv4address, [IPv6reference] or hostname; *text is without brackets, *ip is written for addresses only. */
const char *sip_host_read(const char *p, const char *e, struct slice *text, uint8_t *kind, struct hg_ip *ip);
/* 1*DIGIT, 1 to 65535 */
const char *sip_port_read(const char *p, const char *e, uint16_t *port);
/* Whole slices. */
bool sip_ip4_read(const char *p, const char *e, struct hg_ip *ip);
bool sip_ip6_read(const char *p, const char *e, struct hg_ip *ip); /* no brackets */

/* How a URI ends: at the end of the text, at '>', or as an addr-spec outside <> (RFC 3261 20.10: no ';', ','
 * or '?'). */
enum sip_uri_place { SIP_URI_ALONE, SIP_URI_ANGLE, SIP_URI_BARE };
const char *sip_uri_read(const char *p, const char *e, enum sip_uri_place place, struct sip_uri *out);

#endif
