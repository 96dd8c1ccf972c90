/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated scripts against the real ones in a real Redis: the same random changes, answer by answer,
 * then everything that both hold. What the simulations prove is worth as much as this. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/alarms.h"
#include "log/log.h"
#include "real_redis.h"
#include "sim_redis.h"

#define ROUNDS 3000
#define FIELDS 12

struct side { /* one of the two */
    const struct record_io *io;
    struct record *record;
    uint64_t term, seq; /* what it was welcomed with */
    enum record_role role;
    char run[RECORD_RUN_LEN + 1], id[RECORD_ID_LEN + 1];
    bool done;
    char *text; /* what it said last, or everything that it holds */
    size_t size;
    FILE *out, *log;
    char *log_text;
    size_t log_size;
    uint64_t followed, wanted;
};
struct rig {
    uv_loop_t loop;
    struct real_redis redis;
    struct sim_redis *sim;
    struct log log;
    struct alarms alarms;
    struct side real, simulated;
    uint64_t now, rng;
};

static uint64_t draw(struct rig *rig, uint64_t n)
{
    rig->rng = rig->rng * 6364136223846793005ull + 1442695040888963407ull;
    return (rig->rng >> 33) % n;
}

static void nothing(void *arg)
{
    (void)arg;
}

static void loaded(void *arg)
{
    ((struct side *)arg)->done = true;
}

static void loaded_one(void *arg, enum record_table table, struct slice field, struct slice value,
                       struct record_version version)
{
    (void)arg, (void)table, (void)field, (void)value, (void)version;
}

/* Both records follow the log of their side. */
static void changed(void *arg, enum record_table table, enum record_op op, struct slice field,
                    struct slice value, struct record_version version)
{
    struct side *side = arg;

    fprintf(side->log, "%llu-%llu %d %d " SLICE_FMT "=" SLICE_FMT "\n", (unsigned long long)version.term,
            (unsigned long long)version.seq, (int)table, (int)op, SLICE_ARG(field), SLICE_ARG(value));
}

static void changed_end(void *arg, struct record_version version)
{
    struct side *side = arg;

    side->followed = version.seq;
    if (side->wanted && side->followed >= side->wanted)
        side->done = true;
}

static void turn_until_done(struct rig *rig, struct side *side)
{
    uint64_t end = uv_hrtime() + 20000000000ull;

    while (!side->done && uv_hrtime() < end) {
        if (side == &rig->real) {
            uv_run(&rig->loop, UV_RUN_ONCE);
        } else {
            rig->now = sim_redis_next(rig->sim);
            sim_redis_run(rig->sim, rig->now);
        }
    }
    assert_true(side->done);
}

static void begin(struct side *side)
{
    side->done = false;
    free(side->text);
    side->text = NULL;
    side->out = open_memstream(&side->text, &side->size);
}

static void end(struct side *side)
{
    fclose(side->out);
    side->done = true;
}

static void on_term(void *arg, uint64_t term, uint64_t seq, const char *id, const char *error)
{
    struct side *side = arg;

    (void)seq, (void)id;
    assert_null(error);
    side->term = term;
    side->done = true;
}

static void on_changed(struct record_write *w, enum record_wrote wrote, const struct record_outcome *o,
                       const char *error)
{
    struct side *side = w->arg;

    (void)error;
    fprintf(side->out, "%d %d %d %llu-%llu " SLICE_FMT, (int)wrote, (int)o->result, (int)o->item,
            (unsigned long long)o->version.term, (unsigned long long)o->version.seq, SLICE_ARG(o->value));
    end(side);
}

static void change(struct rig *rig, struct side *side, const struct record_item *items, uint32_t n,
                   uint64_t term)
{
    struct record_write w = {.term = term, .items = items, .n = n, .arg = side, .answered = on_changed};

    begin(side);
    assert_true(side->io->ops->change(side->io->ctx, &w));
    turn_until_done(rig, side);
}

struct lines {
    struct record_scan scan;
    struct side *side;
    struct rig *rig;
    char *line[64];
    unsigned n;
    bool done;
    uint64_t cursor;
};

static void on_one(struct record_scan *scan, struct slice field, struct slice raw)
{
    struct lines *l = scan->arg;
    char *line = malloc(field.len + raw.len + 2);

    sprintf(line, SLICE_FMT "=" SLICE_FMT, SLICE_ARG(field), SLICE_ARG(raw));
    l->line[l->n++] = line;
}

static void on_scanned(struct record_scan *scan, uint64_t cursor, bool unreadable, const char *error)
{
    struct lines *l = scan->arg;

    assert_true(!unreadable && !error);
    l->cursor = cursor;
    l->side->done = true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every table, sorted. */
static void dump(struct rig *rig, struct side *side)
{
    struct lines l = {.side = side, .rig = rig};

    begin(side);
    for (int t = 0; t < RECORD_TABLES; t++) {
        l.n = 0;
        l.cursor = 0;
        l.scan =
            (struct record_scan){.table = (enum record_table)t, .arg = &l, .one = on_one, .done = on_scanned};
        do {
            side->done = false;
            l.scan.cursor = l.cursor;
            assert_true(side->io->ops->scan(side->io->ctx, &l.scan));
            turn_until_done(rig, side);
        } while (l.cursor);
        qsort(l.line, l.n, sizeof(l.line[0]), by_text);
        for (unsigned i = 0; i < l.n; i++) {
            fprintf(side->out, "%d %s\n", t, l.line[i]);
            free(l.line[i]);
        }
    }
    end(side);
}

/* Versions that both sides had at that field, or wrong ones. */
static struct record_version draw_version(struct rig *rig, uint64_t seq)
{
    return (struct record_version){draw(rig, 10) ? rig->real.term : draw(rig, 3),
                                   seq ? draw(rig, seq + 1) : 0};
}

/* What stands there, byte by byte, or something else. */
static void draw_raw(struct rig *rig, struct record_item *item, char text[64])
{
    const struct sim_text *there = sim_data_get(sim_redis_data(rig->sim, 0), item->table, item->field);

    snprintf(text, 64, "%s", there && draw(rig, 4) ? there->p : "1-1 junk");
    item->raw = slice_str(text);
}

static uint32_t draw_items(struct rig *rig, struct record_item *items, char (*text)[24], char (*raw)[64],
                           uint64_t seq)
{
    uint32_t n = 1 + (draw(rig, 3) == 0 ? (uint32_t)draw(rig, 5) : 0), used = 0;

    for (uint32_t i = 0; i < n; i++) {
        unsigned table = (unsigned)draw(rig, RECORD_TABLES), field = (unsigned)draw(rig, FIELDS);
        if (used >> field & 1) /* a field at most once in one change */
            continue;
        used |= 1u << field;
        struct record_item *item = items++;
        snprintf(text[2 * i], 24, "field %u%s", field, field % 3 ? "" : "@example.com");
        snprintf(text[2 * i + 1], 24, "%s%u", draw(rig, 4) ? "" : "1-2 ", (unsigned)draw(rig, 1000));
        *item = (struct record_item){.table = (enum record_table)table,
                                     .op = draw(rig, 4) ? RECORD_SET : RECORD_REMOVE,
                                     .expect = (enum record_expect)draw(rig, 6),
                                     .version = draw_version(rig, seq),
                                     .field = slice_str(text[2 * i]),
                                     .value = slice_str(text[2 * i + 1])};
        if (item->expect == RECORD_EXACT)
            draw_raw(rig, item, *raw++);
        if (item->op == RECORD_REMOVE && item->expect == RECORD_KEEP)
            item->expect = RECORD_ANY;
        if (item->op == RECORD_REMOVE)
            item->value.len = 0;
    }
    return (uint32_t)__builtin_popcount(used);
}

static void create(struct rig *rig)
{
    struct redis_options o = {
        .loop = &rig->loop, .host = "127.0.0.1", .port = rig->redis.port, .timeout_ms = 10000};
    struct sim_redis_options so = {
        .seed = 1, .servers = 1, .delay = SIM_MS, .lag = SIM_MS, .log_max = 1000000};
    struct record_events ev = {.load_begin = nothing,
                               .loaded_one = loaded_one,
                               .load_end = loaded,
                               .changed = changed,
                               .changed_end = changed_end,
                               .arg = &rig->real};

    rig->real.log = open_memstream(&rig->real.log_text, &rig->real.log_size);
    rig->simulated.log = open_memstream(&rig->simulated.log_text, &rig->simulated.log_size);
    log_init(&rig->log, 2, "test");
    rig->log.level = HG_LOG_ERROR;
    rig->alarms.log = &rig->log;
    rig->real.record = record_create(&o, "c1", &ev, &rig->log, &rig->alarms);
    rig->real.io = record_io_of(rig->real.record);
    rig->sim = sim_redis_create(&so);
    struct sim_client *client = sim_client_create(rig->sim);
    struct record_io io = sim_client_io(client);
    ev.arg = &rig->simulated;
    rig->simulated.record = record_create_over(&io, &ev, &rig->log, &rig->alarms);
    sim_client_attach(client, rig->simulated.record);
    rig->simulated.io = record_io_of(rig->simulated.record);
    turn_until_done(rig, &rig->real);
    turn_until_done(rig, &rig->simulated);
    for (unsigned i = 0; i < 2; i++) {
        struct side *side = i ? &rig->real : &rig->simulated;
        side->done = false;
        assert_true(side->io->ops->check(side->io->ctx, on_term, side));
        turn_until_done(rig, side);
    }
    assert_int_equal(rig->real.term, rig->simulated.term);
}

static void on_welcome(void *arg, const struct record_welcome *w, const char *error)
{
    struct side *side = arg;

    assert_null(error);
    side->role = w->role;
    side->seq = w->seq;
    snprintf(side->run, sizeof(side->run), "%s", w->run);
    snprintf(side->id, sizeof(side->id), "%s", w->id);
    side->term = w->term;
    side->done = true;
}

static uint64_t ask_hello(struct rig *rig, struct side *side, const struct record_hello *ask)
{
    side->term = 0;
    assert_true(side->io->ops->hello(side->io->ctx, ask, on_welcome, side));
    while (!side->term) { /* its record may end a load meanwhile */
        side->done = false;
        turn_until_done(rig, side);
    }
    return side->term;
}

static uint64_t hello(struct rig *rig, struct side *side, uint64_t known_term)
{
    return ask_hello(rig, side,
                     &(struct record_hello){.known_term = known_term, .new_id = "new", .me = "me"});
}

static enum record_role role(struct rig *rig, struct side *side, struct record_hello ask)
{
    snprintf(ask.new_id, sizeof(ask.new_id), "new");
    snprintf(ask.me, sizeof(ask.me), "me");
    ask_hello(rig, side, &ask);
    return side->role;
}

/* The term rose here without another process; what counts is what stands in was_*. */
static void who_knows_the_beginning_may_go_on(struct rig *rig)
{
    for (unsigned i = 0; i < 2; i++) {
        struct side *side = i ? &rig->real : &rig->simulated;
        uint64_t term = hello(rig, side, 0);
        assert_int_equal(hello(rig, side, term + 1), term + 2);
        struct record_hello ask = {.known_term = term, .known_seq = side->seq};
        snprintf(ask.known_run, sizeof(ask.known_run), "%s", side->run);
        snprintf(ask.known_id, sizeof(ask.known_id), "%s", side->id);
        assert_int_equal(role(rig, side, ask), RECORD_ROLE_CONTINUE);
        ask.known_seq--;
        assert_int_equal(role(rig, side, ask), RECORD_ROLE_CONTINUE);
        ask.known_seq += 2; /* more than there was */
        assert_int_equal(role(rig, side, ask), RECORD_ROLE_FOLLOW);
        ask.known_seq--;
        ask.known_term = term - 1;
        assert_int_equal(role(rig, side, ask), RECORD_ROLE_FOLLOW);
        ask.known_term = term;
        ask.known_run[0]++; /* another process */
        assert_int_equal(role(rig, side, ask), RECORD_ROLE_FOLLOW);
        ask.known_run[0] = '\0';
        assert_int_equal(role(rig, side, ask), RECORD_ROLE_FOLLOW);
    }
}

/* What a caller knew was written under another master, which is lost: no version may mean two things. */
static void a_term_is_above_every_one_that_a_caller_knows(struct rig *rig)
{
    for (unsigned i = 0; i < 2; i++) {
        struct side *side = i ? &rig->real : &rig->simulated;
        uint64_t term = hello(rig, side, 0);
        assert_int_equal(hello(rig, side, term), term);
        assert_int_equal(hello(rig, side, term - 1), term);
        assert_int_equal(hello(rig, side, term + 3), term + 4);
        assert_int_equal(hello(rig, side, term), term + 4);
    }
}

static void the_same_log(struct rig *rig, uint64_t seq)
{
    for (unsigned i = 0; i < 2; i++) {
        struct side *side = i ? &rig->real : &rig->simulated;
        side->wanted = seq;
        side->done = side->followed >= seq;
        turn_until_done(rig, side);
        fclose(side->log);
    }
    assert_true(rig->real.log_size > 10000);
    assert_string_equal(rig->real.log_text, rig->simulated.log_text);
    free(rig->real.log_text);
    free(rig->simulated.log_text);
}

static void the_same_answers_and_the_same_record(void **state)
{
    struct rig rig = {.rng = 7};
    unsigned kinds[4] = {0};

    (void)state;
    uv_loop_init(&rig.loop);
    real_redis_start(&rig.redis, NULL);
    create(&rig);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct record_item items[8];
        char text[16][24], raw[8][64];
        uint64_t term = draw(&rig, 50) ? rig.real.term : rig.real.term + 1 - 2 * draw(&rig, 2);
        uint32_t n = draw_items(&rig, items, text, raw, i / 8);
        change(&rig, &rig.real, items, n, term);
        change(&rig, &rig.simulated, items, n, term);
        assert_string_equal(rig.real.text, rig.simulated.text);
        kinds[rig.real.text[0] - '0']++;
        if (i % 500 == 499 || i < 20) {
            dump(&rig, &rig.real);
            dump(&rig, &rig.simulated);
            assert_string_equal(rig.real.text, rig.simulated.text);
        }
    }
    /* each kind of answer was among them */
    assert_true(kinds[RECORD_WROTE] > 500 && kinds[RECORD_REFUSED] > 500 && kinds[RECORD_OTHER_TERM] > 10);
    the_same_log(&rig, sim_redis_data(rig.sim, 0)->seq);
    a_term_is_above_every_one_that_a_caller_knows(&rig);
    who_knows_the_beginning_may_go_on(&rig);
    record_close(rig.real.record);
    record_close(rig.simulated.record);
    record_free(rig.simulated.record);
    sim_redis_free(rig.sim);
    uv_run(&rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig.loop), 0);
    real_redis_stop(&rig.redis);
    free(rig.real.text);
    free(rig.simulated.text);
    log_close(&rig.log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_answers_and_the_same_record)};

    return cmocka_run_group_tests_name("sim_equal", tests, NULL, NULL);
}
