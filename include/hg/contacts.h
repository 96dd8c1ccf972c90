/* SPDX-License-Identifier: BSD-2-Clause */
/* The contacts of one user in a row of bytes: struct hg_contact with its URI, padded to four, one behind the
 * other, highest q first. The same bytes travel in records and stand in the tables of the cores. */
#ifndef HG_CONTACTS_H
#define HG_CONTACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/records.h"
#include "hg/slice.h"

#define HG_CONTACT_SIZE(uri_len) (((uint32_t)sizeof(struct hg_contact) + (uint32_t)(uri_len) + 3u) & ~3u)
#define HG_CONTACTS_BYTES        (HG_CONTACTS_MAX * HG_CONTACT_SIZE(HG_CONTACT_URI_MAX))

static inline const struct hg_contact *hg_contact_next(const struct hg_contact *c)
{
    return (const struct hg_contact *)(const void *)((const char *)c + HG_CONTACT_SIZE(c->uri_len));
}

static inline struct slice hg_contact_uri(const struct hg_contact *c)
{
    return slice_of(c->uri, c->uri_len);
}

/* Appends one; at is where the last one ended. Returns the new end, 0 when it does not fit into size. */
uint32_t hg_contact_put(char *bytes, uint32_t size, uint32_t at, const struct hg_endpoint *ep, uint16_t q,
                        struct slice uri);
/* Exactly n contacts in length bytes, in order of q, every field in its range, every URI printable and
 * without what could end a Request-URI. What passes may be walked with hg_contact_next(). */
bool hg_contacts_check(const char *bytes, uint32_t length, unsigned n);

#endif
