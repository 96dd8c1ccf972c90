/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parser's tests share: input against a page that must not be touched, and files of the shared
 * suites. */
#ifndef PARSE_RIG_H
#define PARSE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sip/check.h"
#include "sip/index_impl.h"

/* Copies bytes so that they end where a PROT_NONE page begins; the copy lives until the next call. */
char *rig_guarded(const char *bytes, size_t len);
/* Every implementation gives the same verdict and fields on the bytes; returns it, m as the reference left
 * it. */
enum sip_result rig_index(struct sip_msg *m, const char *buf, size_t len, bool datagram);
/* Index pass and check, as the proxy does them; the first error, SIP_E_NONE when the message is fine. */
enum sip_error rig_verdict(struct sip_msg *m, struct sip_core_fields *c, const char *buf, size_t len);

/* A file below the shared suites; NULL when the suites are not there. The caller frees it. */
char *rig_suite_file(const char *path, size_t *len);
/* "suites" below HG_SHARED, or beside the project. */
const char *rig_suites(void);

#define RIG_SLICE_IS(s, lit)                                                                                 \
    do {                                                                                                     \
        struct slice rig_s = (s);                                                                            \
        if (!slice_eq(rig_s, slice_str(lit)))                                                                \
            fail_msg("'%.*s' is not '%s'", SLICE_ARG(rig_s), (lit));                                         \
    } while (0)

#endif
