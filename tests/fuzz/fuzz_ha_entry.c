/* SPDX-License-Identifier: BSD-2-Clause */
/* The entry of a subcluster as a stranger may have put it under our key: what is taken is within its limits,
 * and says the same when it is written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ha/srm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct srm_entry e = {.epoch = 1}, again = {.epoch = 2};
    char text[SRM_ENTRY_TEXT];
    char *copy = malloc(size > 0 ? size : 1); /* of its size: a byte too far is seen */

    memcpy(copy, data, size);
    bool taken = srm_entry_parse(copy, size, &e);
    free(copy);
    if (!taken) {
        check(e.epoch == 1);
        return 0;
    }
    check(e.row > ROW_NONE && e.row < SRM_ROWS && e.serves[0] < 2 && e.serves[1] < 2 && e.armed < 4);
    check(e.ha == (e.row != ROW_F42));
    size_t len = srm_entry_text(&e, text);
    check(len > 0 && srm_entry_parse(text, len, &again));
    check(again.row == e.row && again.flip == e.flip && again.epoch == e.epoch && again.armed == e.armed);
    check(again.by == e.by && again.lease[0] == e.lease[0] && again.lease[1] == e.lease[1]);
    check(again.serves[0] == e.serves[0] && again.serves[1] == e.serves[1] && again.since == e.since);
    return 0;
}
