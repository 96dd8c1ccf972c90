/* SPDX-License-Identifier: BSD-2-Clause */
/* The echo service: any tool can be aimed at the transport alone. It sends back what it gets; who begins with
 * GET or HEAD is answered with a page instead (RFC 9112), connection after connection or one after another.
 */
#ifndef STREAM_ECHO_H
#define STREAM_ECHO_H

#include "stream/stream.h"

/* An event of an echo stream. Its state is its cookie: no memory. */
void echo_event(struct stream *s, const struct stream_event *e);

#endif
