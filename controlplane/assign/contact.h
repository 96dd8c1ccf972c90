/* SPDX-License-Identifier: BSD-2-Clause */
/* A provisioned contact, "sip:bob@192.0.2.7:5070;transport=udp;q=0.5", and the record's value of a user:
 * "<home or -> [contact ...]". q stands last, is no part of the URI, and defaults to 1. */
#ifndef CONTROLPLANE_ASSIGN_CONTACT_H
#define CONTROLPLANE_ASSIGN_CONTACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "hg/limits.h"
#include "hg/slice.h"

struct contact {
    struct slice uri;  /* without q */
    struct slice host; /* of the URI, or its maddr; an IPv6 address without brackets */
    bool is_address;
    struct hg_ip ip; /* of is_address */
    uint16_t port;   /* 0: none is written */
    uint8_t proto;   /* enum hg_proto */
    uint16_t q;      /* thousandths */
};

/* The slices point into text. false and why: no contact that a core could use. */
bool contact_parse(struct slice text, struct contact *out, char *why, size_t size);
/* Takes the next contact off the list; false at its end. */
bool contact_next(struct slice *list, struct slice *one);
/* All of them are good, at most HG_CONTACTS_MAX, none twice. Returns how many, -1 and why. */
int contacts_check(struct slice list, char *why, size_t size);

/* home: empty = unassigned */
bool user_value_split(struct slice value, struct slice *home, struct slice *contacts);
/* out: size bytes. Returns the length, 0 when it does not fit; what contacts_check() let pass fits in
 * USER_VALUE_MAX, however many blanks stood between the contacts. */
uint32_t user_value_put(char *out, uint32_t size, struct slice home, struct slice contacts);
#define USER_VALUE_MAX (HG_NODE_NAME_MAX + HG_CONTACTS_MAX * (HG_CONTACT_URI_MAX + 16))

#endif
