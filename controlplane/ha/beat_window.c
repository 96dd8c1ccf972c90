/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/beat_window.h"

#include <string.h>

void beat_window_init(struct beat_window *w, uint64_t own_boot)
{
    memset(w, 0, sizeof(*w));
    w->own_boot = own_boot;
}

uint64_t beat_window_send(struct beat_window *w, uint64_t now)
{
    w->own_seq++;
    w->sent[w->own_seq % BEAT_SENT] = now;
    return w->own_seq;
}

static bool echoes_us(const struct beat_window *w, const struct beat *b)
{
    return b->echo_boot == w->own_boot && b->echo_seq > 0 && b->echo_seq <= w->own_seq;
}

static void echo(struct beat_window *w, const struct beat *b)
{
    if (echoes_us(w, b) && b->echo_seq > w->echoed)
        w->echoed = b->echo_seq;
}

static enum beat_verdict same_start(struct beat_window *w, const struct beat *b)
{
    if (b->seq > w->high) {
        uint64_t by = b->seq - w->high;
        w->seen = by < 64 ? w->seen << by : 0;
        w->seen |= 1;
        w->high = b->seq;
        return BEAT_FRESH;
    }
    uint64_t behind = w->high - b->seq;
    if (behind >= 64 || w->seen & 1ull << behind)
        return BEAT_REPLAYED;
    w->seen |= 1ull << behind;
    return BEAT_FRESH;
}

enum beat_verdict beat_window_take(struct beat_window *w, const struct beat *b)
{
    enum beat_verdict verdict;

    if (b->boot == w->boot) {
        verdict = same_start(w, b);
    } else if (!echoes_us(w, b)) {
        return BEAT_HELLO;
    } else if (b->echo_seq <= w->echoed) {
        return BEAT_REPLAYED;
    } else {
        w->boot = b->boot;
        w->high = b->seq;
        w->seen = 1;
        verdict = BEAT_NEW_START;
    }
    if (verdict != BEAT_REPLAYED)
        echo(w, b);
    return verdict;
}

uint64_t beat_window_echo(const struct beat_window *w, const struct beat *b)
{
    if (!echoes_us(w, b) || w->own_seq - b->echo_seq >= BEAT_SENT)
        return 0;
    return w->sent[b->echo_seq % BEAT_SENT];
}
