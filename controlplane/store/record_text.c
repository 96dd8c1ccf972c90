/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/record_text.h"

const char *const record_table_names[RECORD_TABLES] = {"nodes",    "subclusters", "ha",
                                                       "settings", "routes",      "users"};

bool record_table_parse(struct slice name, enum record_table *out)
{
    for (unsigned i = 0; i < RECORD_TABLES; i++) {
        if (!slice_eq(name, slice_str(record_table_names[i])))
            continue;
        *out = (enum record_table)i;
        return true;
    }
    return false;
}

static bool take_word(struct slice *text, struct slice *word)
{
    const char *blank = text->len ? memchr(text->p, ' ', text->len) : NULL;

    if (!blank)
        return false;
    uint32_t len = (uint32_t)(blank - text->p);
    *word = slice_of(text->p, len);
    *text = slice_of(blank + 1, text->len - len - 1);
    return true;
}

bool record_log_key_parse(struct slice key, struct record_item *out)
{
    struct slice table, op;

    *out = (struct record_item){.expect = RECORD_ANY};
    if (!take_word(&key, &table) || !take_word(&key, &op) || !record_table_parse(table, &out->table))
        return false;
    if (slice_eq(op, SLICE_LIT("set")))
        out->op = RECORD_SET;
    else if (slice_eq(op, SLICE_LIT("del")))
        out->op = RECORD_REMOVE;
    else
        return false;
    out->field = key;
    return true;
}
