/* SPDX-License-Identifier: BSD-2-Clause */
/* Cause and advice of a row for people: the tables say N1 and N2, an administrator knows nodes by their
 * names. */
#ifndef CONTROLPLANE_HA_ROW_TEXT_H
#define CONTROLPLANE_HA_ROW_TEXT_H

#include <stdbool.h>

#define ROW_TEXT_MAX 800

/* out: ROW_TEXT_MAX bytes. node: by slot. flip: N1 of the row is slot 1. Returns out. */
const char *row_text(const char *text, const char *const node[2], bool flip, char *out);

#endif
