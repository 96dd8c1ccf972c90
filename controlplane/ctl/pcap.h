/* SPDX-License-Identifier: BSD-2-Clause */
/* Traced messages as a capture file. The dataplane hands over messages, not frames: IP and UDP headers are
 * made up from the addresses, so that every analyser reads them. */
#ifndef HG_CTL_PCAP_H
#define HG_CTL_PCAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "hg/endpoint.h"

bool pcap_begin(FILE *out);
/* full: length of the whole message, of which len bytes are there */
bool pcap_message(FILE *out, double time_ms, const struct hg_endpoint *src, const struct hg_endpoint *dst,
                  const void *data, uint32_t len, uint32_t full);

#endif
