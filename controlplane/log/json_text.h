/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts whose origin is not ours, as JSON: one that is no UTF-8 must not make a message disappear. */
#ifndef CONTROLPLANE_LOG_JSON_TEXT_H
#define CONTROLPLANE_LOG_JSON_TEXT_H

#include <jansson.h>

/* The text; when it is no UTF-8 (a cut in the middle of a character is enough), with '?' for each byte
 * outside ASCII. NULL only without memory. */
json_t *json_text(const char *text);

#endif
