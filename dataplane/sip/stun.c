/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 5389/8489 as far as RFC 5626 section 8 wants it on a SIP port: a Binding request gets its reflexive
 * address. */
#include <rte_byteorder.h>

#include "sip/proxy.h"

#define STUN_HEADER      20
#define STUN_COOKIE      0x2112a442u
#define STUN_REQUEST     0x0001
#define STUN_SUCCESS     0x0101
#define STUN_ERROR       0x0111
#define STUN_UNKNOWN     0x000a
#define STUN_ERROR_CODE  0x0009
#define STUN_XOR_MAPPED  0x0020
#define STUN_FINGERPRINT 0x8028
#define STUN_UNKNOWN_MAX 8

static uint16_t get16(const char *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return rte_be_to_cpu_16(v);
}

static uint32_t get32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return rte_be_to_cpu_32(v);
}

static char *put16(char *p, uint16_t v)
{
    v = rte_cpu_to_be_16(v);
    memcpy(p, &v, 2);
    return p + 2;
}

static char *put32(char *p, uint32_t v)
{
    v = rte_cpu_to_be_32(v);
    memcpy(p, &v, 4);
    return p + 4;
}

static uint32_t crc32_ieee(const char *p, uint32_t len)
{
    uint32_t c = 0xffffffffu;
    for (uint32_t i = 0; i < len; i++) {
        c ^= (unsigned char)p[i];
        for (int k = 0; k < 8; k++)
            c = (c >> 1) ^ (0xedb88320u & -(c & 1));
    }
    return ~c;
}

static uint32_t fingerprint(const char *msg, uint32_t len)
{
    return crc32_ieee(msg, len) ^ 0x5354554eu; /* RFC 8489 14.7: "STUN" */
}

struct stun {
    bool fingerprint;
    unsigned unknown;
    uint16_t unknown_type[STUN_UNKNOWN_MAX];
};

/* Comprehension-required attributes that a Binding request to a SIP port may carry and that change nothing
 * here. */
static bool stun_known(uint16_t type)
{
    return type >= 0x8000 || type == 0x0006 || type == 0x0008 || type == 0x0014 || type == 0x0015;
}

static bool stun_parse(const char *p, uint32_t len, struct stun *out)
{
    uint32_t at = STUN_HEADER;
    if (len < STUN_HEADER || (len & 3) || get16(p) != STUN_REQUEST || get16(p + 2) != len - STUN_HEADER ||
        get32(p + 4) != STUN_COOKIE)
        return false;
    while (at < len) {
        uint16_t type, size;
        if (len - at < 4)
            return false;
        type = get16(p + at);
        size = get16(p + at + 2);
        if (size > len - at - 4)
            return false;
        if (type == STUN_FINGERPRINT) {
            if (size != 4 || at + 8 != len || get32(p + at + 4) != fingerprint(p, at))
                return false;
            out->fingerprint = true;
        } else if (!stun_known(type) && out->unknown < STUN_UNKNOWN_MAX) {
            out->unknown_type[out->unknown++] = type;
        }
        at += 4 + ((size + 3u) & ~3u);
    }
    return at == len;
}

static char *put_mapped(char *p, const char *id, const struct hg_endpoint *src)
{
    bool v4 = hg_ip_is4(&src->ip);
    unsigned n = v4 ? 4 : 16;
    const uint8_t *ip = src->ip.b + 16 - n;
    p = put16(p, STUN_XOR_MAPPED);
    p = put16(p, (uint16_t)(4 + n));
    p = put16(p, v4 ? 1 : 2);
    p = put16(p, src->port ^ (uint16_t)(STUN_COOKIE >> 16));
    for (unsigned i = 0; i < n; i++)
        *p++ = (char)(ip[i] ^ (uint8_t)id[i]); /* id: cookie and transaction, as they stand in the header */
    return p;
}

static char *put_unknown(char *p, const struct stun *st)
{
    p = put16(p, STUN_ERROR_CODE);
    p = put16(p, 4);
    p = put32(p, 4 << 8 | 20); /* 420 */
    p = put16(p, STUN_UNKNOWN);
    p = put16(p, (uint16_t)(2 * st->unknown));
    for (unsigned i = 0; i < st->unknown; i++)
        p = put16(p, st->unknown_type[i]);
    return st->unknown & 1 ? put16(p, 0) : p;
}

unsigned stun_answer(struct sip *s, struct datagram *d)
{
    struct stun st = {0};
    struct rte_mbuf *m;
    char *start, *p;
    if (!stun_parse(d->data, d->len, &st))
        return HG_DROP_sip_unparseable;
    m = sip_mbuf(s, 128);
    if (!m)
        return HG_DROP_sip_no_memory;
    start = rte_pktmbuf_mtod(m, char *);
    memcpy(start, d->data, STUN_HEADER);
    put16(start, st.unknown ? STUN_ERROR : STUN_SUCCESS);
    p = start + STUN_HEADER;
    p = st.unknown ? put_unknown(p, &st) : put_mapped(p, start + 4, &d->src);
    put16(start + 2, (uint16_t)(p - start - STUN_HEADER + (st.fingerprint ? 8 : 0)));
    if (st.fingerprint) {
        uint32_t print = fingerprint(start, (uint32_t)(p - start));
        p = put16(p, STUN_FINGERPRINT);
        p = put16(p, 4);
        p = put32(p, print);
    }
    m->data_len = (uint16_t)(p - start);
    m->pkt_len = m->data_len;
    ctx_count(s->ctx, HG_C_sip_keepalives);
    (void)sip_send(s, m, &d->dst, &d->src, 0);
    return HG_C_sip_answered;
}
