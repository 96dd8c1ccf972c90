/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments by hand, for an end that is alone with the test. */
#include <string.h>

#include "two_impl.h"

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint8_t *ip_header(const struct two *w, uint8_t *p, uint8_t proto, uint32_t len, uint8_t ttl)
{
    const struct end *a = &w->end[A], *b = &w->end[B];
    if (w->v6) {
        memset(p, 0, 40);
        p[0] = 0x60;
        put16(p + 4, len);
        p[6] = proto;
        p[7] = ttl;
        memcpy(p + 8, b->ip6.b, 16);
        memcpy(p + 24, a->ip6.b, 16);
        return p + 40;
    }
    memset(p, 0, 20);
    p[0] = 0x45;
    put16(p + 2, 20 + len);
    p[8] = ttl;
    p[9] = proto;
    memcpy(p + 12, b->ip4.b + 12, 4);
    memcpy(p + 16, a->ip4.b + 12, 4);
    put16(p + 10, wire_sum(p, 20, 0));
    return p + 20;
}

static uint8_t *eth_header(const struct two *w, uint8_t *p, uint16_t type)
{
    memcpy(p, w->end[A].mac, 6);
    memcpy(p + 6, w->end[B].mac, 6);
    put16(p + 12, type);
    return p + 14;
}

uint32_t lone_build(const struct two *w, const struct made *m, uint8_t *frame)
{
    const struct end *a = &w->end[A], *b = &w->end[B];
    uint32_t options = (m->noptions + 3) / 4 * 4, len = 20 + options + m->len;
    uint8_t *ip = eth_header(w, frame, w->v6 ? 0x86dd : 0x0800), *t = ip_header(w, ip, 6, len, 64);
    memset(t, 0, 20 + options);
    put16(t, m->sport ? m->sport : w->peer_port);
    put16(t + 2, m->dport ? m->dport : w->our_port);
    put32(t + 4, m->seq);
    put32(t + 8, m->ack);
    t[12] = (uint8_t)((m->offset ? m->offset : (20 + options) / 4) << 4);
    t[13] = m->flags;
    put16(t + 14, m->no_wnd ? 0 : m->wnd ? m->wnd : 65535);
    put16(t + 18, m->urgent);
    if (m->noptions)
        memcpy(t + 20, m->options, m->noptions);
    if (m->len)
        memcpy(t + 20 + options, m->data, m->len);
    uint16_t sum = wire_sum(t, len, wire_pseudo(w->v6 ? &b->ip6 : &b->ip4, w->v6 ? &a->ip6 : &a->ip4, len));
    put16(t + 16, m->bad_sum ? sum ^ 0x1234 : sum);
    return (uint32_t)(t - frame) + len;
}

void lone_send(struct two *w, struct made made)
{
    static uint8_t frame[66000];
    struct seen s;
    uint32_t at, len = lone_build(w, &made, frame);
    if (look(w, B, frame, len, &s, &at))
        remember(w, &s, frame, len);
    wire_deliver(w, A, frame, len, 0);
    two_turn(w, A);
}

void lone_handshake(struct two *w, const uint8_t *options, unsigned noptions)
{
    const struct seen *s;
    if (!w->paired)
        sock_listen(w, A, 5060, 1);
    w->paired = true;
    w->our_port = 5060;
    w->peer_port++;
    w->snd = (uint32_t)two_random(w);
    lone_send(w, (struct made){.flags = SEEN_SYN, .seq = w->snd++, .options = options, .noptions = noptions});
    two_run(w, 2); /* the neighbour is asked */
    s = wire_next(w, A);
    if (!s || s->flags != (SEEN_SYN | SEEN_ACK))
        two_fail(w, __FILE__, __LINE__, "no SYN, ACK");
    TWO_EQUAL(w, s->raw_ack, w->snd);
    w->rcv = s->raw_seq + 1;
    lone_send(w, (struct made){.flags = SEEN_ACK, .seq = w->snd, .ack = w->rcv});
    TWO_CHECK(w, sock_accepted(w, A) != NULL);
    wire_forget(w);
}

static bool answer_arp(struct two *w, const uint8_t *b, uint32_t len)
{
    uint8_t frame[60] = {0}, *p = eth_header(w, frame, 0x0806);
    if (len < 42 || b[12] != 8 || b[13] != 6)
        return false;
    if (memcmp(b + 38, w->end[B].ip4.b + 12, 4) != 0 || b[21] != 1)
        return true;
    memcpy(p, (const uint8_t[]){0, 1, 8, 0, 6, 4, 0, 2}, 8);
    memcpy(p + 8, w->end[B].mac, 6);
    memcpy(p + 14, w->end[B].ip4.b + 12, 4);
    memcpy(p + 18, w->end[A].mac, 6);
    memcpy(p + 24, w->end[A].ip4.b + 12, 4);
    wire_deliver(w, A, frame, sizeof(frame), 0);
    return true;
}

static bool answer_nd(struct two *w, const uint8_t *b, uint32_t len)
{
    const uint8_t *target = b + 62;
    if (len < 78 || b[12] != 0x86 || b[13] != 0xdd || b[20] != 58)
        return false;
    if (b[54] != 135 || memcmp(target, w->end[B].ip6.b, 16) != 0)
        return true;
    uint8_t frame[14 + 40 + 32], *ip = eth_header(w, frame, 0x86dd), *p = ip_header(w, ip, 58, 32, 255);
    memset(p, 0, 32);
    p[0] = 136;
    p[4] = 0x60;
    memcpy(p + 8, target, 16);
    p[24] = 2;
    p[25] = 1;
    memcpy(p + 26, w->end[B].mac, 6);
    put16(p + 2, wire_sum(p, 32, wire_pseudo(&w->end[B].ip6, &w->end[A].ip6, 32) - 6 + 58));
    wire_deliver(w, A, frame, sizeof(frame), 0);
    return true;
}

bool answer_neighbour(struct two *w, const uint8_t *b, uint32_t len)
{
    return answer_arp(w, b, len) || answer_nd(w, b, len);
}
