/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 5922: for which SIP domains a certificate speaks. */
#ifndef TLS_IDENTITY_H
#define TLS_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/slice.h"

typedef struct x509_st X509;

#define IDENTITIES_MAX  32
#define IDENTITIES_TEXT 2048

struct identities {
    unsigned n;
    bool left_out; /* there were more than fit */
    uint32_t used;
    struct slice name[IDENTITIES_MAX]; /* lower case, in text */
    char text[IDENTITIES_TEXT];
};

/* 7.1: from SIP URIs and DNS names of subjectAltName; from the common name only where there is neither. */
void identities_of(X509 *certificate, struct identities *out);
/* 7.2: the whole name, in any case, and no wildcards. */
bool identity_equal(struct slice identity, struct slice domain);
/* For choosing a certificate of ours by SNI: the leftmost label may be a star (RFC 6125). */
bool identity_covers(struct slice name, struct slice host);

#endif
