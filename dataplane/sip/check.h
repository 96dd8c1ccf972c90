/* SPDX-License-Identifier: BSD-2-Clause */
/* What an element must find well-formed before it acts on a message (RFC 3261 16.3 and 18.1.2), decoded once:
 * the hot path reads these fields and decodes nothing of them again. Headers that a proxy does not use are
 * not judged. */
#ifndef SIP_CHECK_H
#define SIP_CHECK_H

#include "sip/decode.h"
#include "sip/msg.h"

struct sip_core_fields {
    struct sip_uri ruri;         /* requests */
    struct sip_via via;          /* topmost */
    struct sip_cursor after_via; /* continue here for the second Via */
    struct sip_addr from, to;
    struct slice call_id;
    struct sip_cseq cseq;
    uint32_t max_forwards; /* valid when has_max_forwards; values above 255 are kept as they are */
    bool has_max_forwards;
};

/* m: index pass done with SIP_DONE. Returns SIP_E_NONE, or the first error found; what stands before it in
 * the message is filled, the rest is zero. SIP_E_SCHEME (416) only when nothing else is wrong. */
enum sip_error sip_check_request(const struct sip_msg *m, struct sip_core_fields *out);
/* For responses ruri and max_forwards stay empty; any error means: discard. */
enum sip_error sip_check_response(const struct sip_msg *m, struct sip_core_fields *out);

/* The same over a message whose index pass was bad: fills what is well-formed, so that an answer can be
 * built. Returns m->error, or the first error of the fields. */
enum sip_error sip_check_broken(const struct sip_msg *m, struct sip_core_fields *out);

/* Status and reason phrase of an error; status 0 = must not be answered. */
uint16_t sip_error_status(enum sip_error e);
struct slice sip_error_phrase(enum sip_error e);

#endif
