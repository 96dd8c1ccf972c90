/* SPDX-License-Identifier: BSD-2-Clause */
/* A UDP socket on the loop that tells when the kernel had each datagram: the dispersion of a train is
 * measured by that, not by when the loop got to it. */
#ifndef CONTROLPLANE_HA_BEAT_SOCKET_H
#define CONTROLPLANE_HA_BEAT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "hg/endpoint.h"

struct beat_socket;

/* at_ns: of the kernel's clock, for differences within one train only */
typedef void (*beat_socket_read)(void *arg, const uint8_t *data, uint32_t len, uint64_t at_ns);

struct beat_socket *beat_socket_open(uv_loop_t *loop, const char *address, beat_socket_read read, void *arg,
                                     char *why, unsigned size);
void beat_socket_close(struct beat_socket *s);
bool beat_socket_send(struct beat_socket *s, const struct hg_endpoint *to, const void *data, uint32_t len);

#endif
