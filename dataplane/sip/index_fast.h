/* SPDX-License-Identifier: BSD-2-Clause */
/* The fast index pass, compiled once per instruction set: the including file gives SIP_FAST_NAME and the
 * three vector steps (classify, put_starts, first_bit, name_stops, name_is, blanks). Two passes, because a
 * loop over lines inside the loop over blocks would miss its branches on every block: first bitmaps of 64
 * bytes give the starts of all lines, then each line is taken on its own. Whatever is unusual is left to the
 * reference. */
#include "sip/index_impl.h"
#include "sip/names.h"

#define FAST_HEAD_MAX 16384u
#define FAST_MIN      64u
#define LINES_MAX     (SIP_HEADERS_MAX + 2 + BLOCK_LINES_MAX)

struct lines {
    const char *buf;
    uint32_t len;
    uint32_t n; /* line starts; the last one is the empty line */
    bool folded;
    bool commas;
    bool spaced; /* white space doubled or before a line's end: values need trimming */
    uint16_t start[LINES_MAX];
    uint64_t comma[FAST_HEAD_MAX / 64];
};

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
    k.comma >>= shift;
    k.blank >>= shift;
    k.control >>= shift;
    return k;
}

/* A bitmap one byte later, with what the block before carries over. */
static inline uint64_t later(uint64_t now, uint64_t before)
{
    return now << 1 | before >> 63;
}

/* False: no end of the head in reach, or a byte that needs the reference's eye (HTAB is one). */
static inline bool find_lines(struct lines *l, uint32_t lines_max)
{
    struct masks was = {0};
    uint64_t bad = 0, odd = 0, folds = 0, commas = 0;
    uint32_t reach = l->len < FAST_HEAD_MAX ? l->len : FAST_HEAD_MAX, n = 1;
    l->start[0] = 0;
    for (uint32_t base = 0; base < reach; base += 64) {
        struct masks k = block(l->buf, l->len, base);
        uint64_t after_lf = later(k.lf, was.lf), after_cr = later(k.cr, was.cr);
        uint64_t starts = after_lf & ~(k.blank ^ k.control), end = starts & k.cr;
        uint64_t inside = ~end & (end - 1), valid = end ^ (end - 1); /* all, when there is no end */
        l->comma[base / 64] = k.comma;
        bad |= ((k.control ^ k.lf ^ k.cr) | (after_cr ^ k.lf)) & valid;
        uint64_t doubled = later(k.blank, was.blank) & k.blank & ~k.lf & inside;
        if (__builtin_expect(doubled != 0, 0)) {
            odd |= doubled;
            folds |= after_lf & ~starts & inside;
        }
        uint32_t count = put_starts(l->start + n, base, starts & valid);
        n += count;
        if (__builtin_expect(count > BLOCK_LINES_MAX || n > lines_max, 0))
            return false;
        if (end) {
            uint32_t at = l->start[n - 1];
            l->n = n;
            l->folded = folds != 0;
            l->spaced = odd != 0;
            l->commas = (commas | (k.comma & inside)) != 0;
            return bad == 0 && at + 1 < l->len && l->buf[at + 1] == '\n';
        }
        commas |= k.comma;
        was = k;
    }
    return false;
}

/* No white space, no line break in [p, p + len); 32 bytes behind it can be read: the rest of the start line
 * and the shortest head make sure of less, so the last steps may be short. */
static inline bool unbroken(const char *p, uint32_t len, const char *e)
{
    for (; len >= 32; p += 32, len -= 32)
        if (blanks(p))
            return false;
    if (e - p >= 32)
        return (blanks(p) & (uint32_t)below(len)) == 0;
    for (uint32_t i = 0; i < len; i++)
        if ((uint8_t)p[i] <= ' ')
            return false;
    return true;
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
        unbroken(buf + name + 1, end - 8 - (name + 1), buf + l->len)) {
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

/* Sets the comma flag of every line that has one. */
static inline void mark_commas(struct sip_msg *m, const struct lines *l)
{
    uint32_t k = 1, stop = l->start[l->n - 1], blocks = stop / 64 + 1;
    for (uint32_t i = 0; i < blocks; i++) {
        uint64_t left = l->comma[i];
        while (left) {
            uint32_t at = i * 64 + first_bit(left);
            if (at > stop)
                return;
            while (l->start[k + 1] <= at)
                k++;
            if (l->start[k] <= at) /* not in the start line */
                m->f[k - 1].comma = 1;
            uint32_t next = l->start[l->start[k] <= at ? k + 1 : k];
            left = next / 64 > i ? 0 : left & ~below(next % 64);
        }
    }
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline void put_field(struct sip_msg *m, uint32_t k, uint32_t start, uint32_t value, uint32_t end,
                             uint32_t name, uint8_t id)
{
    struct sip_field *f = &m->f[k - 1];
    uint8_t name_len = (uint8_t)name; /* and comma clear, in one store */
    f->name = (uint16_t)start;
    f->value = (uint16_t)value;
    f->value_len = (uint16_t)(end - value);
    memcpy((char *)f + offsetof(struct sip_field, id) - 1, &name_len, 1);
    f->id = id;
    m->count[id]++;
    m->first[id] = (uint8_t)k; /* lines are taken from the last to the first */
}

/* White space before the colon, a name longer than a vector, or no name at all. */
static __attribute__((noinline)) bool odd_header(struct sip_msg *m, const char *buf, uint32_t k,
                                                 uint32_t start, uint32_t end)
{
    const char *p = buf + start, *e = buf + end, *name_end = ch_span(p, e, CH_TOKEN), *colon = name_end;
    while (colon < e && *colon == ' ')
        colon++;
    if (name_end == p || colon == e || *colon != ':')
        return false;
    uint32_t name = (uint32_t)(name_end - p), value = (uint32_t)(colon - buf) + 1;
    value += value < end && buf[value] == ' ';
    put_field(m, k, start, value, end, name < 127 ? name : 127, sip_header_by_name(slice_of(p, name)));
    return true;
}

static __attribute__((noinline)) void trim_all(struct sip_msg *m)
{
    for (struct sip_field *f = m->f; f < m->f + m->n; f++) {
        while (f->value_len && is_blank(m->buf[f->value])) {
            f->value++;
            f->value_len--;
        }
        while (f->value_len && is_blank(m->buf[f->value + f->value_len - 1]))
            f->value_len--;
    }
}

static inline uint64_t first_bytes(uint64_t v, uint32_t n) /* n: 0 to 32 or 64 */
{
#ifdef __BMI2__
    return _bzhi_u64(v, n * 8);
#else
    return n >= 8 ? v : v & below(n * 8);
#endif
}

/* Header line k of m, without its CRLF. p holds the line's first 32 bytes. */
static inline bool fast_header(struct sip_msg *m, const char *buf, const char *p, uint32_t k, uint32_t start,
                               uint32_t end)
{
    uint32_t name = first_bit(name_stops(p));
    const struct sip_name *e = &sip_names[sip_name_slot(first_bytes(load64(p) | SIP_NAME_CASE, name), name)];
    uint8_t id = e->id;
    if (__builtin_expect(!name_is(p, e), 0)) {
        if (name - 1 >= 31 || p[name] != ':')
            return odd_header(m, buf, k, start, end);
        id = SIP_H_OTHER;
    }
    uint32_t value = start + name + 1;
    value += buf[value] == ' ';
    put_field(m, k, start, value, end, name, id);
    return true;
}

/* Near the end of the bytes 32 of them cannot be read where the line is. */
static __attribute__((noinline)) bool fast_header_copied(struct sip_msg *m, const struct lines *l, uint32_t k)
{
    char copy[32] = {0};
    uint32_t start = l->start[k];
    memcpy(copy, l->buf + start, l->len - start);
    return fast_header(m, l->buf, copy, k, start, l->start[k + 1] - 2u);
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
    ch_zero(m, offsetof(struct sip_msg, f));
    m->buf = buf;
    if (!fast_start_line(m, &l))
        return SIP_MORE;
    m->folded = l.folded;
    m->n = (uint16_t)(l.n - 2);
    m->head_len = (uint16_t)(l.start[l.n - 1] + 2);
    uint32_t k = l.n - 2;
    for (; k >= 1 && l.start[k] + 32u > len; k--)
        if (!fast_header_copied(m, &l, k))
            return SIP_MORE;
    for (uint32_t next = l.start[k + 1]; k >= 1; k--) {
        uint32_t start = l.start[k];
        if (!fast_header(m, buf, buf + start, k, start, next - 2))
            return SIP_MORE;
        next = start;
    }
    if (l.commas)
        mark_commas(m, &l);
    if (l.spaced)
        trim_all(m);
    return fast_body(m, len, datagram) ? SIP_DONE : SIP_MORE;
}
