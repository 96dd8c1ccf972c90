/* SPDX-License-Identifier: BSD-2-Clause */
#define SIP_CHECK_REQUEST  sip_check_request_sse42
#define SIP_CHECK_RESPONSE sip_check_response_sse42
#include "sip/check_impl.h"

enum sip_error sip_check_request_with(enum sip_isa isa, const struct sip_msg *m, struct sip_core_fields *out)
{
    if (isa == SIP_ISA_AVX512)
        return sip_check_request_avx512(m, out);
    return isa == SIP_ISA_AVX2 ? sip_check_request_avx2(m, out) : sip_check_request_sse42(m, out);
}

enum sip_error sip_check_response_with(enum sip_isa isa, const struct sip_msg *m, struct sip_core_fields *out)
{
    if (isa == SIP_ISA_AVX512)
        return sip_check_response_avx512(m, out);
    return isa == SIP_ISA_AVX2 ? sip_check_response_avx2(m, out) : sip_check_response_sse42(m, out);
}

enum sip_error sip_check_request(const struct sip_msg *m, struct sip_core_fields *out)
{
    return sip_check_request_with(sip_isa_best(), m, out);
}

enum sip_error sip_check_response(const struct sip_msg *m, struct sip_core_fields *out)
{
    return sip_check_response_with(sip_isa_best(), m, out);
}

enum sip_error sip_check_broken(const struct sip_msg *m, struct sip_core_fields *out)
{
    enum sip_error e = m->is_request ? sip_check_request(m, out) : sip_check_response(m, out);
    return m->error ? (enum sip_error)m->error : e;
}
