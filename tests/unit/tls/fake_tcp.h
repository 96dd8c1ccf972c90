/* SPDX-License-Identifier: BSD-2-Clause */
/* What tls/ asks of tcp/, over two plain buffers: what the other side sends comes in pieces of any size, and
 * as much may be written as the test says. */
#ifndef TESTS_FAKE_TCP_H
#define TESTS_FAKE_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp/tcp.h"

#define FAKE_BYTES (1 << 20)
#define FAKE_CONNS 64

struct fake_conn {
    char in[FAKE_BYTES], out[FAKE_BYTES];
    uint32_t in_len, in_at, out_len;
    uint32_t piece; /* bytes of one slice; 0: all at once */
    uint32_t room;  /* that may still be written */
    bool wants_room, shut, closed, aborted;
};

struct tcp {
    struct fake_conn conn[FAKE_CONNS];
};

/* The id of conn[i] is i + 1. */
void fake_feed(struct fake_conn *c, const void *data, uint32_t len);

#endif
