/* SPDX-License-Identifier: BSD-2-Clause */
/* One end of TCP against a peer that does anything: segments near what is expected, or of any bytes, errors
 * of routers, time, and an upper that reads, writes and closes when it likes. What must hold of every
 * connection is asserted after each turn (rig_check), what must add up at the end (rig_close). */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/tcp/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 400
#define PEER_PORT 4000

struct input {
    const uint8_t *p;
    size_t left;
};

static uint8_t u8(struct input *in)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->p++;
}

/* Small distances are likely, large ones possible. */
static uint32_t distance(struct input *in)
{
    uint8_t how = u8(in);
    if (how < 128)
        return (uint32_t)(int32_t)(int8_t)(how - 64) * (how & 1 ? 1 : 100);
    if (how < 250)
        return (how - 128u) * 1448;
    return (uint32_t)u8(in) << 24 | (uint32_t)u8(in) << 8;
}

struct peer {
    struct rig *r;
    tcp_id id;
    uint32_t seq, ack;
    bool ts;
};

static const struct tcp_conn *conn(const struct peer *p)
{
    const struct tcp_conn *c = rig_conn(&p->r->b, p->id);
    return p->id && c->generation == p->id >> 32 ? c : NULL;
}

static void near_segment(struct peer *p, struct input *in)
{
    static const uint8_t zeros[1460];
    uint8_t flags = u8(in) & 63, o[40];
    const struct tcp_conn *c = conn(p);
    struct hand h = {.seq = (c ? c->rcv_nxt : p->seq) + distance(in),
                     .ack = (c ? c->snd_nxt : p->ack) + distance(in),
                     .flags = flags,
                     .wnd = (uint16_t)(u8(in) << 8),
                     .from_port = PEER_PORT,
                     .to_port = 5060,
                     .data = zeros,
                     .options = o};
    h.len = u8(in) * 5u;
    if (p->ts) {
        tcp_options_ts(o, (c ? c->ts_recent : 1000) + distance(in) % 1000, p->r->b.last.o.ts_val);
        h.noptions = 12;
    }
    uint8_t sacks = u8(in);
    if (sacks & 1 && h.noptions <= 12) {
        struct tcp_range s = {.from = (c ? c->snd_una : 0) + distance(in)};
        s.to = s.from + distance(in);
        h.noptions += tcp_options_sack(o + h.noptions, &s, 1);
    }
    rig_hand(&p->r->b, &h);
}

static void raw_segment(struct peer *p, struct input *in)
{
    uint8_t b[128] = {0};
    uint32_t len = u8(in) % sizeof(b), there = len < in->left ? len : (uint32_t)in->left;
    memcpy(b, in->p, there); /* what is not there is zero, as u8() has it */
    in->p += there;
    in->left -= there;
    rig_raw(&p->r->b, PEER_PORT, 5060, b, len);
}

static void router(struct peer *p, struct input *in)
{
    const struct tcp_conn *c = conn(p);
    struct net_icmp_news news = {.local = p->r->b.ep.ip,
                                 .remote = p->r->a.ep.ip,
                                 .local_port = 5060,
                                 .remote_port = PEER_PORT,
                                 .seq = (c ? c->snd_una : 0) + distance(in),
                                 .kind = u8(in) % 3,
                                 .mtu = (uint16_t)(u8(in) * 8)};
    tcp_news(p->r->b.tcp, &news, 1);
}

static void upper(struct peer *p, struct input *in)
{
    static const char text[4000];
    struct tcp *t = p->r->b.tcp;
    struct slice s = slice_of(text, u8(in) * 15u);
    switch (u8(in) % 8) {
    case 0:
    case 1:
    case 2:
        tcp_write(t, p->id, &s, 1);
        break;
    case 3:
        tcp_flush(t, p->id);
        break;
    case 4:
        p->r->b.deaf = !p->r->b.deaf;
        break;
    case 5:
        tcp_consume(t, p->id, s.len);
        break;
    case 6:
        tcp_shutdown(t, p->id);
        break;
    default:
        if (s.len > 3000)
            tcp_abort(t, p->id);
        else if (s.len > 2000)
            tcp_close(t, p->id);
    }
}

static void open_by_hand(struct peer *p, bool ts)
{
    uint8_t o[24];
    struct tcp_options offer = {.mss = 1460,
                                .has = TCP_OPTION_TS | TCP_OPTION_SACK_OK | TCP_OPTION_SCALE,
                                .scale = 7,
                                .ts_val = 1000};
    struct hand h = {
        .seq = 100, .flags = TCP_SYN, .wnd = 8000, .from_port = PEER_PORT, .to_port = 5060, .options = o};
    h.noptions = ts ? tcp_options_syn(o, &offer) : 0;
    rig_hand(&p->r->b, &h);
    h.seq = p->seq = 101;
    h.ack = p->ack = p->r->b.last.seq + 1;
    h.flags = TCP_ACK;
    if (ts) {
        tcp_options_ts(o, 1000, p->r->b.last.o.ts_val);
        h.noptions = 12;
    }
    rig_hand(&p->r->b, &h);
    rig_turn(&p->r->b);
    p->id = p->r->b.event[p->r->b.nevents - 1].id;
    p->ts = ts;
}

/* Taken and given back for every input. */
static void small(struct hg_config *c)
{
    c->tcp_connections_max = 16;
    c->tcp_half_open_max = 16;
    c->tcp_time_wait_max = 16;
    c->tcp_send_memory_mb = 1;
    c->tcp_receive_memory_mb = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct peer p = {.r = rig_open(small)};
    uint8_t how = u8(&in);
    p.r->b.mute = true;
    rig_turn(&p.r->b);
    if (how & 1)
        open_by_hand(&p, how & 2);
    for (unsigned i = 0; i < STEPS_MAX && in.left; i++) {
        uint8_t op = u8(&in);
        if (op < 128)
            near_segment(&p, &in);
        else if (op < 150)
            raw_segment(&p, &in);
        else if (op < 200)
            upper(&p, &in);
        else if (op < 210)
            router(&p, &in);
        else
            p.r->us += 1000u << (op - 210) / 3; /* up to half a minute */
        if (op & 1)
            rig_turn(&p.r->b);
        p.r->b.nevents = p.r->b.recorded = 0;
    }
    rig_turn(&p.r->b);
    rig_close(p.r);
    return 0;
}
