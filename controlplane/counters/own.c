/* SPDX-License-Identifier: BSD-2-Clause */
#include "counters/own.h"

const struct own_info own_info[OWN_COUNTERS] = {
#define OWN_COUNTER(id, room, text) {#id, room, text, false},
#define OWN_GAUGE(id, room, text)   {#id, room, text, true},
#include "counters/own.def"
#undef OWN_COUNTER
#undef OWN_GAUGE
};
