/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/names.h"
#include "sip/msg.h"

uint8_t sip_header_by_name(struct slice name)
{
    if (name.len == 0 || name.len > SIP_NAME_MAX)
        return SIP_H_OTHER;
    char low[32] = {0};
    for (uint32_t i = 0; i < name.len; i++)
        low[i] = ascii_lower(name.p[i]);
    uint64_t first8;
    memcpy(&first8, low, sizeof(first8));
    const struct sip_name *e = &sip_names[sip_name_slot(first8, name.len)];
    return e->len == name.len && memcmp(e->name, low, name.len) == 0 ? e->id : SIP_H_OTHER;
}

uint8_t sip_method_by_name(struct slice name)
{
#define SIP_METHOD(id)                                                                                       \
    if (name.len == sizeof(#id) - 1 && memcmp(name.p, #id, sizeof(#id) - 1) == 0)                            \
        return SIP_M_##id;
#include "sip/methods.def"
#undef SIP_METHOD
    return SIP_M_OTHER;
}
