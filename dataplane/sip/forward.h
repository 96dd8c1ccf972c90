/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 3261 16.6 steps 1 to 9: the request as it leaves towards one target. */
#ifndef SIP_FORWARD_H
#define SIP_FORWARD_H

#include "sip/edit.h"
#include "sip/proxy.h"

struct forward {
    const struct listener *out;
    const struct branch *branch;
    uint32_t breadth; /* Max-Breadth of this copy */
    uint32_t mac;     /* of the branch, with has_mac */
    bool has_mac;
    uint16_t hop_slot;
    uint8_t hop;      /* of struct route_target */
    struct slice uri; /* of the contact, len 0 = none */
};

/* false: the result would not fit. */
bool forward_edits(struct sip *s, struct work *w, const struct forward *f, struct edits *e);
/* What 18.2.1 and RFC 3581 add to the top Via of a request that came from src; part of forward_edits. */
void forward_received(const struct sip_msg *m, const struct sip_via *via, const struct hg_endpoint *src,
                      struct edits *e);
/* Max-Breadth that came in, or the default; RFC 5393 5.3.3 caps what strangers ask for. */
uint32_t forward_breadth(const struct sip *s, const struct work *w);
/* From the start of the field's line to the start of the next one. */
void field_line(const struct sip_msg *m, const struct sip_field *f, uint32_t *at, uint32_t *len);
/* Position of a parameter's name in a ';' list, or NULL. end: behind the name. */
const char *param_find(struct slice params, struct slice name, const char **end);

#endif
