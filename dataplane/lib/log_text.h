/* SPDX-License-Identifier: BSD-2-Clause */
/* Text for log arguments without stdio. */
#ifndef LIB_LOG_TEXT_H
#define LIB_LOG_TEXT_H

#include <stdint.h>

#include "hg/slice.h"

#define LOG_TEXT_NUMBER 24 /* bytes that a number may take */

struct slice log_text_number(uint64_t n, char out[LOG_TEXT_NUMBER]);
/* Anything but printable ASCII becomes \xNN, a backslash two of them; cut at max with a final "...". */
uint32_t log_text_escape(struct slice in, char *out, uint32_t max);

#endif
