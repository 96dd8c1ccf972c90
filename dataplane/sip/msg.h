/* SPDX-License-Identifier: BSD-2-Clause */
/* A SIP message as the index pass leaves it: the start line and one entry per header field, as offsets into
 * the bytes received. Nothing is copied, nothing allocated; values are decoded only when somebody asks. */
#ifndef SIP_MSG_H
#define SIP_MSG_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/slice.h"

#define SIP_HEADERS_MAX 255 /* also bounded by the configured limit */

/* SIP_HEADER(id, name, compact or 0) */
enum sip_header_id {
    SIP_H_OTHER = 0,
#define SIP_HEADER(id, name, compact) SIP_H_##id,
#include "sip/headers.def"
#undef SIP_HEADER
    SIP_H_COUNT
};

/* SIP_METHOD(id, text) */
enum sip_method {
    SIP_M_OTHER = 0,
#define SIP_METHOD(id) SIP_M_##id,
#include "sip/methods.def"
#undef SIP_METHOD
    SIP_M_COUNT
};

enum sip_result { SIP_DONE, SIP_MORE, SIP_BAD };

/* Why a message or a field is bad: SIP_ERROR(id, status, reason phrase of the answer) */
enum sip_error {
    SIP_E_NONE = 0,
#define SIP_ERROR(id, status, phrase) SIP_E_##id,
#include "sip/errors.def"
#undef SIP_ERROR
    SIP_E_COUNT
};

struct sip_field {
    uint16_t name;        /* offset of the name */
    uint16_t value;       /* offset of the value, leading white space skipped */
    uint16_t value_len;   /* trailing white space and CRLF not counted; folds still inside */
    uint8_t name_len : 7; /* 127: that or longer, sip_name() knows */
    uint8_t comma : 1;    /* the value holds a comma, perhaps inside quotes */
    uint8_t id;           /* enum sip_header_id */
};
static_assert(sizeof(struct sip_field) == 8, "written as one word by the index pass");

struct sip_msg {
    const char *buf;   /* first byte of the start line: empty lines before it are skipped (RFC 3261 7.5) */
    uint32_t len;      /* of the message: head and body, without what follows it in the datagram */
    uint16_t head_len; /* start line and headers with the empty line */
    uint16_t n;        /* fields */
    bool is_request;
    uint8_t method;                 /* request: enum sip_method */
    uint8_t error;                  /* enum sip_error when the result is SIP_BAD */
    bool folded;                    /* some value holds a fold */
    uint16_t status;                /* response */
    struct slice method_name, ruri; /* request */
    struct slice reason;            /* response */
    struct slice body;
    uint8_t first[SIP_H_COUNT]; /* index of the first field of that id + 1, 0 = absent */
    uint8_t count[SIP_H_COUNT]; /* how many, saturating */
    struct sip_field f[SIP_HEADERS_MAX];
};

/* The index pass over a datagram (datagram = true: the end of the bytes is the end of the message; a body
 * shorter than Content-Length is SIP_BAD, extra bytes are cut off) or over a stream's buffer (SIP_MORE until
 * it is whole). On SIP_BAD as much as could be indexed stands in m, so that an answer can be built where the
 * RFC wants one. Lines end in CRLF; a bare CR or LF is refused, and so is every control byte but HTAB, unless
 * it is escaped inside quotes (RFC 4475 3.1.1.2). A message may hold headers_max header fields, its head
 * 65,535 bytes. */
enum sip_result sip_index(struct sip_msg *m, const char *buf, uint32_t len, bool datagram,
                          unsigned headers_max);

static inline struct slice sip_value(const struct sip_msg *m, const struct sip_field *f)
{
    return slice_of(m->buf + f->value, f->value_len);
}

static inline const struct sip_field *sip_first(const struct sip_msg *m, enum sip_header_id id)
{
    return m->first[id] ? &m->f[m->first[id] - 1] : 0;
}

struct slice sip_name(const struct sip_msg *m, const struct sip_field *f);
/* Next field of the same id after f, 0 at the end. */
const struct sip_field *sip_next(const struct sip_msg *m, const struct sip_field *f);

#endif
