/* SPDX-License-Identifier: BSD-2-Clause */
/* Heartbeats between the two, by two ways, with the real windows against replays. */
#include <string.h>

#include "pair_impl.h"

static void deliver(struct pair *w, const struct node *from, enum beat_path path, const struct beat *beat)
{
    const struct wire *way = &w->wire[from->slot][path];
    uint64_t at = w->now + way->delay + (way->jitter ? pair_below(w, way->jitter) : 0);

    pair_at(w, &(struct pair_event){
                   .at = at, .kind = PE_BEAT, .slot = from->slot ^ 1, .path = path, .beat = *beat});
}

void wire_send(struct node *from, enum beat_path path, enum beat_kind kind, const struct srm_beat *b)
{
    struct pair *w = from->w;
    const struct wire *way = &w->wire[from->slot][path];
    /* the service network is carried by the dataplane */
    bool up = path == BEAT_MANAGEMENT || (from->cores.alive && from->cores.paused_until <= w->now);
    struct beat beat = {.kind = kind,
                        .path = path,
                        .grants = b->grants,
                        .from = (uint16_t)(from->slot + 1),
                        .to = (uint16_t)((from->slot ^ 1) + 1),
                        .boot = from->boot,
                        .seq = beat_window_send(&from->window[path], node_clock(from)),
                        .echo_boot = from->newest[path].boot,
                        .echo_seq = from->newest[path].seq,
                        .order = b->order,
                        .term = b->entry.version.term,
                        .rev = b->entry.version.seq,
                        .epoch = b->entry.epoch,
                        .row = b->entry.row,
                        .lease = b->lease,
                        .span = b->span,
                        .flags = srm_beat_flags(b),
                        .services = b->services,
                        .watched = b->watched};

    if (kind != BEAT_ASK) {
        beat.echo_boot = from->asking->boot;
        beat.echo_seq = from->asking->seq;
    }
    if (!up || way->cut || pair_below(w, 1000) < way->loss_permil)
        return;
    deliver(w, from, path, &beat);
    if (pair_below(w, 1000) < way->double_permil)
        deliver(w, from, path, &beat);
}

void wire_arrive(struct node *to, enum beat_path path, const struct beat *beat)
{
    struct pair *w = to->w;

    if (!to->alive || (path == BEAT_SERVICE && !to->cores.alive))
        return;
    uint64_t paused = path == BEAT_SERVICE && to->cores.paused_until > to->paused_until
                          ? to->cores.paused_until
                          : to->paused_until;
    if (paused > w->now) {
        pair_at(w, &(struct pair_event){
                       .at = paused, .kind = PE_BEAT, .slot = to->slot, .path = path, .beat = *beat});
        return;
    }
    enum beat_verdict verdict = beat_window_take(&to->window[path], beat);
    if (verdict == BEAT_REPLAYED)
        return;
    to->newest[path] = *beat;
    to->asking = beat;
    to->asking_path = path;
    if (verdict == BEAT_HELLO) { /* only so that it learns our boot */
        struct srm_beat nothing = {.order = 0};
        if (beat->kind == BEAT_ASK)
            wire_send(to, path, BEAT_WELCOME, &nothing);
        return;
    }
    if (beat->kind == BEAT_WELCOME)
        return;
    struct srm_event event = {.type = SRM_BEAT};
    struct srm_beat *b = &event.u.beat;
    srm_beat_from_flags(beat->flags, b);
    b->asks = beat->kind == BEAT_ASK;
    b->grants = beat->grants;
    b->boot = beat->boot;
    b->order = beat->order;
    b->echo_sent = beat_window_echo(&to->window[path], beat);
    b->entry.version = (struct record_version){beat->term, beat->rev};
    b->entry.epoch = beat->epoch;
    b->entry.row = (uint8_t)beat->row;
    b->lease = beat->lease;
    b->span = beat->span;
    b->services = beat->services;
    b->watched = beat->watched;
    node_event(to, &event);
    to->asking = NULL;
}
