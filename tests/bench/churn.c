/* SPDX-License-Identifier: BSD-2-Clause */
#include "churn.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "feed/core_feed.h"
#include "feed/feed.h"
#include "feed/images.h"
#include "impl/segment.h"
#include "lib/log_out.h"
#include "median.h"
#include "messages.h"
#include "route/user_table.h"
#include "routes/routes.h"

#define BATCH   512 /* moves that become certain together */
#define BATCHES 4096
#define WAIT_S  60

struct subject {
    atomic_uint version, pending;
    atomic_uchar node;
};

struct batch {
    struct feed_token token;
    uint32_t n, subject[BATCH];
};

/* Compiled on a thread of its own, as by the control plane; given to the feed by the main thread. */
struct compiler {
    pthread_t thread;
    struct routes *routes;
    struct hg_static_route *route;
    atomic_int state; /* 0 idle, 1 asked, 2 done, 3 end */
    uint8_t node;     /* that the one route leads to */
    uint64_t generation, size;
    char name[64];
};

struct churn {
    struct harness *h;
    struct hg_segment segment;
    struct images *images;
    struct feed *feed; /* the control plane's */
    bool attached, on;
    struct hg_user_key *key;
    struct subject subject[CHURN_USERS + 1];
    struct batch *batch; /* ring of BATCHES */
    uint64_t batch_in, batch_out;
    struct compiler compiler;
    double since, compiled; /* since: when changes went on */
    uint64_t moved, rng;
    uint64_t users, reloads; /* in force while changes were on */
    char node[64];
};

void churn_die(const char *what)
{
    fprintf(stderr, "bench_churn: %s\n", what);
    exit(1);
}

static uint64_t ms(void)
{
    return (uint64_t)(bench_now() * 1000);
}

/* ---- static routes ---- */

static void fill_routes(struct compiler *c)
{
    c->route = calloc(CHURN_STATICS, sizeof(*c->route));
    if (c->route == NULL)
        churn_die("no memory");
    for (unsigned i = 0; i < CHURN_STATICS; i++) {
        struct hg_static_route *r = &c->route[i];
        hg_static_route_defaults(r);
        snprintf(r->name, sizeof(r->name), "r%u", i);
        snprintf(r->pattern, sizeof(r->pattern), i % 4 ? "1919%06u" : "4420%05u*", i);
        snprintf(r->next_hop, sizeof(r->next_hop), "10.0.0.%u", 20 + i % 200);
        r->proto = HG_UDP;
        r->stateful = false;
    }
    snprintf(c->route[0].pattern, sizeof(c->route[0].pattern), "777*");
    c->route[0].port = 5090;
}

static void compile(struct churn *churn)
{
    struct compiler *c = &churn->compiler;
    char why[256] = "";
    snprintf(c->route[0].next_hop, sizeof(c->route[0].next_hop), "10.0.0.%u", c->node == 1 ? 9 : 10);
    struct routes_input in = {.config = churn->h->config, .admin = c->route, .nadmin = CHURN_STATICS};
    const struct routes_result *r = routes_compile(c->routes, &in);
    if (r == NULL || r->count[ROUTES_ACTIVE] != CHURN_STATICS ||
        !routes_publish(c->routes, c->name, why, sizeof(why))) {
        fprintf(stderr, "%u active of %u: %s\n", r ? r->count[ROUTES_ACTIVE] : 0, CHURN_STATICS, why);
        churn_die("the routes do not compile");
    }
    c->generation = r->generation;
    c->size = r->size;
}

static void *compile_thread(void *arg)
{
    struct churn *churn = arg;
    for (int state; (state = atomic_load(&churn->compiler.state)) != 3;) {
        if (state == 1) {
            compile(churn);
            atomic_store(&churn->compiler.state, 2);
        }
        usleep(1000);
    }
    return NULL;
}

/* ---- moves: certain only once the feed says so ---- */

static void move_begin(struct churn *c, uint32_t subject, uint8_t node)
{
    struct subject *s = &c->subject[subject];
    atomic_fetch_add(&s->pending, 1);
    atomic_fetch_add(&s->version, 1);
    atomic_store(&s->node, node);
    struct batch *b = &c->batch[c->batch_in % BATCHES];
    b->subject[b->n++] = subject;
}

static void batch_close(struct churn *c)
{
    struct batch *b = &c->batch[c->batch_in % BATCHES];
    if (b->n == 0)
        return;
    feed_mark(c->feed, &b->token);
    c->batch_in++;
    c->batch[c->batch_in % BATCHES].n = 0;
}

static void batches_settle(struct churn *c)
{
    while (c->batch_out < c->batch_in) {
        struct batch *b = &c->batch[c->batch_out % BATCHES];
        enum feed_progress p = feed_applied(c->feed, &b->token, NULL);
        if (p == FEED_PENDING)
            return;
        if (p != FEED_APPLIED)
            churn_die("a change was refused or lost");
        for (uint32_t i = 0; i < b->n; i++) {
            atomic_fetch_sub(&c->subject[b->subject[i]].pending, 1);
            if (c->on)
                *(b->subject[i] == CHURN_ROUTE ? &c->reloads : &c->users) += 1;
        }
        c->batch_out++;
    }
}

static void move_users(struct churn *c)
{
    uint64_t due = (uint64_t)((bench_now() - c->since) * CHURN_RATE);
    while (c->moved < due && c->batch_in - c->batch_out < BATCHES - 2) {
        for (unsigned i = 0; i < BATCH && c->moved < due; i++, c->moved++) {
            uint32_t u = (uint32_t)(bench_mix(++c->rng) % CHURN_USERS);
            uint8_t node = (uint8_t)(3 - atomic_load(&c->subject[u].node));
            move_begin(c, u, node);
            if (!feed_user_set(c->feed, &c->key[u], node))
                churn_die("no memory");
        }
        batch_close(c);
    }
}

/* The routes' version goes up before the image is given away. */
static void reload(struct churn *c)
{
    struct compiler *k = &c->compiler;
    if (atomic_load(&k->state) == 2) {
        batch_close(c);
        move_begin(c, CHURN_ROUTE, k->node);
        if (!feed_image_set(c->feed, k->generation, k->size, k->name))
            churn_die("no memory");
        batch_close(c);
        atomic_store(&k->state, 0);
    }
    if (atomic_load(&k->state) == 0 && feed_image_served(c->feed, k->generation)) {
        routes_retire(k->routes, k->generation);
        if (c->on && bench_now() >= c->compiled + 1) {
            c->compiled = c->compiled == 0 ? bench_now() : c->compiled + 1;
            k->node = (uint8_t)(3 - k->node);
            atomic_store(&k->state, 1);
        }
    }
}

void churn_turn(struct churn *c)
{
    /* the harness' core beats elsewhere */
    atomic_fetch_add(&c->segment.core[0].area->heartbeat, 1);
    bool more = feed_poll(c->feed, ms());
    images_serve(c->images);
    batches_settle(c);
    if (c->on)
        move_users(c);
    reload(c);
    if (!more)
        usleep(200);
}

void churn_changes(struct churn *c, bool on)
{
    if (on) {
        c->since = bench_now();
        c->compiled = c->since - 1;
        c->moved = 0;
    }
    c->on = on;
}

void churn_settle(struct churn *c)
{
    for (double end = bench_now() + WAIT_S; c->batch_out < c->batch_in || atomic_load(&c->compiler.state);) {
        churn_turn(c);
        if (bench_now() > end)
            churn_die("not in force within a minute");
    }
}

void churn_counted(const struct churn *c, uint64_t *users, uint64_t *images)
{
    *users = c->users;
    *images = c->reloads;
}

/* ---- opening ---- */

static void on_attached(void *arg, const struct hg_segment *segment)
{
    (void)segment;
    ((struct churn *)arg)->attached = true;
}

static void on_message(void *arg, enum hg_log_level level, const char *text)
{
    (void)arg;
    if (level <= HG_LOG_WARNING)
        fprintf(stderr, "# %s\n", text);
}

static void make_keys(struct churn *c)
{
    char user[16];
    c->key = malloc(CHURN_USERS * sizeof(*c->key));
    c->batch = calloc(BATCHES, sizeof(*c->batch));
    if (c->key == NULL || c->batch == NULL)
        churn_die("no memory");
    for (uint32_t u = 0; u < CHURN_USERS; u++) {
        int n = snprintf(user, sizeof(user), "u%06u", u);
        c->key[u] = hg_user_key(&c->h->secret, slice_of(user, (uint32_t)n), SLICE_LIT("example.net"));
        c->subject[u].node = 1;
    }
    c->subject[CHURN_ROUTE].node = 1;
}

/* As core_create does it with a segment: the harness has made its core without. */
static void give_feed(struct churn *c)
{
    struct core *core = c->h->core[0];
    char error[HG_SEGMENT_ERROR];
    struct hg_segment_spec spec = {.node = c->node,
                                   .cores = 1,
                                   .ring_cells = 16384,
                                   .route_slots = 16384,
                                   .hop_slots = HG_HOP_SLOTS,
                                   .tsc_hz = rte_get_tsc_hz(),
                                   .boot = 1};
    if (!hg_segment_create(&spec, &c->segment, error))
        churn_die(error);
    c->segment.header->secret = c->h->secret;
    log_out_destroy(core->ctx.log);
    core->ctx.log = log_out_create(&c->segment, 0);
    c->images = images_create(1);
    struct feed_setup setup = {.ctx = &core->ctx,
                               .segment = &c->segment,
                               .images = c->images,
                               .net = core->net,
                               .route = core->route,
                               .sip = core->sip,
                               .tcp = core->tcp,
                               .stream = core->stream};
    if (core->ctx.log == NULL || c->images == NULL || (core->feed = feed_init(&setup)) == NULL)
        churn_die("no feed");
}

struct churn *churn_open(struct harness *h)
{
    struct churn *c = calloc(1, sizeof(*c));
    if (c == NULL)
        churn_die("no memory");
    c->h = h;
    snprintf(c->node, sizeof(c->node), "bench-churn-%d", (int)getpid());
    make_keys(c);
    give_feed(c);
    fill_routes(&c->compiler);
    c->compiler.node = 1;
    c->compiler.routes = routes_create(c->node, 16384, (uint64_t)time(NULL) * 1000000);
    if (c->compiler.routes == NULL)
        churn_die("no memory");
    compile(c);
    if (pthread_create(&c->compiler.thread, NULL, compile_thread, c) != 0)
        churn_die("no thread");
    return c;
}

void churn_close(struct churn *c)
{
    atomic_store(&c->compiler.state, 3);
    pthread_join(c->compiler.thread, NULL);
    feed_destroy(c->feed);
    feed_close(c->h->core[0]->feed);
    c->h->core[0]->feed = NULL;
    images_destroy(c->images);
    hg_segment_destroy(&c->segment);
    routes_retire(c->compiler.routes, UINT64_MAX);
    routes_destroy(c->compiler.routes);
    free(c->compiler.route);
    free(c->key);
    free(c->batch);
    free(c);
}

double churn_load(struct churn *c)
{
    const struct feed_handlers handlers = {.on_attached = on_attached, .on_message = on_message};
    struct hg_endpoint sip;
    struct feed_token token;
    if (c->feed)
        feed_destroy(c->feed);
    c->feed = feed_create(c->node, &handlers, c);
    c->attached = false;
    if (c->feed == NULL ||
        !feed_image_set(c->feed, c->compiler.generation, c->compiler.size, c->compiler.name))
        churn_die("no memory");
    for (uint16_t n = 1; n <= 2; n++) {
        hg_endpoint_parse(slice_str(n == 1 ? "10.0.0.9:5090" : "10.0.0.10:5090"), 5060, &sip);
        feed_node_set(c->feed, n, n == 1 ? "one" : "two", &sip, false);
    }
    for (double end = bench_now() + WAIT_S; !c->attached; usleep(1000)) {
        feed_poll(c->feed, ms());
        if (bench_now() > end)
            churn_die("the segment cannot be attached");
    }
    double start = bench_now();
    for (uint32_t u = 0; u < CHURN_USERS; u++) { /* from the name, as the control plane does it */
        char user[16];
        int n = snprintf(user, sizeof(user), "u%06u", u);
        struct hg_user_key key =
            hg_user_key(&c->h->secret, slice_of(user, (uint32_t)n), SLICE_LIT("example.net"));
        if (!feed_user_set(c->feed, &key, 1))
            churn_die("no memory");
        if (u % 4000 == 0)
            feed_poll(c->feed, ms());
    }
    feed_users_loaded(c->feed);
    feed_mark(c->feed, &token);
    while (feed_applied(c->feed, &token, NULL) != FEED_APPLIED) {
        if (!feed_poll(c->feed, ms()))
            usleep(100);
        images_serve(c->images);
        if (bench_now() > start + WAIT_S)
            churn_die("a million users are not in force within a minute");
    }
    return bench_now() - start;
}

double churn_move_all(struct churn *c)
{
    struct feed_token token;
    uint8_t node = (uint8_t)(3 - atomic_load(&c->subject[0].node));
    for (uint32_t u = 0; u < CHURN_USERS; u++) {
        atomic_fetch_add(&c->subject[u].pending, 1);
        atomic_fetch_add(&c->subject[u].version, 1);
        atomic_store(&c->subject[u].node, node);
    }
    double start = bench_now();
    for (uint32_t u = 0; u < CHURN_USERS; u++) {
        if (!feed_user_set(c->feed, &c->key[u], node))
            churn_die("no memory");
        if (u % 4000 == 0)
            feed_poll(c->feed, ms());
    }
    feed_mark(c->feed, &token);
    while (feed_applied(c->feed, &token, NULL) != FEED_APPLIED) {
        if (!feed_poll(c->feed, ms()))
            usleep(100);
        if (bench_now() > start + WAIT_S)
            churn_die("a million moves are not in force within a minute");
    }
    double seconds = bench_now() - start;
    for (uint32_t u = 0; u < CHURN_USERS; u++)
        atomic_fetch_sub(&c->subject[u].pending, 1);
    return seconds;
}

double churn_bytes_per_user(void)
{
    struct user_table t;
    if (!user_table_open(&t, CHURN_USERS))
        churn_die("no memory");
    double bytes = (double)t.mapped / CHURN_USERS;
    user_table_close(&t);
    return bytes;
}

/* ---- the thread with the messages ---- */

uint8_t churn_expected(struct churn *c, uint32_t subject, uint32_t *version)
{
    struct subject *s = &c->subject[subject];
    *version = atomic_load(&s->version);
    bool sure = atomic_load(&s->pending) == 0;
    uint8_t node = atomic_load(&s->node);
    return sure && atomic_load(&s->version) == *version ? node : 0;
}

bool churn_judge(struct churn *c, uint32_t subject, uint32_t version, uint8_t expected, const uint8_t *dst)
{
    uint8_t node = dst[3] == 9 ? 1 : dst[3] == 10 ? 2 : 0;
    if (dst[0] != 10 || dst[1] != 0 || dst[2] != 0 || node == 0)
        return false;
    return expected == 0 || node == expected || atomic_load(&c->subject[subject].version) != version;
}
