/* SPDX-License-Identifier: BSD-2-Clause */
#include "assign/bulk.h"

#include <stdlib.h>
#include <string.h>

#define SCRIPTS_MAX 8 /* under way */

struct script {
    struct bulk *bulk;
    uint32_t n;
    size_t fill, size;
    char *bytes; /* names and values */
    struct record_item item[RECORD_ITEMS_MAX];
    uint32_t tag[RECORD_ITEMS_MAX];
};

struct bulk {
    struct record *record;
    struct bulk_work work;
    unsigned under_way;
    bool ended, forgotten, turning;
    uint64_t done;
    char why[256];
    bool failed;
    struct bulk_item one;
};

static void script_free(struct script *s)
{
    free(s->bytes);
    free(s);
}

/* Offsets until all bytes are there: the buffer moves as it grows. */
static bool add(struct script *s, const struct bulk_item *one)
{
    size_t need = s->fill + one->name_len + one->value_len;
    struct record_item *item = &s->item[s->n];

    if (need > s->size) {
        size_t size = need * 2 > 65536 ? need * 2 : 65536;
        char *more = realloc(s->bytes, size);
        if (!more)
            return false;
        s->bytes = more;
        s->size = size;
    }
    *item = (struct record_item){
        .table = RECORD_USERS, .op = one->op, .expect = one->expect, .version = one->version};
    item->field.len = one->name_len;
    item->value.len = one->value_len;
    memcpy(s->bytes + s->fill, one->name, one->name_len);
    memcpy(s->bytes + s->fill + one->name_len, one->value, one->value_len);
    s->tag[s->n++] = one->tag;
    s->fill = need;
    return true;
}

static void place(struct script *s)
{
    const char *at = s->bytes;

    for (uint32_t i = 0; i < s->n; i++) {
        s->item[i].field.p = at;
        s->item[i].value.p = at + s->item[i].field.len;
        at += s->item[i].field.len + s->item[i].value.len;
    }
}

static void fail(struct bulk *b, const char *why)
{
    if (b->failed)
        return;
    b->failed = true;
    strncpy(b->why, why ? why : "the record is away", sizeof(b->why) - 1);
}

static void on_change(void *arg, const struct record_outcome *outcome);

static void hand_over(struct script *s)
{
    s->bulk->under_way++;
    record_change(s->bulk->record, s->item, s->n, on_change, s);
}

/* The rest once more, without the one that stands in the way. */
static void send_without(struct script *s, uint32_t which)
{
    for (uint32_t i = which; i + 1 < s->n; i++) {
        s->item[i] = s->item[i + 1];
        s->tag[i] = s->tag[i + 1];
    }
    s->n--;
    if (s->n)
        hand_over(s);
    else
        script_free(s);
}

static bool end_if_over(struct bulk *b)
{
    if (b->under_way || b->turning || (!b->ended && !b->failed && !b->forgotten))
        return false;
    if (!b->forgotten)
        b->work.done(b->work.arg, b->failed ? b->why : NULL);
    free(b);
    return true;
}

static void on_change(void *arg, const struct record_outcome *outcome)
{
    struct script *s = arg;
    struct bulk *b = s->bulk;

    b->under_way--;
    switch (outcome->result) {
    case RECORD_OK:
        b->done += s->n;
        script_free(s);
        break;
    case RECORD_EXISTS:
    case RECORD_MISSING:
    case RECORD_CONFLICT:
        if (outcome->item >= s->n) {
            script_free(s);
            break;
        }
        if (!b->forgotten)
            b->work.refused(b->work.arg, s->item[outcome->item].field, s->tag[outcome->item],
                            outcome->result);
        send_without(s, outcome->item);
        break;
    case RECORD_UNAVAILABLE:
        fail(b, outcome->why);
        script_free(s);
        break;
    }
    if (!b->turning)
        bulk_turn(b);
}

/* false: there is nothing to send. */
static bool fill_and_send(struct bulk *b)
{
    struct script *s = calloc(1, sizeof(*s));

    if (!s) {
        fail(b, "out of memory");
        return false;
    }
    s->bulk = b;
    enum bulk_next next = BULK_ITEM;
    while (s->n < RECORD_ITEMS_MAX && (next = b->work.next(b->work.arg, &b->one)) == BULK_ITEM) {
        if (!add(s, &b->one)) {
            fail(b, "out of memory");
            script_free(s);
            return false;
        }
    }
    b->ended = next == BULK_END;
    if (!s->n) {
        script_free(s);
        return false;
    }
    place(s);
    hand_over(s);
    return next == BULK_ITEM;
}

struct bulk *bulk_start(struct record *record, const struct bulk_work *work)
{
    struct bulk *b = calloc(1, sizeof(*b));

    if (b) {
        b->record = record;
        b->work = *work;
    }
    return b;
}

bool bulk_turn(struct bulk *b)
{
    if (b->turning)
        return true;
    b->turning = true;
    while (!b->ended && !b->failed && !b->forgotten && b->under_way < SCRIPTS_MAX) {
        if (b->under_way && !record_room(b->record))
            break;
        if (!fill_and_send(b))
            break;
    }
    b->turning = false;
    return !end_if_over(b);
}

uint64_t bulk_done(const struct bulk *b)
{
    return b->done;
}

void bulk_forget(struct bulk *b)
{
    if (!b)
        return;
    b->forgotten = true;
    end_if_over(b);
}
