/* SPDX-License-Identifier: BSD-2-Clause */
/* Which patterns of the image match a subject. The cost is bounded: one probe for the whole, one for each
 * length of literals before trailing wildcards that exists, one for each template's form; the same for host
 * names by ending. */
#include "route/state.h"

struct matches {
    uint32_t *group;
    unsigned n;
};

/* Group numbers are the order of specificity. What does not fit is the least specific. */
static void add(struct matches *m, uint32_t group)
{
    unsigned i = m->n;
    if (i == MATCH_MAX) {
        if (group >= m->group[i - 1])
            return;
        i--;
    } else {
        m->n++;
    }
    for (; i > 0 && m->group[i - 1] > group; i--)
        m->group[i] = m->group[i - 1];
    m->group[i] = group;
}

static void match_prefix(const struct hg_image *image, uint32_t index, uint32_t len, struct matches *m)
{
    const struct hg_image_prefix *p = HG_IMAGE_AT(image, HG_SECTION_PREFIXES, struct hg_image_prefix) + index;
    if (p->nexact + p->nstar == 1) {
        if (p->nexact ? p->len == len : p->len <= len)
            add(m, p->group);
        return;
    }
    const struct hg_image_rule *rule = HG_IMAGE_AT(image, HG_SECTION_RULES, struct hg_image_rule) + p->rule;
    uint32_t low = 0, high = p->nexact;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (rule[mid].len < len)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < p->nexact && rule[low].len == len)
        add(m, rule[low].group);
    for (uint32_t i = 0; i < p->nstar && rule[p->nexact + i].len <= len; i++)
        add(m, rule[p->nexact + i].group);
}

static void match_shapes(const struct hg_image *image, const struct hg_image_text *user, struct matches *m)
{
    struct hg_image_text masked;
    for (uint32_t i = 0; i < image->nshapes; i++) {
        const struct hg_image_shape *s = &image->shape[i];
        if (user->len < s->len || (!s->star && user->len != s->len))
            continue;
        memcpy(masked.c, user->c, s->len);
        masked.len = masked.stored = s->len;
        for (uint32_t c = 0; c < s->len; c++)
            if (s->any[c / 64] >> (c % 64) & 1)
                masked.c[c] = 0;
        hg_image_text_seal(&masked, image->seed);
        const struct hg_image_entry *e = hg_image_find(image, &masked, s->len, HG_KEY_SHAPE, i);
        if (e)
            add(m, e->value);
    }
}

/* The bits 0 .. max of a set of lengths, word by word from the top. */
static uint64_t lengths(const uint64_t set[4], unsigned word, uint32_t max)
{
    if (max / 64 < word)
        return 0;
    return max / 64 > word || max % 64 == 63 ? set[word] : set[word] & ((1ull << (max % 64 + 1)) - 1);
}

static void match_user(const struct hg_image *image, const struct hg_image_text *user, struct matches *m)
{
    const struct hg_image_entry *e;
    if (user->len <= HG_PATTERN_MAX && (e = hg_image_find(image, user, user->len, HG_KEY_USER, 0)))
        add(m, e->value);
    uint32_t max = user->len < HG_PATTERN_MAX ? user->len : HG_PATTERN_MAX;
    for (unsigned word = max / 64 + 1; word-- > 0;) {
        for (uint64_t set = lengths(image->prefix_lens, word, max); set;) {
            unsigned bit = 63 - (unsigned)__builtin_clzll(set);
            set &= ~(1ull << bit);
            if ((e = hg_image_find(image, user, word * 64 + bit, HG_KEY_PREFIX, 0)))
                match_prefix(image, e->value, user->len, m);
        }
    }
    if (image->nshapes)
        match_shapes(image, user, m);
}

static void match_suffix(const struct hg_image *image, uint32_t index, const struct hg_image_text *host,
                         uint32_t rest, struct matches *m)
{
    const struct hg_image_suffix *s = HG_IMAGE_AT(image, HG_SECTION_SUFFIXES, struct hg_image_suffix) + index;
    const uint8_t *form = HG_IMAGE_AT(image, HG_SECTION_FORMS, uint8_t) + s->form;
    for (uint32_t i = 0; i < s->nforms; i++) {
        const struct hg_image_entry *e;
        if (form[i] <= rest && (e = hg_image_find(image, host, form[i], HG_KEY_BOTH, index)))
            add(m, e->value);
    }
    if (s->group != HG_IMAGE_NONE)
        add(m, s->group);
}

static void match_host(const struct hg_image *image, const struct hg_image_text *host, struct matches *m)
{
    const struct hg_image_entry *e = hg_image_find(image, host, host->len, HG_KEY_HOST, 0);
    struct hg_image_text reversed;
    if (e)
        add(m, e->value);
    if (!(image->suffix_lens[0] | image->suffix_lens[1] | image->suffix_lens[2] | image->suffix_lens[3]))
        return;
    reversed.len = reversed.stored = host->len;
    for (uint32_t i = 0; i < host->len; i++)
        reversed.c[i] = host->c[host->len - 1 - i];
    hg_image_text_seal(&reversed, image->seed);
    for (unsigned word = 4; word-- > 0;) {
        for (uint64_t set = lengths(image->suffix_lens, word, host->len); set;) {
            unsigned bit = 63 - (unsigned)__builtin_clzll(set);
            set &= ~(1ull << bit);
            uint32_t len = word * 64 + bit;
            if ((e = hg_image_find(image, &reversed, len, HG_KEY_SUFFIX, 0)))
                match_suffix(image, e->value, host, host->len - len, m);
        }
    }
}

unsigned image_match_host(const struct hg_image *image, const struct hg_image_text *host, uint32_t *groups)
{
    struct matches m = {groups, 0};
    if (host->len && host->len <= HG_HOST_MAX)
        match_host(image, host, &m);
    return m.n;
}

unsigned image_match(const struct hg_image *image, const struct hg_image_text *user,
                     const struct route_host *host, uint32_t *groups)
{
    struct matches m = {groups, 0};
    if (user && user->len)
        match_user(image, user, &m);
    for (unsigned i = 0; i < host->groups; i++)
        add(&m, host->group[i]);
    return m.n;
}
