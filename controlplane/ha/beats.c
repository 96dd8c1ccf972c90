/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/beats.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ha/beat_socket.h"
#include "ha/beat_window.h"
#include "ha/clock.h"
#include "hg/limits.h"

#define HELLO_NS   10000000u /* unproven starts are answered at most once in 10 ms */
#define HEADERS    28        /* IPv4 and UDP, counted into the throughput */
#define NANOSECOND 1000000000u

struct beats_way { /* to and from one node by one network */
    struct hg_endpoint address;
    struct beat_window window;
    struct wan wan;
    uint64_t heard_ns, hello_ns;
    uint32_t trains; /* sent */
};

struct beats_node {
    bool known;
    uint64_t boot;
    uint64_t echoed_ns; /* the youngest beat of ours that came back, by whichever way */
    struct beats_way way[BEAT_PATHS];
};

struct beats {
    struct beats_events ev;
    struct own_counters *own;
    const struct ha_clock *clock;
    struct beat_socket *socket;
    struct beat_key key;
    uint64_t cluster, boot;
    uint16_t self;
    struct beats_node node[HG_NODES_MAX];
};

static void take(struct beats *b, enum beat_path path, const uint8_t *data, uint32_t len, uint64_t at_ns);

static void on_management(void *arg, const uint8_t *data, uint32_t len, uint64_t at_ns)
{
    take(arg, BEAT_MANAGEMENT, data, len, at_ns);
}

struct beats *beats_create(const struct beats_options *o, char *why, unsigned size)
{
    if (!o->secret[0]) { /* anybody could make them; the check of the file says so, too */
        snprintf(why, size, "cluster.secret is empty: heartbeats are authenticated by it");
        return NULL;
    }
    struct beats *b = calloc(1, sizeof(*b));

    if (!b || getrandom(&b->boot, sizeof(b->boot), 0) != sizeof(b->boot)) {
        snprintf(why, size, "out of memory or of random numbers");
        free(b);
        return NULL;
    }
    b->boot |= 1; /* 0 means none */
    b->ev = o->events;
    b->own = o->own;
    b->clock = o->clock;
    beat_key_derive(o->secret, o->cluster, &b->key);
    b->cluster = beat_cluster(o->cluster);
    b->socket = beat_socket_open(o->loop, o->address, on_management, b, why, size);
    if (!b->socket) {
        free(b);
        return NULL;
    }
    return b;
}

void beats_close(struct beats *b)
{
    if (!b)
        return;
    beat_socket_close(b->socket);
    explicit_bzero(&b->key, sizeof(b->key));
    free(b);
}

uint64_t beats_boot(const struct beats *b)
{
    return b->boot;
}

void beats_self(struct beats *b, uint16_t index)
{
    b->self = index;
}

/* What was sent and what came back stays over a removal: to the other node, which may have seen nothing of
 * it, this start goes on, and what answered our beats of then must not answer those of now. */
static void begin_way(struct beats_way *w, uint64_t boot)
{
    const struct wan none = {0};

    w->wan = none;
    w->heard_ns = w->hello_ns = 0;
    if (!w->window.own_boot)
        beat_window_init(&w->window, boot);
}

void beats_node(struct beats *b, uint16_t index, const struct hg_endpoint *management,
                const struct hg_endpoint *service)
{
    struct beats_node *n = &b->node[index];

    if (!n->known)
        for (unsigned p = 0; p < BEAT_PATHS; p++)
            begin_way(&n->way[p], b->boot);
    n->known = true;
    n->way[BEAT_MANAGEMENT].address = *management;
    n->way[BEAT_SERVICE].address = *service;
}

void beats_forget(struct beats *b, uint16_t index)
{
    b->node[index].known = false;
}

/* ---- out ---- */

static bool transmit(struct beats *b, struct beats_way *w, struct beat *beat)
{
    uint8_t wire[BEAT_TRAIN];

    beat->protocol = BEAT_VERSION;
    beat->boot = b->boot;
    beat->seq = beat_window_send(&w->window, ha_clock_ns(b->clock));
    uint32_t len = (uint32_t)beat_encode(beat, &b->key, b->cluster, wire);
    bool sent = beat->path == BEAT_SERVICE ? b->ev.send_service(b->ev.arg, &w->address, wire, len)
                                           : beat_socket_send(b->socket, &w->address, wire, len);
    own_count(b->own, sent ? OWN_ha_beats_sent : OWN_ha_send_failed);
    return sent;
}

static struct beat to(const struct beats *b, uint16_t index, enum beat_path path, enum beat_kind kind)
{
    const struct beat_window *w = &b->node[index].way[path].window;

    return (struct beat){
        .kind = kind, .path = path, .from = b->self, .to = index, .echo_boot = w->boot, .echo_seq = w->high};
}

static void say(struct beat *out, const struct beat *content)
{
    out->grants = content->grants;
    out->order = content->order;
    out->term = content->term;
    out->rev = content->rev;
    out->epoch = content->epoch;
    out->row = content->row;
    out->flags = content->flags;
    out->lease = content->lease;
    out->span = content->span;
    out->applied_term = content->applied_term;
    out->applied_seq = content->applied_seq;
    out->train = content->train;
    out->index = content->index;
    out->services = content->services;
    out->watched = content->watched;
    out->load = content->load;
    out->unresolved = content->unresolved;
}

void beats_ask(struct beats *b, uint16_t index, const struct beat *content)
{
    struct beats_node *n = &b->node[index];

    for (unsigned p = 0; p < BEAT_PATHS && n->known && b->self; p++) {
        if (!n->way[p].address.port)
            continue;
        struct beat beat = to(b, index, (enum beat_path)p, BEAT_ASK);
        say(&beat, content);
        transmit(b, &n->way[p], &beat);
    }
}

static struct beat reply_to(const struct beats *b, const struct beat *asked, enum beat_kind kind)
{
    struct beat beat = to(b, asked->from, asked->path, kind);

    beat.echo_boot = asked->boot;
    beat.echo_seq = asked->seq;
    return beat;
}

void beats_answer(struct beats *b, const struct beat *asked, const struct beat *content)
{
    struct beats_way *w = &b->node[asked->from].way[asked->path];
    struct beat beat = reply_to(b, asked, BEAT_ANSWER);

    if (!w->address.port)
        return;
    say(&beat, content);
    transmit(b, w, &beat);
}

void beats_train(struct beats *b, uint16_t index, enum beat_path path)
{
    struct beats_way *w = &b->node[index].way[path];

    if (!b->node[index].known || !b->self || !w->address.port)
        return;
    w->trains++;
    for (unsigned i = 0; i < WAN_TRAIN; i++) {
        struct beat beat = to(b, index, path, BEAT_PROBE);
        beat.train = w->trains;
        beat.index = i;
        if (!transmit(b, w, &beat))
            return;
    }
}

/* ---- in ---- */

/* A start that nobody has met: our answer gives it what it needs to prove that it lives. */
static void hello(struct beats *b, struct beats_way *w, const struct beat *beat)
{
    uint64_t now = ha_clock_ns(b->clock);

    own_count(b->own, OWN_ha_beats_unproven);
    if (beat->kind != BEAT_ASK || !w->address.port || (w->hello_ns && now - w->hello_ns < HELLO_NS))
        return;
    w->hello_ns = now;
    struct beat welcome = reply_to(b, beat, BEAT_WELCOME);
    transmit(b, w, &welcome);
}

static void probed(struct beats *b, struct beats_way *w, const struct beat *beat, uint64_t at_ns)
{
    uint32_t kbps = wan_arrived(&w->wan, beat->train, beat->index, BEAT_TRAIN + HEADERS, at_ns);

    if (!kbps || !w->address.port)
        return;
    struct beat report = to(b, beat->from, beat->path, BEAT_REPORT);
    report.train = beat->train;
    report.index = kbps;
    transmit(b, w, &report);
}

/* Another start than the one that was heard last, by whichever way, has to echo something younger than all
 * that came back before: what an earlier start said and comes late does not. */
static bool is_late(struct beats_node *n, const struct beat *beat, uint64_t sent)
{
    if (n->boot && n->boot != beat->boot && sent <= n->echoed_ns)
        return true;
    n->boot = beat->boot;
    n->echoed_ns = sent > n->echoed_ns ? sent : n->echoed_ns;
    return false;
}

static void fresh(struct beats *b, struct beats_node *n, struct beats_way *w, const struct beat *beat,
                  uint64_t at_ns)
{
    uint64_t now = ha_clock_ns(b->clock), sent = beat_window_echo(&w->window, beat);

    if (is_late(n, beat, sent)) {
        own_count(b->own, OWN_ha_beats_replayed);
        return;
    }
    own_count(b->own, OWN_ha_beats_received);
    w->heard_ns = now;
    if (beat->kind == BEAT_PROBE) {
        probed(b, w, beat, at_ns ? at_ns : now);
        return;
    }
    if ((beat->kind == BEAT_ANSWER || beat->kind == BEAT_WELCOME) && sent)
        wan_rtt(&w->wan, now - sent);
    if (beat->kind == BEAT_REPORT && beat->index)
        wan_rate(&w->wan, beat->index);
    if (beat->kind == BEAT_WELCOME)
        b->ev.met(b->ev.arg, beat->from);
    if (beat->kind == BEAT_ASK || beat->kind == BEAT_ANSWER)
        b->ev.heard(b->ev.arg, beat, sent);
}

static void take(struct beats *b, enum beat_path path, const uint8_t *data, uint32_t len, uint64_t at_ns)
{
    static const enum own_counter refused[] = {[BEAT_GARBLED] = OWN_ha_beats_garbled,
                                               [BEAT_FOREIGN] = OWN_ha_beats_foreign,
                                               [BEAT_FORGED] = OWN_ha_beats_forged};
    struct beat beat;
    enum beat_result result = beat_decode(data, len, &b->key, b->cluster, &beat);

    if (result != BEAT_GOOD) {
        own_count(b->own, refused[result]);
        return;
    }
    if (!b->self || beat.to != b->self || beat.from >= HG_NODES_MAX || !b->node[beat.from].known ||
        beat.path != path) {
        own_count(b->own, OWN_ha_beats_stray);
        return;
    }
    struct beats_node *n = &b->node[beat.from];
    struct beats_way *w = &n->way[path];
    enum beat_verdict verdict = beat_window_take(&w->window, &beat);
    if (verdict == BEAT_HELLO)
        hello(b, w, &beat);
    else if (verdict == BEAT_REPLAYED)
        own_count(b->own, OWN_ha_beats_replayed);
    else
        fresh(b, n, w, &beat, at_ns);
}

void beats_datagram(struct beats *b, const void *data, uint32_t len)
{
    take(b, BEAT_SERVICE, data, len, 0);
}

void beats_look(const struct beats *b, uint16_t index, enum beat_path path, struct beats_view *out)
{
    const struct beats_way *w = &b->node[index].way[path];

    *out = (struct beats_view){0};
    if (!b->node[index].known)
        return;
    *out = (struct beats_view){.heard_ns = w->heard_ns,
                               .rtt_ns = wan_rtt_median(&w->wan),
                               .kbps = wan_rate_median(&w->wan),
                               .boot = w->window.boot,
                               .reachable = w->address.port != 0};
}
