/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sim_text text_of(struct slice s)
{
    struct sim_text t = {malloc(s.len + 1), s.len};

    if (s.len)
        memcpy(t.p, s.p, s.len);
    t.p[s.len] = '\0';
    return t;
}

static struct slice slice_text(const struct sim_text *t)
{
    return slice_of(t->p, t->len);
}

static int64_t locate(const struct sim_table *t, struct slice field)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (slice_eq(slice_text(&t->field[i].name), field))
            return i;
    return -1;
}

static void table_set(struct sim_table *t, struct slice field, struct slice raw)
{
    int64_t at = locate(t, field);

    if (at >= 0) {
        free(t->field[at].raw.p);
        t->field[at].raw = text_of(raw);
        return;
    }
    if (t->n == t->room) {
        t->room = t->room ? t->room * 2 : 16;
        t->field = realloc(t->field, t->room * sizeof(t->field[0]));
    }
    t->field[t->n++] = (struct sim_field){text_of(field), text_of(raw)};
}

/* Keeps the order: a scan goes downward and must not miss what stays. */
static void table_remove(struct sim_table *t, struct slice field)
{
    int64_t at = locate(t, field);

    if (at < 0)
        return;
    free(t->field[at].name.p);
    free(t->field[at].raw.p);
    t->n--;
    memmove(&t->field[at], &t->field[at + 1], (t->n - (uint32_t)at) * sizeof(t->field[0]));
}

static void table_clear(struct sim_table *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        free(t->field[i].name.p);
        free(t->field[i].raw.p);
    }
    free(t->field);
    *t = (struct sim_table){0};
}

void sim_change_release(struct sim_change *c)
{
    if (--c->users)
        return;
    for (uint32_t i = 0; i < c->n; i++) {
        free((char *)(uintptr_t)c->item[i].field.p);
        free((char *)(uintptr_t)c->item[i].value.p);
    }
    free(c);
}

void sim_data_clear(struct sim_data *d)
{
    uint32_t max = d->log_max;

    for (unsigned i = 0; i < RECORD_TABLES; i++)
        table_clear(&d->table[i]);
    for (uint32_t i = 0; i < d->nlog; i++)
        sim_change_release(d->log[i]);
    free(d->log);
    *d = (struct sim_data){.log_max = max};
}

static void log_add(struct sim_data *d, struct sim_change *c)
{
    if (d->nlog >= d->log_max) { /* a quarter at once, as Redis trims node by node */
        uint32_t drop = d->log_max / 4 + 1;
        for (uint32_t i = 0; i < drop; i++)
            sim_change_release(d->log[i]);
        d->nlog -= drop;
        memmove(d->log, d->log + drop, d->nlog * sizeof(d->log[0]));
    }
    if (d->nlog == d->log_room) {
        d->log_room = d->log_room ? d->log_room * 2 : 64;
        d->log = realloc(d->log, d->log_room * sizeof(d->log[0]));
    }
    c->users++;
    d->log[d->nlog++] = c;
}

void sim_data_copy(struct sim_data *to, const struct sim_data *from)
{
    sim_data_clear(to);
    struct sim_data empty = *to;
    *to = *from;
    memcpy(to->table, empty.table, sizeof(to->table));
    to->log = NULL;
    to->nlog = to->log_room = 0;
    for (unsigned i = 0; i < RECORD_TABLES; i++)
        for (uint32_t k = 0; k < from->table[i].n; k++)
            table_set(&to->table[i], slice_text(&from->table[i].field[k].name),
                      slice_text(&from->table[i].field[k].raw));
    for (uint32_t i = 0; i < from->nlog; i++)
        log_add(to, from->log[i]);
}

void sim_data_hello(struct sim_data *d, const struct record_hello *ask, uint64_t run, uint64_t now_ms,
                    struct record_welcome *out)
{
    *out = (struct record_welcome){.role = RECORD_ROLE_FOLLOW};
    if (d->run != run || ask->known_term > d->term) {
        d->was_term = d->term;
        d->was_run = d->run;
        d->was_seq = d->seq;
        d->term = (d->term > ask->known_term ? d->term : ask->known_term) + 1;
        d->run = run;
    }
    if (!d->id[0]) {
        snprintf(d->id, sizeof(d->id), "%s", ask->new_id);
        out->fresh = true;
    }
    if (d->restoring_until <= now_ms)
        d->restoring[0] = '\0';
    const char *by = d->restoring, *known = ask->known_id;
    if (known[0] && strcmp(known, d->id) != 0 && strcmp(known, d->from) != 0 && !by[0])
        by = ask->me;
    if (strcmp(by, ask->me) == 0) {
        snprintf(d->restoring, sizeof(d->restoring), "%s", ask->me);
        d->restoring_until = now_ms + 30000;
        out->role = RECORD_ROLE_RESTORE;
    } else if (by[0]) {
        out->role = RECORD_ROLE_WAIT;
    } else if (ask->known_run[0] && strtoull(ask->known_run, NULL, 10) == d->was_run &&
               ask->known_term == d->was_term && strcmp(known, d->id) == 0 && ask->known_seq <= d->was_seq) {
        out->role = RECORD_ROLE_CONTINUE;
    }
    out->term = d->term;
    out->seq = d->seq;
    snprintf(out->id, sizeof(out->id), "%s", d->id);
    snprintf(out->run, sizeof(out->run), "%llu", (unsigned long long)run);
}

const struct sim_text *sim_data_get(const struct sim_data *d, enum record_table table, struct slice field)
{
    int64_t at = locate(&d->table[table], field);

    return at >= 0 ? &d->table[table].field[at].raw : NULL;
}

static bool is_refused(const struct sim_data *d, const struct record_item *item, struct record_outcome *o)
{
    const struct sim_text *there = sim_data_get(d, item->table, item->field);
    struct record_version version = {0, 0};
    struct slice value = {0};

    if (there)
        record_value_split(slice_text(there), &version, &value);
    if (item->expect == RECORD_ABSENT && there)
        o->result = RECORD_EXISTS;
    else if (item->expect >= RECORD_PRESENT && item->expect != RECORD_KEEP && !there)
        o->result = RECORD_MISSING;
    else if (item->expect == RECORD_SAME && record_version_cmp(version, item->version) != 0)
        o->result = RECORD_CONFLICT;
    else if (item->expect == RECORD_EXACT && !slice_eq(slice_text(there), item->raw))
        o->result = RECORD_CONFLICT;
    else
        return false;
    o->version = version;
    o->value = value;
    return true;
}

static void apply(struct sim_data *d, const struct record_item *item, struct record_version version)
{
    char text[RECORD_VERSION_STRLEN];

    if (item->op == RECORD_REMOVE) {
        table_remove(&d->table[item->table], item->field);
        return;
    }
    record_version_format(version, text);
    uint32_t head = (uint32_t)strlen(text), len = head + 1 + item->value.len;
    char *raw = malloc(len + 1);
    memcpy(raw, text, head);
    raw[head] = ' ';
    if (item->value.len)
        memcpy(raw + head + 1, item->value.p, item->value.len);
    table_set(&d->table[item->table], item->field, slice_of(raw, len));
    free(raw);
}

enum record_wrote sim_data_change(struct sim_data *d, const struct record_write *w, uint64_t run,
                                  struct record_outcome *o)
{
    *o = (struct record_outcome){.result = RECORD_OK};
    if (d->term != w->term || d->run != run)
        return RECORD_OTHER_TERM;
    for (o->item = 0; o->item < w->n; o->item++)
        if (is_refused(d, &w->items[o->item], o))
            return RECORD_REFUSED;
    o->item = 0;
    struct sim_change *c = calloc(1, sizeof(*c) + w->n * sizeof(c->item[0]));
    c->users = 1;
    c->version = (struct record_version){d->term, d->seq + 1};
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->items[i].expect == RECORD_KEEP && sim_data_get(d, w->items[i].table, w->items[i].field))
            continue;
        struct record_item *own = &c->item[c->n++];
        *own = w->items[i];
        own->expect = RECORD_ANY;
        own->raw = slice_of("", 0);
        struct sim_text field = text_of(own->field),
                        value = text_of(own->op == RECORD_SET ? own->value : SLICE_LIT(""));
        own->field = slice_text(&field);
        own->value = slice_text(&value);
    }
    for (uint32_t i = 0; i < c->n; i++)
        apply(d, &c->item[i], c->version);
    if (c->n) {
        d->seq++;
        o->version = c->version;
        log_add(d, c);
    }
    sim_change_release(c);
    return RECORD_WROTE;
}

void sim_data_hand(struct sim_data *d, enum record_table table, struct slice field, const struct slice *raw)
{
    if (raw)
        table_set(&d->table[table], field, *raw);
    else
        table_remove(&d->table[table], field);
}

uint32_t sim_data_after(const struct sim_data *d, struct record_version version)
{
    uint32_t i = d->nlog;

    while (i > 0 && record_version_cmp(d->log[i - 1]->version, version) > 0)
        i--;
    return i;
}
