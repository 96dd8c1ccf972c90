/* SPDX-License-Identifier: BSD-2-Clause */
/* What a stranger may have put under our keys: a value with its version, the key of a log entry, a version.
 * Whatever comes out lies inside of what went in, and says the same when it is written again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/record_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static bool is_inside(struct slice part, struct slice whole)
{
    return part.p >= whole.p && part.p + part.len <= whole.p + whole.len;
}

static void try_value(struct slice raw)
{
    struct record_version version, again;
    struct slice payload;
    char text[RECORD_VERSION_STRLEN];

    record_value_split(raw, &version, &payload);
    check(is_inside(payload, raw));
    check(payload.p + payload.len == raw.p + raw.len); /* nothing behind it is lost */
    if (payload.len == raw.len) {
        check(record_version_is_none(version));
        return;
    }
    check(raw.p[raw.len - payload.len - 1] == ' ');
    record_version_format(version, text);
    check(record_version_parse(slice_str(text), &again) && record_version_cmp(version, again) == 0);
    check(record_version_parse(slice_of(raw.p, raw.len - payload.len - 1), &again) &&
          record_version_cmp(version, again) == 0);
}

static void try_key(struct slice key)
{
    struct record_item item;
    char text[64];

    if (!record_log_key_parse(key, &item))
        return;
    check(item.table < RECORD_TABLES && is_inside(item.field, key));
    int n = snprintf(text, sizeof(text), "%s %s ", record_table_names[item.table],
                     item.op == RECORD_SET ? "set" : "del");
    check((uint32_t)n + item.field.len == key.len && memcmp(key.p, text, (size_t)n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1); /* of its size: a byte too far is seen */
    struct slice all = slice_of(copy, (uint32_t)size);
    struct record_version version;

    memcpy(copy, data, size);
    try_value(all);
    try_key(all);
    record_version_parse(all, &version);
    free(copy);
    return 0;
}
