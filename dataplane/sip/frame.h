/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a message ends in a stream (RFC 3261 18.3): its head ends with an empty line and says how long the
 * body is. What has been looked at is not looked at again when more bytes come: a byte at a time costs no
 * more than all at once. */
#ifndef SIP_FRAME_H
#define SIP_FRAME_H

#include "sip/index_impl.h"
#include "sip/msg.h"

enum sip_frame_result {
    SIP_FRAME_MORE,  /* nothing to be done before more bytes come */
    SIP_FRAME_WHOLE, /* the first whole bytes are a message: index them */
    SIP_FRAME_BAD,   /* nobody can tell where it ends; the index pass over its head says why */
    SIP_FRAME_LONG,  /* longer than allowed */
};

struct sip_frame {    /* all zero at the beginning of each message */
    uint32_t scanned; /* bytes without the end of the head */
    uint32_t head;    /* its length; 0: not found yet */
    uint32_t whole;   /* of the message; 0: not known yet */
};

#define SIP_HEAD_MAX 65535

/* s: the bytes of the stream from the message's first one on, which is no CR or LF. max: bytes of a message.
 * m is scratch, and so is room, SIP_HEAD_MAX bytes for a head that is in pieces. */
enum sip_frame_result sip_frame(struct sip_frame *f, const struct slice *s, unsigned n, uint32_t max,
                                struct sip_msg *m, char *room);

/* The first len bytes in one piece: where they are, or copied to room. */
const char *sip_frame_flat(const struct slice *s, unsigned n, uint32_t len, char *room);

/* How many bytes of CR and LF stand at the beginning: RFC 3261 7.5 allows them before a message, RFC
 * 5626 3.5.1 makes a ping of CRLFCRLF. */
uint32_t sip_frame_blank(const struct slice *s, unsigned n);

#endif
