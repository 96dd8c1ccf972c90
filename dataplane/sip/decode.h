/* SPDX-License-Identifier: BSD-2-Clause */
/* Lazy decoding: each function reads one value (or one element of a comma-separated value) into parts that
 * are slices of the message. All return SIP_DONE or SIP_BAD; input ends where the slice ends. Folds count as
 * white space. The values are checked against the whole grammar of RFC 3261 section 25 (with RFC 5954 for
 * IPv6 and the errata). */
#ifndef SIP_DECODE_H
#define SIP_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "hg/slice.h"
#include "sip/msg.h"

enum sip_scheme { SIP_SCHEME_OTHER, SIP_SCHEME_SIP, SIP_SCHEME_SIPS, SIP_SCHEME_TEL };
enum sip_host_kind { SIP_HOST_NAME, SIP_HOST_IP4, SIP_HOST_IP6 };

struct sip_uri {
    struct slice whole;
    uint8_t scheme;    /* enum sip_scheme */
    uint8_t host_kind; /* enum sip_host_kind */
    uint16_t port;     /* 0 = not given */
    struct slice scheme_name;
    struct slice user, password; /* as written, escapes inside */
    bool has_user;
    bool plain_user;      /* known: without escapes */
    struct slice host;    /* IPv6 without brackets */
    struct hg_ip ip;      /* when host_kind is an address */
    struct slice params;  /* after the first ';', without it */
    struct slice headers; /* after '?', without it */
    struct slice rest;    /* tel or other scheme: everything after the colon */
};

struct sip_addr { /* From, To, Contact, Route, Record-Route, ... element */
    struct slice whole;
    struct slice display; /* quotes included, as written */
    struct sip_uri uri;
    bool angle;          /* <...> present */
    bool star;           /* Contact: * */
    struct slice params; /* after the first ';', without it */
    struct slice tag;    /* From/To: value of tag, empty when absent */
};

struct sip_via {
    struct slice whole;     /* this element */
    struct slice transport; /* "UDP" */
    struct slice host;      /* IPv6 without brackets */
    uint8_t host_kind;
    struct hg_ip ip;
    uint16_t port;       /* 0 = not given */
    struct slice params; /* after the first ';', without it */
    struct slice branch, received, maddr, ttl, rport;
    bool has_rport; /* rport present; without a value rport.p stands where it belongs */
};

struct sip_cseq {
    uint32_t number;
    uint8_t method;
    struct slice method_name;
};

/* One element of a comma-separated header; start with offset 0; SIP_DONE and *more tells whether another
 * follows in this field (offset is then moved on). */
struct sip_cursor {
    const struct sip_msg *m;
    const struct sip_field *f; /* current field */
    uint32_t at;               /* offset in its value */
};
void sip_cursor_init(struct sip_cursor *c, const struct sip_msg *m, enum sip_header_id id);
/* Raw next element over all fields of that header; SIP_MORE = there is no other. Quotes and <> are respected.
 */
enum sip_result sip_cursor_next(struct sip_cursor *c, struct slice *element);

enum sip_result sip_uri_decode(struct slice text, struct sip_uri *out);
enum sip_result sip_addr_decode(struct slice element, struct sip_addr *out);
enum sip_result sip_via_decode(struct slice element, struct sip_via *out);
enum sip_result sip_cseq_decode(struct slice value, struct sip_cseq *out);
enum sip_result sip_uint_decode(struct slice value, uint32_t max,
                                uint32_t *out); /* Max-Forwards, Expires, ... */

/* Parameter by name (case-insensitive) in a ';' list; value is empty when there is none. */
bool sip_param(struct slice params, struct slice name, struct slice *value);
/* %-escapes undone into out (max bytes); false when it does not fit. NUL bytes are kept: length counts. */
bool sip_unescape(struct slice text, char *out, uint32_t max, uint32_t *len);
/* Comparison of RFC 3261 section 19.1.4. */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);

#endif
