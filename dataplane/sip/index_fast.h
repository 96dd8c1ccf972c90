/* SPDX-License-Identifier: BSD-2-Clause */
/* The fast index pass, compiled once per instruction set: the including file gives SIP_FAST_NAME and the
 * three vector steps (classify, name_stops, name_differs). Two passes, because a loop over lines inside the
 * loop over blocks would miss its branches on every block: first bitmaps of 64 bytes give the starts of all
 * lines, then each line is taken on its own. Whatever is unusual is left to the reference. */
#include "sip/index_impl.h"
#include "sip/names.h"

#define FAST_HEAD_MAX 16384u
#define FAST_MIN      64u
#define LINES_MAX     (SIP_HEADERS_MAX + 2 + 64)

struct lines {
    const char *buf;
    uint32_t len;
    uint32_t n; /* line starts; the last one is the empty line */
    bool folded;
    uint16_t start[LINES_MAX];
    uint16_t commas_before[FAST_HEAD_MAX / 64];
    uint64_t comma[FAST_HEAD_MAX / 64];
    uint64_t blank[FAST_HEAD_MAX / 64]; /* SP, HTAB, LF */
};

static inline uint32_t first_bit(uint64_t x)
{
#ifdef __BMI__
    return (uint32_t)_tzcnt_u64(x);
#else
    return x ? (uint32_t)__builtin_ctzll(x) : 64;
#endif
}

static inline uint64_t below(uint32_t bit) /* bit < 64 */
{
    return ((uint64_t)1 << bit) - 1;
}

/* Block at base; bytes past the end read as none of the classes. */
static inline struct masks block(const char *buf, uint32_t len, uint32_t base)
{
    if (base + 64 <= len)
        return classify(buf + base);
    struct masks k = classify(buf + len - 64);
    uint32_t shift = 64 - (len - base);
    k.lf >>= shift;
    k.cr >>= shift;
    k.ws >>= shift;
    k.comma >>= shift;
    k.bad >>= shift;
    return k;
}

static inline uint32_t put_starts(uint16_t *at, uint32_t base, uint64_t starts)
{
    uint32_t count = (uint32_t)__builtin_popcountll(starts);
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint16_t)(base + first_bit(starts));
        starts &= starts - 1;
    }
    if (__builtin_expect(count > 4, 0))
        for (unsigned i = 4; i < count; i++) {
            at[i] = (uint16_t)(base + first_bit(starts));
            starts &= starts - 1;
        }
    return count;
}

/* False: no end of the head in reach, or a byte that needs the reference's eye. */
static inline bool find_lines(struct lines *l, uint32_t lines_max)
{
    uint64_t after_lf = 0, after_cr = 0, folds = 0;
    uint32_t reach = l->len < FAST_HEAD_MAX ? l->len : FAST_HEAD_MAX, commas = 0;
    l->start[0] = 0;
    l->n = 1;
    for (uint32_t base = 0, i = 0; base < reach; base += 64, i++) {
        struct masks k = block(l->buf, l->len, base);
        after_lf |= k.lf << 1;
        after_cr |= k.cr << 1;
        uint64_t starts = after_lf & ~k.ws, fold = after_lf & k.ws, bad = k.bad | (after_cr ^ k.lf);
        uint64_t end = starts & k.cr;
        uint64_t valid = end ? end ^ (end - 1) : ~(uint64_t)0;
        l->comma[i] = k.comma;
        l->blank[i] = k.ws | k.lf;
        l->commas_before[i] = (uint16_t)commas;
        commas += (uint32_t)__builtin_popcountll(k.comma);
        folds |= fold & valid;
        l->n += put_starts(l->start + l->n, base, starts & valid);
        if (__builtin_expect((bad & valid) != 0 || l->n > lines_max, 0))
            return false;
        if (end) {
            uint32_t at = l->start[l->n - 1];
            l->folded = folds != 0;
            return at + 1 < l->len && l->buf[at + 1] == '\n';
        }
        after_lf = k.lf >> 63;
        after_cr = k.cr >> 63;
    }
    return false;
}

static inline uint32_t blanks_in_first(const struct lines *l, uint32_t end)
{
    uint32_t n = 0, i = 0;
    for (; i < end / 64; i++)
        n += (uint32_t)__builtin_popcountll(l->blank[i]);
    return n + (uint32_t)__builtin_popcountll(l->blank[i] & below(end % 64));
}

static inline uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline bool fast_start_line(struct sip_msg *m, const struct lines *l)
{
    const char *buf = l->buf;
    if (l->n < 2)
        return false;
    uint32_t end = l->start[1] - 2u; /* the CR */
    if (end < 12)
        return false;
    const uint64_t space_version = 0x302e322f50495320ull; /* " SIP/2.0" */
    uint32_t name = first_bit(name_stops(buf));           /* FAST_MIN bytes are there */
    if (name - 1 < 30 && buf[name] == ' ' && load64(buf + end - 8) == space_version && name + 1 < end - 8 &&
        blanks_in_first(l, end) == 2) {
        m->is_request = true;
        m->method_name = slice_of(buf, name);
        m->method = sip_method_by_name(m->method_name);
        m->ruri = slice_of(buf + name + 1, end - 8 - (name + 1));
        return true;
    }
    const uint64_t version_space = 0x20302e322f504953ull; /* "SIP/2.0 " */
    if (load64(buf) != version_space || l->folded || buf[11] != ' ')
        return false;
    uint32_t status;
    if (!sip_digits(buf + 8, 3, 699, &status) || status < 100)
        return false;
    m->status = (uint16_t)status;
    m->reason = end > 12 ? slice_of(buf + 12, end - 12) : slice_of(buf + end, 0);
    return true;
}

static inline uint64_t commas_up_to(const struct lines *l, uint32_t at)
{
    return l->commas_before[at / 64] + (uint32_t)__builtin_popcountll(l->comma[at / 64] & below(at % 64));
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Rare names: white space before the colon, or longer than a vector. Returns the name's length, 0 when it is
 * none, and the colon's place. */
static __attribute__((noinline)) uint32_t odd_name(const char *p, uint32_t len, uint32_t *colon, uint8_t *id)
{
    const char *e = p + len, *name_end = ch_span(p, e, CH_TOKEN), *c = name_end;
    while (c < e && (*c == ' ' || *c == '\t'))
        c++;
    if (name_end == p || c == e || *c != ':')
        return 0;
    *colon = (uint32_t)(c - p);
    *id = sip_header_by_name(slice_of(p, (uint32_t)(name_end - p)));
    return (uint32_t)(name_end - p);
}

/* Header line k of m; next is the start of the line after it. p holds the line's first 32 bytes. */
static inline bool fast_header(struct sip_msg *m, const char *buf, const char *p, uint32_t start,
                               uint32_t next, uint64_t comma, uint32_t k)
{
    uint32_t end = next - 2, name = first_bit(name_stops(p)), colon;
    uint8_t id;
    if (__builtin_expect(name - 1 < 30 && p[name] == ':', 1)) {
        uint64_t first8 = load64(p) | SIP_NAME_CASE;
        first8 &= name >= 8 ? ~(uint64_t)0 : below(name * 8);
        const struct sip_name *e = &sip_names[sip_name_slot(first8, name)];
        bool same = ((name_differs(p, e) & (uint32_t)below(name)) == 0) & (e->len == name);
        id = same ? e->id : 0;
        colon = start + name;
    } else {
        name = odd_name(buf + start, end - start, &colon, &id);
        if (!name)
            return false;
        colon += start;
    }
    uint32_t v = colon + 2;
    if (__builtin_expect(buf[colon + 1] != ' ' || is_blank(buf[v]), 0)) {
        v = colon + 1;
        while (v < end && is_blank(buf[v]))
            v++;
    }
    while (__builtin_expect(end > v && is_blank(buf[end - 1]), 0))
        end--;
    uint64_t word = (uint64_t)start | (uint64_t)v << 16 | (uint64_t)(end - v) << 32 |
                    (uint64_t)(name < 127 ? name : 127) << 48 | comma << 55 | (uint64_t)id << 56;
    memcpy(&m->f[k - 1], &word, sizeof(word));
    m->count[id]++;
    m->first[id] = (uint8_t)k; /* lines are taken from the last to the first */
    return true;
}

static inline bool fast_body(struct sip_msg *m, uint32_t len, bool datagram)
{
    uint32_t have = len - m->head_len, want = have;
    const struct sip_field *f = sip_first(m, SIP_H_CONTENT_LENGTH);
    if (f) {
        if (m->count[SIP_H_CONTENT_LENGTH] != 1 || f->value_len > 9 ||
            !sip_digits(m->buf + f->value, f->value_len, UINT32_MAX, &want) || want > have)
            return false;
    } else if (!datagram) {
        return false;
    }
    m->body = slice_of(m->buf + m->head_len, want);
    m->len = m->head_len + want;
    return true;
}

enum sip_result SIP_FAST_NAME(struct sip_msg *m, const char *buf, uint32_t len, bool datagram,
                              unsigned headers_max)
{
    struct lines l;
    l.buf = buf;
    l.len = len;
    if (headers_max > SIP_HEADERS_MAX)
        headers_max = SIP_HEADERS_MAX;
    if (len < FAST_MIN || !find_lines(&l, headers_max + 2))
        return SIP_MORE;
    memset(m, 0, offsetof(struct sip_msg, f));
    m->buf = buf;
    if (!fast_start_line(m, &l))
        return SIP_MORE;
    m->folded = l.folded;
    m->n = (uint16_t)(l.n - 2);
    char tail[64];
    memcpy(tail, buf + len - 32, 32);
    memset(tail + 32, 0, 32);
    uint32_t next = l.start[l.n - 1];
    m->head_len = (uint16_t)(next + 2);
    uint64_t commas = commas_up_to(&l, next);
    for (uint32_t k = l.n - 2; k >= 1; k--) {
        uint32_t start = l.start[k];
        uint64_t before = commas_up_to(&l, start);
        const char *p = __builtin_expect(start + 32 <= len, 1) ? buf + start : tail + (start - (len - 32));
        if (!fast_header(m, buf, p, start, next, before != commas, k))
            return SIP_MORE;
        next = start;
        commas = before;
    }
    return fast_body(m, len, datagram) ? SIP_DONE : SIP_MORE;
}
