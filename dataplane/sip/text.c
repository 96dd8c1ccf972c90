/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/text.h"

#define DIGIT(n, by) ((uint32_t)('0' + (n) / (by) % 10))
#define THREE(n)     (DIGIT(n, 100) | DIGIT(n, 10) << 8 | DIGIT(n, 1) << 16 | 3u << 24)
#define TWO(n)       (DIGIT(n, 10) | DIGIT(n, 1) << 8 | 2u << 24)
#define OCTET(n)     ((n) >= 100 ? THREE(n) : (n) >= 10 ? TWO(n) : (DIGIT(n, 1) | 1u << 24))
#define OCTETS4(n)   OCTET(n), OCTET((n) + 1), OCTET((n) + 2), OCTET((n) + 3)
#define OCTETS16(n)  OCTETS4(n), OCTETS4((n) + 4), OCTETS4((n) + 8), OCTETS4((n) + 12)
#define OCTETS64(n)  OCTETS16(n), OCTETS16((n) + 16), OCTETS16((n) + 32), OCTETS16((n) + 48)

const uint32_t text_octets[256] = {OCTETS64(0), OCTETS64(64), OCTETS64(128), OCTETS64(192)};
