/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP options of any bytes: read within bounds, and what is written is read back the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tcp/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tcp_options o = {0}, again = {0};
    uint8_t out[40], exact[40];
    if (size > sizeof(exact))
        return 0;
    uint8_t *copy = malloc(size + 1); /* its end is where the sanitizer looks */
    require(copy != NULL);
    memcpy(copy, data, size);
    if (tcp_options_read(copy, (uint32_t)size, &o)) {
        require(o.sacks <= TCP_SACKS && (!(o.has & TCP_OPTION_SCALE) || o.scale <= 14));
        uint32_t len = tcp_options_syn(out, &o);
        require(len <= 20 && len % 4 == 0 && tcp_options_read(out, len, &again));
        require(again.mss == o.mss && again.has == (o.has | TCP_OPTION_MSS));
        require(!(o.has & TCP_OPTION_TS) || (again.ts_val == o.ts_val && again.ts_ecr == o.ts_ecr));
        len = tcp_options_sack(out, o.sack, o.sacks);
        require(len <= 36 && tcp_options_read(out, len, &again) && again.sacks == o.sacks);
        require(memcmp(again.sack, o.sack, o.sacks * sizeof(o.sack[0])) == 0);
    }
    free(copy);
    return 0;
}
