/* SPDX-License-Identifier: BSD-2-Clause */
/* Documents made from the tables that the programs run by, so that they cannot differ. */
#ifndef HG_DOCGEN_H
#define HG_DOCGEN_H

#include <stdio.h>

#include "impl/config_table.h"

/* "integer, 10 to 10000 ms", "`busy` or `adaptive`", ... in words. out: 300 bytes */
void docgen_type(const struct config_field *field, char *out, size_t size);

void docgen_sample(FILE *out);
void docgen_config_md(FILE *out);
void docgen_config_man(FILE *out);
void docgen_counters_md(FILE *out);
void docgen_ha_md(FILE *out);
void docgen_ctl_man(FILE *out);
void docgen_completion(FILE *out);
/* text with what roff would take for its own escaped */
void docgen_roff(FILE *out, const char *text);

#endif
