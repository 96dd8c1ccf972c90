/* SPDX-License-Identifier: BSD-2-Clause */
/* An answer of a name server that nobody trusts: refused, or records whose targets are texts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns/srv.h"

#define MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct srv srv[MAX];
    uint32_t ttl;
    memset(srv, 0x55, sizeof(srv));
    if (size > 65535)
        return 0;
    int n = srv_parse(data, (int)size, srv, MAX, &ttl);
    if (n > MAX)
        abort();
    for (int i = 0; i < n; i++)
        if (memchr(srv[i].target, 0, sizeof(srv[i].target)) == NULL)
            abort();
    return 0;
}
