/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/frame.h"

#include <string.h>

/* A place in the bytes of all slices. */
struct place {
    const struct slice *s;
    unsigned n, i;
    uint32_t at; /* in s[i] */
};

static void place_set(struct place *p, const struct slice *s, unsigned n, uint32_t at)
{
    p->s = s;
    p->n = n;
    p->i = 0;
    while (p->i < n && at >= s[p->i].len)
        at -= s[p->i++].len;
    p->at = at;
}

/* -1: no more. */
static int place_next(struct place *p)
{
    while (p->i < p->n && p->at == p->s[p->i].len) {
        p->i++;
        p->at = 0;
    }
    return p->i < p->n ? (unsigned char)p->s[p->i].p[p->at++] : -1;
}

/* Steps behind the next LF. false: there is none; *gone counts what was stepped over. */
static bool place_line(struct place *p, uint32_t *gone)
{
    for (; p->i < p->n; p->i++, p->at = 0) {
        const struct slice *s = &p->s[p->i];
        const char *from = s->p + p->at, *lf = memchr(from, '\n', s->len - p->at);
        if (lf) {
            *gone += (uint32_t)(lf + 1 - from);
            p->at += (uint32_t)(lf + 1 - from);
            return true;
        }
        *gone += s->len - p->at;
    }
    return false;
}

/* Line by line: the head ends with the line that is empty. A line that is not whole yet is scanned again from
 * where its last bytes, of which it may take three to know, begin. */
static void find_head(struct sip_frame *f, const struct slice *s, unsigned n)
{
    struct place p;
    uint32_t at = f->scanned;

    place_set(&p, s, n, at);
    while (place_line(&p, &at)) {
        struct place ahead = p;
        int c = place_next(&ahead), d = c == '\r' ? place_next(&ahead) : -1;
        if (c == '\r' && d == '\n') {
            f->head = at + 2;
            return;
        }
        if (c == -1 || (c == '\r' && d == -1)) { /* this LF is looked at again */
            f->scanned = at - 1;
            return;
        }
    }
    f->scanned = at;
}

const char *sip_frame_flat(const struct slice *s, unsigned n, uint32_t len, char *room)
{
    uint32_t got = 0;

    if (n > 0 && s[0].len >= len)
        return s[0].p;
    for (unsigned i = 0; i < n && got < len; i++) {
        uint32_t part = s[i].len < len - got ? s[i].len : len - got;
        memcpy(room + got, s[i].p, part);
        got += part;
    }
    return room;
}

/* Exactly one Content-Length, and a number: what is not sure is refused, because another element might see it
 * otherwise. A head that is bad in another way has its end all the same. */
static bool body_length(const struct sip_frame *f, const struct slice *s, unsigned n, struct sip_msg *m,
                        char *room, uint32_t *body)
{
    enum sip_result r =
        sip_index_scalar(m, sip_frame_flat(s, n, f->head, room), f->head, false, SIP_HEADERS_MAX);
    const struct sip_field *length = sip_first(m, SIP_H_CONTENT_LENGTH);

    if (r == SIP_BAD && (m->head_len != f->head || m->error == SIP_E_NOT_SIP))
        return false;
    return length && m->count[SIP_H_CONTENT_LENGTH] == 1 &&
           sip_digits(m->buf + length->value, length->value_len, UINT32_MAX - SIP_HEAD_MAX, body);
}

enum sip_frame_result sip_frame(struct sip_frame *f, const struct slice *s, unsigned n, uint32_t max,
                                struct sip_msg *m, char *room)
{
    uint32_t have = 0, body = 0;

    for (unsigned i = 0; i < n; i++)
        have += s[i].len;
    if (f->head == 0) {
        find_head(f, s, n);
        if (f->head == 0)
            return have > SIP_HEAD_MAX || have > max ? SIP_FRAME_LONG : SIP_FRAME_MORE;
    }
    if (f->whole == 0) {
        if (f->head > SIP_HEAD_MAX || f->head > max)
            return SIP_FRAME_LONG;
        if (!body_length(f, s, n, m, room, &body))
            return SIP_FRAME_BAD;
        if (body > max - f->head)
            return SIP_FRAME_LONG;
        f->whole = f->head + body;
    }
    return have >= f->whole ? SIP_FRAME_WHOLE : SIP_FRAME_MORE;
}

uint32_t sip_frame_blank(const struct slice *s, unsigned n)
{
    uint32_t len = 0;
    for (unsigned i = 0; i < n; i++)
        for (uint32_t at = 0; at < s[i].len; at++, len++)
            if (s[i].p[at] != '\r' && s[i].p[at] != '\n')
                return len;
    return len;
}
