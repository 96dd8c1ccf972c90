/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of tables and the keys of log entries: "users set bob@example.com". */
#ifndef CONTROLPLANE_STORE_RECORD_TEXT_H
#define CONTROLPLANE_STORE_RECORD_TEXT_H

#include "store/record.h"

bool record_table_parse(struct slice name, enum record_table *out);
/* Table, operation and field of one pair of a log entry; false when it is none. */
bool record_log_key_parse(struct slice key, struct record_item *out);

#endif
