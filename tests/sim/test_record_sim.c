/* SPDX-License-Identifier: BSD-2-Clause */
/* Four nodes and three Redis servers with faults at random moments. Always: what is shown to a node survives
 * the next promotion, the log comes in order and once. After healing: nothing acknowledged is lost, and every
 * node has what the master has. HG_SIM_SEED and HG_SIM_FAULTS repeat or prolong a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/alarms.h"
#include "log/log.h"
#include "sim_redis.h"
#include "store/record_cache.h"

#define NODES    4
#define SERVERS  3
#define COUNTERS 3
#define KEYS_MAX 200 /* fields of one node */

struct world;

struct node {
    struct world *w;
    unsigned index;
    struct sim_client *client;
    struct record *record;
    struct record_cache memory, before; /* the rest of a load is taken out of before */
    bool loading;
    struct record_version shown, entry;
    unsigned keys, value;
    unsigned acked_value[KEYS_MAX], tried_value[KEYS_MAX]; /* 0: none */
};
struct world {
    struct sim_redis *s;
    struct node node[NODES];
    struct log log;
    struct alarms alarms;
    uint64_t now, rng, faults;
    unsigned adds_acked[COUNTERS], adds_unknown[COUNTERS];
    unsigned acked, unknown, refused, promotions, loads;
    int killed, stale, unlinked;
    unsigned cut;
};
struct asked {
    struct node *node;
    unsigned key, value;
};

static uint64_t draw(struct world *w, uint64_t n)
{
    w->rng = w->rng * 6364136223846793005ull + 1442695040888963407ull;
    return (w->rng >> 33) % n;
}

/* ---- what a node has in memory ---- */
static void show(struct node *n, struct record_version v)
{
    if (record_version_cmp(v, n->shown) > 0)
        n->shown = v;
}

static void load_begin(void *arg)
{
    struct node *n = arg;

    if (!n->loading) { /* else the rest of a load that did not end is still there */
        n->before = n->memory;
        n->memory = (struct record_cache){0};
    }
    n->loading = true;
}

static void loaded_one(void *arg, enum record_table table, struct slice field, struct slice value,
                       struct record_version version)
{
    struct node *n = arg;

    if (table == RECORD_HA) { /* never back in time */
        const struct record_known *k = record_cache_find(&n->before, table, field);
        assert_true(!k || record_version_cmp(k->version, version) <= 0);
    }
    record_cache_set(&n->memory, table, field, value, version);
    show(n, version);
}

static void load_end(void *arg)
{
    struct node *n = arg;

    n->loading = false;
    n->w->loads++;
    record_cache_clear(&n->before);
    n->entry = (struct record_version){0, 0};
}

static void changed(void *arg, enum record_table table, enum record_op op, struct slice field,
                    struct slice value, struct record_version version)
{
    struct node *n = arg;
    const struct record_known *k = record_cache_find(&n->memory, table, field);

    assert_true(record_version_cmp(version, n->entry) > 0);
    assert_true(!k || record_version_cmp(version, k->version) > 0);
    if (op == RECORD_SET)
        record_cache_set(&n->memory, table, field, value, version);
    else
        record_cache_remove(&n->memory, table, field);
    show(n, version);
}

static void changed_end(void *arg, struct record_version version)
{
    ((struct node *)arg)->entry = version;
}

static bool give(void *arg, enum record_table table, uint64_t *cursor, struct slice *field,
                 struct slice *value)
{
    (void)arg, (void)table, (void)cursor, (void)field, (void)value;
    return false;
}

static void start(struct node *n)
{
    struct record_io io = sim_client_io(n->client);
    struct record_events ev = {.load_begin = load_begin,
                               .loaded_one = loaded_one,
                               .load_end = load_end,
                               .changed = changed,
                               .changed_end = changed_end,
                               .give = give,
                               .arg = n};

    n->record = record_create_over(&io, &ev, &n->w->log, &n->w->alarms);
    sim_client_attach(n->client, n->record);
}

static void stop(struct node *n)
{
    record_cache_clear(&n->memory);
    record_cache_clear(&n->before);
    n->loading = false;
    record_close(n->record);
    record_free(n->record);
}

/* ---- what nodes do ---- */
static void count(struct world *w, const struct record_outcome *o)
{
    w->acked += o->result == RECORD_OK;
    w->unknown += o->result == RECORD_UNAVAILABLE;
    w->refused += o->result != RECORD_OK && o->result != RECORD_UNAVAILABLE;
}

static void on_set(void *arg, const struct record_outcome *o)
{
    struct asked *a = arg;

    count(a->node->w, o);
    if (o->result == RECORD_OK && a->value > a->node->acked_value[a->key])
        a->node->acked_value[a->key] = a->value;
    free(a);
}

static void set_key(struct node *n)
{
    struct asked *a = malloc(sizeof(*a));
    char field[32], value[32];

    *a = (struct asked){n, (unsigned)draw(n->w, KEYS_MAX), ++n->value};
    n->tried_value[a->key] = a->value;
    snprintf(field, sizeof(field), "n%u-%u", n->index, a->key);
    snprintf(value, sizeof(value), "%u", a->value);
    enum record_table table = a->key % 3 ? RECORD_SETTINGS : RECORD_NODES;
    record_change_one(n->record, table, RECORD_SET, RECORD_ANY, slice_str(field), slice_str(value), on_set,
                      a);
}

static void on_added(void *arg, const struct record_outcome *o)
{
    struct asked *a = arg;
    struct world *w = a->node->w;

    count(w, o);
    w->adds_acked[a->key] += o->result == RECORD_OK;
    w->adds_unknown[a->key] += o->result == RECORD_UNAVAILABLE;
    free(a);
}

/* A counter raised by compare-and-set from what this node knows: a lost acknowledgement would be missing in
 * it. */
static void add(struct node *n)
{
    struct asked *a = malloc(sizeof(*a));
    char field[32], value[32];

    *a = (struct asked){.node = n, .key = (unsigned)draw(n->w, COUNTERS)};
    snprintf(field, sizeof(field), "counter%u", a->key);
    const struct record_known *k = record_cache_find(&n->memory, RECORD_HA, slice_str(field));
    snprintf(value, sizeof(value), SLICE_FMT, SLICE_ARG(k ? k->value : SLICE_LIT("0")));
    snprintf(value, sizeof(value), "%d", atoi(value) + 1);
    record_cas(n->record, RECORD_HA, slice_str(field), k ? k->version : (struct record_version){0, 0},
               slice_str(value), on_added, a);
}

static void work(struct world *w)
{
    struct node *n = &w->node[draw(w, NODES)];

    if (draw(w, 2))
        set_key(n);
    else
        add(n);
}

/* ---- what goes wrong: one server at a time ---- */
static void promote(struct world *w, bool stale)
{
    int old = sim_redis_master(w->s);

    if (!sim_redis_promote(w->s, stale, draw(w, 300) * SIM_MS))
        return;
    w->promotions++;
    if (stale)
        w->stale = old;
    const struct sim_data *d = sim_redis_data(w->s, (unsigned)sim_redis_master(w->s));
    struct record_version newest = d->nlog ? d->log[d->nlog - 1]->version : (struct record_version){0, 0};
    for (unsigned i = 0; i < NODES; i++)
        assert_true(record_version_cmp(w->node[i].shown, newest) <= 0);
}

static void heal_servers(struct world *w)
{
    if (w->killed >= 0)
        sim_redis_start(w->s, (unsigned)w->killed, false);
    if (w->stale >= 0)
        sim_redis_demote(w->s, (unsigned)w->stale);
    if (w->unlinked >= 0)
        sim_redis_link(w->s, (unsigned)w->unlinked, true);
    w->killed = w->stale = w->unlinked = -1;
}

static void fault(struct world *w)
{
    unsigned server = (unsigned)draw(w, SERVERS);
    struct node *n = &w->node[draw(w, NODES)];

    w->faults++;
    switch (draw(w, 9)) {
    case 0: /* the master dies, or stands alone and does not know it */
    case 1:
        if (w->killed >= 0 || w->stale >= 0 || w->unlinked >= 0)
            break;
        if (draw(w, 2)) {
            w->killed = sim_redis_master(w->s);
            sim_redis_kill(w->s, (unsigned)w->killed);
            promote(w, false);
        } else {
            promote(w, true);
        }
        break;
    case 2:
        if (w->killed >= 0 || w->stale >= 0 || w->unlinked >= 0 || (int)server == sim_redis_master(w->s))
            break;
        w->unlinked = (int)server;
        sim_redis_link(w->s, server, false);
        break;
    case 3:
        if (w->killed < 0 && w->stale < 0 && w->unlinked < 0)
            sim_redis_pause(w->s, (unsigned)sim_redis_master(w->s), w->now + draw(w, 3000) * SIM_MS);
        break;
    case 4:
        heal_servers(w);
        break;
    case 5:
        sim_client_pause(n->client, w->now + draw(w, 5000) * SIM_MS);
        break;
    case 6:
        sim_client_cut(n->client, draw(w, 2));
        break;
    case 7:
        sim_client_blind(n->client, draw(w, 2));
        break;
    case 8: /* the process dies: what it was told is nobody's any more */
        stop(n);
        sim_client_crash(n->client);
        start(n);
        break;
    }
}

static void run_until(struct world *w, uint64_t end)
{
    while (sim_redis_next(w->s) <= end) {
        w->now = sim_redis_next(w->s);
        sim_redis_run(w->s, w->now);
    }
    w->now = end;
    sim_redis_run(w->s, w->now);
}

/* ---- afterwards ---- */
static unsigned number_of(const struct sim_data *d, enum record_table table, const char *field)
{
    const struct sim_text *raw = sim_data_get(d, table, slice_str(field));
    const char *blank = raw ? strchr(raw->p, ' ') : NULL;

    return blank ? (unsigned)atoi(blank + 1) : 0;
}

static void nothing_acknowledged_is_lost(struct world *w, const struct sim_data *d)
{
    char field[32];

    for (unsigned i = 0; i < COUNTERS; i++) {
        snprintf(field, sizeof(field), "counter%u", i);
        unsigned stands = number_of(d, RECORD_HA, field);
        assert_in_range(stands, w->adds_acked[i], w->adds_acked[i] + w->adds_unknown[i]);
    }
    for (unsigned i = 0; i < NODES; i++)
        for (unsigned k = 0; k < KEYS_MAX; k++) {
            snprintf(field, sizeof(field), "n%u-%u", i, k);
            unsigned stands = number_of(d, k % 3 ? RECORD_SETTINGS : RECORD_NODES, field);
            assert_in_range(stands, w->node[i].acked_value[k], w->node[i].tried_value[k]);
        }
}

static void everybody_has_what_the_master_has(struct world *w, const struct sim_data *d)
{
    for (unsigned i = 0; i < NODES; i++) {
        uint32_t n = 0;
        assert_true(record_loaded(w->node[i].record));
        for (int t = 0; t < RECORD_TABLES; t++)
            for (uint32_t k = 0; k < d->table[t].n; k++, n++) {
                const struct sim_field *f = &d->table[t].field[k];
                struct record_version version;
                struct slice value;
                record_value_split(slice_of(f->raw.p, f->raw.len), &version, &value);
                const struct record_known *known = record_cache_find(&w->node[i].memory, (enum record_table)t,
                                                                     slice_of(f->name.p, f->name.len));
                assert_non_null(known);
                assert_int_equal(record_version_cmp(known->version, version), 0);
                assert_true(slice_eq(known->value, value));
            }
        assert_int_equal(w->node[i].memory.n, n);
    }
}

static void heal(struct world *w)
{
    heal_servers(w);
    for (unsigned i = 0; i < NODES; i++) {
        sim_client_cut(w->node[i].client, false);
        sim_client_blind(w->node[i].client, false);
    }
    run_until(w, w->now + 60000 * SIM_MS);
    const struct sim_data *d = sim_redis_data(w->s, (unsigned)sim_redis_master(w->s));
    nothing_acknowledged_is_lost(w, d);
    everybody_has_what_the_master_has(w, d);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

static struct world *create(uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));
    struct sim_redis_options o = {.seed = seed,
                                  .servers = SERVERS,
                                  .delay = SIM_MS / 2,
                                  .jitter = 3 * SIM_MS,
                                  .lag = SIM_MS,
                                  .lag_jitter = 20 * SIM_MS,
                                  .timeout_ms = 500,
                                  .log_max = 64};

    *w = (struct world){.rng = seed, .killed = -1, .stale = -1, .unlinked = -1};
    log_init(&w->log, 2, "sim");
    w->log.level = HG_LOG_ERROR;
    w->alarms.log = &w->log;
    w->log.tokens_ms = 0;
    w->s = sim_redis_create(&o);
    for (unsigned i = 0; i < NODES; i++) {
        w->node[i] = (struct node){.w = w, .index = i, .client = sim_client_create(w->s)};
        start(&w->node[i]);
    }
    return w;
}

static void destroy(struct world *w)
{
    for (unsigned i = 0; i < NODES; i++)
        stop(&w->node[i]);
    sim_redis_free(w->s);
    log_close(&w->log);
    free(w);
}

static void a_world(uint64_t seed, uint64_t faults)
{
    struct world *w = create(seed);

    print_message("seed %llu\n", (unsigned long long)seed);
    while (w->faults < faults) {
        for (unsigned i = 0; i < 100; i++) {
            uint64_t busy = draw(w, 20);
            for (uint64_t k = 0; k < busy; k++)
                work(w);
            run_until(w, w->now + draw(w, 400) * SIM_MS);
            if (draw(w, 3) == 0)
                fault(w);
        }
        heal(w);
    }
    print_message("%u acknowledged, %u unknown, %u refused, %u promotions, %u loads, %llu faults\n", w->acked,
                  w->unknown, w->refused, w->promotions, w->loads, (unsigned long long)w->faults);
    assert_true(w->acked > 100 && w->promotions > 2 && w->unknown > 10 && w->refused > 10);
    destroy(w);
}

static void faults_at_random_moments(void **state)
{
    uint64_t seed = from_environment("HG_SIM_SEED", 0), faults = from_environment("HG_SIM_FAULTS", 500);

    (void)state;
    if (seed) {
        a_world(seed, faults);
        return;
    }
    for (seed = 1; seed <= 6; seed++)
        a_world(seed, faults);
}

static void on_asked(void *arg, const struct record_outcome *o)
{
    *(enum record_result *)arg = o->result;
}

static void set(struct world *w, enum record_table table, const char *field, const char *value)
{
    enum record_result result = RECORD_UNAVAILABLE;

    record_change_one(w->node[0].record, table, RECORD_SET, RECORD_ANY, slice_str(field), slice_str(value),
                      on_asked, &result);
    run_until(w, w->now + 2000 * SIM_MS);
    assert_int_equal(result, RECORD_OK);
}

/* What no single failure does: servers that have an older ownership than the nodes were told. */
static void an_ownership_that_went_back_is_written_again(void **state)
{
    struct world *w = create(1);
    struct sim_data old = {.log_max = 64};

    (void)state;
    run_until(w, 2000 * SIM_MS);
    set(w, RECORD_SUBCLUSTERS, "east", "{}");
    set(w, RECORD_SUBCLUSTERS, "west", "{}");
    set(w, RECORD_HA, "west", "A serves");
    sim_data_copy(&old, sim_redis_data(w->s, 0));
    set(w, RECORD_HA, "west", "B serves");
    set(w, RECORD_HA, "east", "C serves");
    set(w, RECORD_HA, "gone", "of a subcluster that nobody knows");
    for (unsigned i = 0; i < SERVERS; i++)
        sim_redis_kill(w->s, i);
    for (unsigned i = 0; i < SERVERS; i++) {
        sim_data_copy(sim_redis_data_change(w->s, i), &old);
        sim_redis_start(w->s, i, false);
    }
    run_until(w, w->now + 30000 * SIM_MS);
    const struct sim_data *d = sim_redis_data(w->s, 0);
    assert_non_null(strstr(sim_data_get(d, RECORD_HA, SLICE_LIT("west"))->p, "B serves"));
    assert_non_null(strstr(sim_data_get(d, RECORD_HA, SLICE_LIT("east"))->p, "C serves"));
    assert_null(sim_data_get(d, RECORD_HA, SLICE_LIT("gone")));
    everybody_has_what_the_master_has(w, d);
    sim_data_clear(&old);
    destroy(w);
}

static void a_lost_record_is_written_back(void **state)
{
    struct world *w = create(2);
    char field[32], id[RECORD_ID_LEN + 1];
    static char large[300 * 1024]; /* a list of routes, for one */

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    run_until(w, 2000 * SIM_MS);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(field, sizeof(field), "item %u", i);
        set(w, RECORD_SETTINGS, field, i == 20 ? large : "before");
    }
    memcpy(id, sim_redis_data(w->s, 0)->id, sizeof(id));
    for (unsigned i = 0; i < SERVERS; i++)
        sim_redis_kill(w->s, i);
    for (unsigned i = 0; i < SERVERS; i++)
        sim_redis_start(w->s, i, true);
    run_until(w, w->now + 30000 * SIM_MS);
    const struct sim_data *d = sim_redis_data(w->s, 0);
    assert_string_not_equal(d->id, id);
    assert_string_equal(d->from, id);
    assert_int_equal(d->table[RECORD_SETTINGS].n, 40);
    assert_true(d->seq == 2); /* one node wrote it, in two batches; the others waited */
    everybody_has_what_the_master_has(w, d);
    assert_true(w->alarms.a[ALARM_redis_record_lost].standing);
    destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(faults_at_random_moments),
                                       cmocka_unit_test(an_ownership_that_went_back_is_written_again),
                                       cmocka_unit_test(a_lost_record_is_written_back)};

    return cmocka_run_group_tests_name("record_sim", tests, NULL, NULL);
}
