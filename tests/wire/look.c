/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking at the wire: segments parsed by means of the harness's own, so that it cannot share a fault with
 * the code; the trace; what a case expects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "two_impl.h"

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}

uint16_t wire_sum(const uint8_t *p, uint32_t len, uint32_t start)
{
    uint64_t s = start;
    for (uint32_t i = 0; i < len; i++)
        s += (uint32_t)p[i] << (i & 1 ? 0 : 8);
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

uint32_t wire_pseudo(const struct hg_ip *src, const struct hg_ip *dst, uint32_t len)
{
    uint32_t s = 6 + len;
    for (unsigned i = hg_ip_is4(dst) ? 12 : 0; i < 16; i += 2)
        s += (uint32_t)be16(src->b + i) + be16(dst->b + i);
    return s;
}

static void options_look(struct seen *s, const uint8_t *p, uint32_t len)
{
    while (len && *p != 0) {
        if (*p == 1) {
            p++;
            len--;
            continue;
        }
        if (len < 2 || p[1] < 2 || p[1] > len)
            return;
        if (p[0] == 2 && p[1] == 4)
            s->mss = be16(p + 2);
        if (p[0] == 3 && p[1] == 3)
            s->wscale = p[2];
        if (p[0] == 4)
            s->sack_ok = true;
        if (p[0] == 8 && p[1] == 10) {
            s->has_ts = true;
            s->ts_val = be32(p + 2);
            s->ts_ecr = be32(p + 6);
        }
        for (unsigned i = 0; p[0] == 5 && 2 + 8 * i + 8 <= p[1] && s->nsacks < 4; i++) {
            s->sack[s->nsacks][0] = be32(p + 2 + 8 * i);
            s->sack[s->nsacks++][1] = be32(p + 6 + 8 * i);
        }
        len -= p[1];
        p += p[1];
    }
}

/* Sequence numbers count from the SYN of their side, once it was seen. */
static void make_relative(struct two *w, struct seen *s)
{
    uint16_t port[2] = {s->from == A ? s->sport : s->dport, s->from == A ? s->dport : s->sport};
    unsigned i = 0;
    while (i < w->nflows && (w->flow[i].port[A] != port[A] || w->flow[i].port[B] != port[B]))
        i++;
    if (i == sizeof(w->flow) / sizeof(w->flow[0]))
        return;
    if (i == w->nflows) {
        if (!(s->flags & SEEN_SYN))
            return;
        memset(&w->flow[w->nflows++], 0, sizeof(w->flow[0]));
        memcpy(w->flow[i].port, port, sizeof(port));
    }
    if (s->flags & SEEN_SYN) {
        w->flow[i].set[s->from] = true;
        w->flow[i].isn[s->from] = s->raw_seq;
    }
    if (w->flow[i].set[s->from])
        s->seq -= w->flow[i].isn[s->from];
    if (!w->flow[i].set[!s->from])
        return;
    if (s->flags & SEEN_ACK)
        s->ack -= w->flow[i].isn[!s->from];
    for (unsigned k = 0; k < s->nsacks; k++)
        for (unsigned e = 0; e < 2; e++)
            s->sack[k][e] -= w->flow[i].isn[!s->from];
}

bool look(struct two *w, enum side from, const uint8_t *b, uint32_t len, struct seen *s, uint32_t *at)
{
    struct hg_ip src = {{0}}, dst = {{0}};
    uint32_t tcp, total;
    if (len >= 34 && be16(b + 12) == 0x0800 && b[23] == 6 && (be16(b + 20) & 0x1fff) == 0) {
        tcp = 14 + (b[14] & 15u) * 4;
        total = be16(b + 16) - (b[14] & 15u) * 4;
        uint32_t a;
        memcpy(&a, b + 26, 4);
        src = hg_ip_from4(a);
        memcpy(&a, b + 30, 4);
        dst = hg_ip_from4(a);
    } else if (len >= 54 && be16(b + 12) == 0x86dd && b[20] == 6) {
        tcp = 54;
        total = be16(b + 18);
        memcpy(src.b, b + 22, 16);
        memcpy(dst.b, b + 38, 16);
    } else {
        return false;
    }
    if (tcp + total > len || total < 20)
        return false;
    const uint8_t *t = b + tcp;
    *s = (struct seen){.us = w->us,
                       .from = from,
                       .sport = be16(t),
                       .dport = be16(t + 2),
                       .raw_seq = be32(t + 4),
                       .raw_ack = be32(t + 8),
                       .flags = t[13] & 0x3f,
                       .wnd = be16(t + 14),
                       .wscale = -1};
    s->seq = s->raw_seq;
    s->ack = s->raw_ack;
    s->is4 = hg_ip_is4(&dst);
    s->tcp_header = (uint8_t)((t[12] >> 4) * 4);
    s->sum_ok = wire_sum(t, total, wire_pseudo(&src, &dst, total)) == 0;
    if (s->tcp_header < 20 || s->tcp_header > total)
        return false;
    s->len = total - s->tcp_header;
    memcpy(s->head, t + s->tcp_header, s->len < sizeof(s->head) ? s->len : sizeof(s->head));
    options_look(s, t + 20, s->tcp_header - 20u);
    make_relative(w, s);
    *at = tcp;
    return true;
}

void remember(struct two *w, const struct seen *s, const uint8_t *b, uint32_t len)
{
    if (w->nseen == w->room) {
        w->room = w->room ? 2 * w->room : 1024;
        w->seen = realloc(w->seen, w->room * sizeof(*w->seen));
        REQUIRE(w->seen);
    }
    w->seen[w->nseen++] = *s;
    if (w->pcap) {
        uint32_t h[4] = {(uint32_t)(w->us / 1000000), (uint32_t)(w->us % 1000000), len, len};
        fwrite(h, sizeof(h), 1, w->pcap);
        fwrite(b, len, 1, w->pcap);
    }
}

/* ---- the trace ---- */

static void flags_text(uint8_t flags, char *out)
{
    static const char letters[] = "FSRP.U";
    unsigned n = 0;
    for (unsigned i = 0; i < 6; i++)
        if (flags & 1u << i)
            out[n++] = letters[i];
    if (n == 0)
        out[n++] = '-';
    out[n] = '\0';
}

static void seen_print(const struct two *w, const struct seen *s, FILE *out)
{
    static const char *const fates[] = {"",         " DROPPED",   " DUPLICATED",
                                        " DELAYED", " CORRUPTED", " TRUNCATED"};
    char flags[8];
    flags_text(s->flags, flags);
    fprintf(out, "%12.6f %c>%c %5u %5u %-3s seq %u", (double)(s->us - w->start_us) / 1e6, 'A' + s->from,
            'A' + !s->from, s->sport, s->dport, flags, s->seq);
    if (s->len)
        fprintf(out, " end %u", s->seq + s->len);
    if (s->flags & SEEN_ACK)
        fprintf(out, " ack %u", s->ack);
    fprintf(out, " win %u len %u", s->wnd, s->len);
    if (s->mss)
        fprintf(out, " mss %u", s->mss);
    if (s->wscale >= 0)
        fprintf(out, " wscale %d", s->wscale);
    if (s->sack_ok)
        fputs(" sackOK", out);
    if (s->has_ts)
        fprintf(out, " ts %u:%u", s->ts_val, s->ts_ecr);
    for (unsigned i = 0; i < s->nsacks; i++)
        fprintf(out, " sack %u:%u", s->sack[i][0], s->sack[i][1]);
    fprintf(out, "%s%s\n", s->sum_ok ? "" : " BAD SUM", fates[s->fate]);
}

void wire_trace(const struct two *w, FILE *out)
{
    unsigned from = w->nseen > 400 ? w->nseen - 400 : 0;
    if (from)
        fprintf(out, "... %u segments before\n", from);
    for (unsigned i = from; i < w->nseen; i++)
        seen_print(w, &w->seen[i], out);
}

void two_fail(struct two *w, const char *file, int line, const char *form, ...)
{
    va_list ap;
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(ap, form);
    vfprintf(stderr, form, ap);
    va_end(ap);
    fprintf(stderr, " (at %.6f s, seed %llu)\n", (double)(w->us - w->start_us) / 1e6,
            (unsigned long long)w->first_seed);
    wire_trace(w, stderr);
    if (w->pcap)
        fflush(w->pcap);
    _fail(file, line);
    abort();
}

/* ---- expectations ---- */

const struct seen *wire_next(struct two *w, enum side from)
{
    while (w->looked < w->nseen)
        if (w->seen[w->looked++].from == from)
            return &w->seen[w->looked - 1];
    return NULL;
}

void wire_forget(struct two *w)
{
    w->looked = w->nseen;
}

unsigned wire_sent(const struct two *w, enum side from, uint8_t flags)
{
    unsigned n = 0;
    for (unsigned i = 0; i < w->nseen; i++)
        n += w->seen[i].from == from && (w->seen[i].flags & flags) == flags;
    return n;
}

static bool flags_fit(const struct seen *s, const char *word)
{
    static const char letters[] = "FSRP.U";
    uint8_t want = 0;
    for (const char *p = word; *p && *p != '-'; p++) {
        const char *at = strchr(letters, *p);
        REQUIRE(at);
        want |= (uint8_t)(1u << (at - letters));
    }
    uint8_t care = want & SEEN_PSH ? 0x3f : 0x3f & ~SEEN_PSH;
    return (s->flags & care) == want;
}

static bool field_fits(const struct seen *s, const char *name, const char *value)
{
    unsigned long long a = strtoull(value, NULL, 10);
    if (strcmp(name, "seq") == 0)
        return s->seq == (uint32_t)a;
    if (strcmp(name, "end") == 0)
        return s->seq + s->len == (uint32_t)a;
    if (strcmp(name, "ack") == 0)
        return s->ack == (uint32_t)a;
    if (strcmp(name, "len") == 0)
        return s->len == a;
    if (strcmp(name, "win") == 0)
        return s->wnd == a;
    if (strcmp(name, "mss") == 0)
        return s->mss == a;
    REQUIRE(strcmp(name, "sack") == 0);
    const char *colon = strchr(value, ':');
    REQUIRE(colon);
    for (unsigned i = 0; i < s->nsacks; i++)
        if (s->sack[i][0] == (uint32_t)a && s->sack[i][1] == (uint32_t)strtoull(colon + 1, NULL, 10))
            return true;
    return false;
}

static bool line_fits(const struct seen *s, const char *line)
{
    char text[160], *save = NULL;
    snprintf(text, sizeof(text), "%s", line);
    char *side = strtok_r(text, " ", &save), *flags = strtok_r(NULL, " ", &save), *name;
    REQUIRE(side && flags && (*side == 'A' || *side == 'B'));
    if (s->from != (enum side)(*side - 'A') || !flags_fit(s, flags))
        return false;
    while ((name = strtok_r(NULL, " ", &save))) {
        char *value = strtok_r(NULL, " ", &save);
        REQUIRE(value);
        if (!field_fits(s, name, value))
            return false;
    }
    return true;
}

void wire_expect_(struct two *w, const char *file, int line, const char *const *lines)
{
    for (; *lines; lines++) {
        bool end = strcmp(*lines, "end") == 0;
        if (end && w->looked == w->nseen)
            continue;
        if (end)
            two_fail(w, file, line, "segment %u was not expected", w->looked);
        if (w->looked == w->nseen)
            two_fail(w, file, line, "\"%s\" did not come", *lines);
        if (!line_fits(&w->seen[w->looked], *lines))
            two_fail(w, file, line, "segment %u is not \"%s\"", w->looked, *lines);
        w->looked++;
    }
}
