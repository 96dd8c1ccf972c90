/* SPDX-License-Identifier: BSD-2-Clause */
/* What is on its way, one entry a segment, oldest first. There while something is; idle connections have
 * none. */
#include "tcp/state.h"

#define FIRST_BYTES 512u

static uint32_t cap_of(uint32_t bytes)
{
    return (bytes - (uint32_t)sizeof(struct tcp_flight)) / (uint32_t)sizeof(struct tcp_sent);
}

static struct tcp_flight *flight_new(struct tcp *t, uint32_t bytes)
{
    struct tcp_flight *f = sized_get(&t->send_memory, bytes);
    if (f)
        f->cap = cap_of(bytes);
    return f;
}

/* The next size of the slabs (lib/slab.h). */
static uint32_t bytes_after(uint32_t cap)
{
    uint32_t bytes = (uint32_t)sizeof(struct tcp_flight) + cap * (uint32_t)sizeof(struct tcp_sent);
    if (bytes < 4096)
        return (bytes + FIRST_BYTES) / FIRST_BYTES * FIRST_BYTES >= 2048 ? 4096 : bytes < 1000 ? 1024 : 2048;
    return bytes < 16000 ? 16384 : SIZED_MAX;
}

static bool flight_grow(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_flight *old = c->flight;
    uint32_t bytes = bytes_after(old->cap);
    if (cap_of(bytes) <= old->cap)
        return false;
    struct tcp_flight *f = flight_new(t, bytes);
    if (!f)
        return false;
    uint32_t cap = f->cap;
    memcpy(f, old, sizeof(*old));
    memcpy(f->s, old->s + old->first, old->n * sizeof(f->s[0]));
    f->cap = cap;
    f->first = 0;
    sized_put(&t->send_memory, old);
    c->flight = f;
    return true;
}

bool flight_room(struct tcp *t, struct tcp_conn *c)
{
    struct tcp_flight *f = c->flight;
    if (!f) {
        f = flight_new(t, FIRST_BYTES);
        if (!f)
            return false;
        uint32_t cap = f->cap;
        memset(f, 0, sizeof(*f));
        f->cap = cap;
        f->fack = c->snd_una;
        f->reo_mult = 1;
        c->flight = f;
        return true;
    }
    if (likely(f->first + f->n < f->cap))
        return true;
    if (f->first < f->cap / 2)
        return flight_grow(t, c);
    memmove(f->s, f->s + f->first, f->n * sizeof(f->s[0]));
    f->first = 0;
    return true;
}

void flight_add(struct tcp *t, struct tcp_conn *c, uint32_t seq, uint32_t len)
{
    struct tcp_flight *f = c->flight;
    f->s[f->first + f->n++] = (struct tcp_sent){.seq = seq, .us = t->now_us, .len = (uint16_t)len};
    if (c->bits & CONN_RECOVERY)
        f->prr_out += len;
}

void flight_drop(struct tcp *t, struct tcp_conn *c)
{
    sized_put(&t->send_memory, c->flight);
    c->flight = NULL;
    c->bits &= ~(CONN_RECOVERY | CONN_LOSS | CONN_TAIL);
}

void flight_resent(struct tcp *t, struct tcp_conn *c, struct tcp_sent *s)
{
    struct tcp_flight *f = c->flight;
    if (s->bits & SENT_LOST)
        f->lost -= s->len;
    s->bits = (uint8_t)((s->bits & ~SENT_LOST) | SENT_AGAIN);
    s->us = t->now_us;
    if (c->bits & CONN_RECOVERY)
        f->prr_out += s->len;
}

/* The first len octets alone: what was one segment leaves as two. Needs flight_room(). */
void flight_split(struct tcp_flight *f, struct tcp_sent *s, uint32_t len)
{
    uint32_t behind = (uint32_t)(f->s + f->first + f->n - s);
    memmove(s + 1, s, behind * sizeof(*s));
    s[1].seq += len;
    s[1].len = (uint16_t)(s[1].len - len);
    s->len = (uint16_t)len;
    f->n++;
    if (s->bits & SENT_SACKED)
        f->sacked_n++;
}

struct tcp_sent *flight_lost(struct tcp_flight *f)
{
    for (uint32_t i = 0; f->lost && i < f->n; i++)
        if (f->s[f->first + i].bits & SENT_LOST)
            return &f->s[f->first + i];
    return NULL;
}

void flight_mark_lost(struct tcp_flight *f, struct tcp_sent *s)
{
    if (s->bits & (SENT_LOST | SENT_SACKED))
        return;
    s->bits |= SENT_LOST;
    f->lost += s->len;
}

/* It is known to have arrived. */
static void arrived(struct tcp *t, struct tcp_conn *c, const struct tcp_sent *s, struct flight_news *news)
{
    struct tcp_flight *f = c->flight;
    uint32_t end = s->seq + s->len;
    news->delivered += s->len;
    if (s->bits & SENT_AGAIN)
        news->again = true;
    else {
        uint32_t us = t->now_us - s->us;
        news->rtt_us = us ? us : 1;
        if (seq_lt(end, f->fack))
            c->bits |= CONN_REORDERS;
    }
    f->fack = seq_max(f->fack, end);
    if (c->bits & CONN_SACK)
        rack_arrived(t, c, s);
}

/* Of an entry that is acknowledged in part. */
static void cut_front(struct tcp_flight *f, struct tcp_sent *s, uint32_t octets, struct flight_news *news)
{
    if (s->bits & SENT_SACKED)
        f->sacked -= octets;
    else
        news->delivered += octets;
    if (s->bits & SENT_LOST)
        f->lost -= octets;
    s->seq += octets;
    s->len = (uint16_t)(s->len - octets);
}

void flight_acked(struct tcp *t, struct tcp_conn *c, const struct tcp_rx *rx, struct flight_news *news)
{
    struct tcp_flight *f = c->flight;
    while (f->n) {
        struct tcp_sent *s = &f->s[f->first];
        if (seq_geq(s->seq, rx->ack))
            return;
        if (seq_gt(s->seq + s->len, rx->ack)) {
            cut_front(f, s, rx->ack - s->seq, news);
            return;
        }
        if (s->bits & SENT_SACKED) {
            f->sacked -= s->len;
            f->sacked_n--;
        } else {
            arrived(t, c, s, news);
        }
        if (s->bits & SENT_LOST)
            f->lost -= s->len;
        f->first++;
        f->n--;
    }
}

static void range_sacked(struct tcp *t, struct tcp_conn *c, const struct tcp_range *r,
                         struct flight_news *news)
{
    struct tcp_flight *f = c->flight;
    for (uint32_t i = 0; i < f->n; i++) {
        struct tcp_sent *s = &f->s[f->first + i];
        if (seq_geq(s->seq, r->to))
            return;
        if (s->bits & SENT_SACKED || seq_lt(s->seq, r->from) || seq_gt(s->seq + s->len, r->to))
            continue;
        arrived(t, c, s, news);
        if (s->bits & SENT_LOST)
            f->lost -= s->len;
        s->bits = (uint8_t)((s->bits & ~SENT_LOST) | SENT_SACKED);
        f->sacked += s->len;
        f->sacked_n++;
        news->sacked = true;
    }
}

/* A first range below the ACK, or inside of the second, tells of what came twice (RFC 2883). */
static bool is_duplicate(const struct tcp_rx *rx)
{
    const struct tcp_range *r = rx->o.sack;
    if (seq_lt(r[0].from, rx->ack))
        return true;
    return rx->o.sacks > 1 && seq_geq(r[0].from, r[1].from) && seq_leq(r[0].to, r[1].to);
}

void flight_sacked(struct tcp *t, struct tcp_conn *c, const struct tcp_rx *rx, struct flight_news *news)
{
    news->duplicate = is_duplicate(rx);
    for (unsigned i = news->duplicate; i < rx->o.sacks; i++) {
        const struct tcp_range *r = &rx->o.sack[i];
        if (seq_lt(r->from, r->to) && seq_gt(r->from, c->snd_una) && seq_leq(r->to, c->snd_nxt))
            range_sacked(t, c, r, news);
    }
}
