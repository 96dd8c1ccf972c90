/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of leases alone: two nodes and one slot under random delays, losses, restarts and clocks
 * that drift within the guard. At no moment may both act. Whoever wants the slot, and when, is random, too:
 * what the manager decides is not part of the proof. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ha/lease.h"

#define SPAN    6000000ull /* us */
#define GUARD   500000ull
#define FLIGHTS 64

struct flight { /* a beat, its answer, or a compare-and-set, on its way */
    uint64_t at;
    enum { NONE, ASK, ANSWER, WRITE, WRITTEN } what;
    unsigned to;
    bool has, grants, may_gain, done;
    uint64_t sent, order, boot, learned;
    struct record_version version;
};
struct side {
    struct lease l;
    int64_t ppm;
    uint64_t clock0, order, peer_order, boot, peer_boot;
    struct record_version known;
    uint64_t learned;
    bool writing;
};
struct world {
    uint64_t rng, now, version;
    struct side side[2];
    struct flight flight[FLIGHTS];
    uint64_t acted[2], double_acted;
};

static uint64_t below(struct world *w, uint64_t n)
{
    w->rng = w->rng * 6364136223846793005ull + 1442695040888963407ull;
    return (w->rng >> 33) % n;
}

static uint64_t clock_of(const struct world *w, unsigned i)
{
    const struct side *s = &w->side[i];
    return s->clock0 + w->now + (uint64_t)((int64_t)w->now / 1000000 * s->ppm);
}

static bool acts(const struct world *w, unsigned i)
{
    return clock_of(w, i) < lease_deadline(&w->side[i].l, 1);
}

static void launch(struct world *w, struct flight f)
{
    for (unsigned i = 0; i < FLIGHTS; i++)
        if (w->flight[i].what == NONE) {
            f.at = w->now + (below(w, 10) ? below(w, 50000) : below(w, 2 * SPAN));
            w->flight[i] = f;
            return;
        }
}

static bool says(const struct side *s)
{
    return s->l.want || s->writing || s->l.mapped;
}

static void ask(struct world *w, unsigned i)
{
    struct side *s = &w->side[i];
    launch(w, (struct flight){.what = ASK,
                              .to = !i,
                              .has = says(s),
                              .sent = clock_of(w, i),
                              .order = ++s->order,
                              .boot = s->boot,
                              .version = s->known});
}

/* A compare-and-set: to claim, or to renew. */
static void write_entry(struct world *w, unsigned i)
{
    struct side *s = &w->side[i];
    uint64_t now = clock_of(w, i);
    bool may = lease_claim_at(&s->l, s->known, s->learned, SPAN, GUARD) <= now;

    if (s->writing || (!s->l.held && !may))
        return;
    s->writing = true;
    launch(w,
           (struct flight){
               .what = WRITE, .to = i, .sent = now, .version = s->known, .boot = s->boot, .may_gain = may});
}

static void arrive_ask(struct world *w, const struct flight *f)
{
    struct side *s = &w->side[f->to];
    bool newest = f->boot != s->peer_boot || f->order > s->peer_order;

    if (f->boot < s->peer_boot)
        return;
    if (newest) {
        s->peer_boot = f->boot;
        s->peer_order = f->order;
        lease_on_beat(&s->l, f->has, f->version);
    }
    bool grant = newest && f->has && !says(s);
    if (grant)
        lease_give(&s->l, clock_of(w, f->to), SPAN);
    launch(w,
           (struct flight){.what = ANSWER, .to = !f->to, .grants = grant, .sent = f->sent, .boot = f->boot});
}

/* The record: one history; whoever is not up to date is told what stands there. */
static void arrive_write(struct world *w, struct flight f)
{
    f.what = WRITTEN;
    f.done = f.version.seq == w->version;
    if (f.done)
        w->version++;
    f.version.seq = w->version;
    launch(w, f);
}

static void arrive_written(struct world *w, const struct flight *f)
{
    struct side *s = &w->side[f->to];

    if (f->boot != s->boot)
        return;
    s->writing = false;
    if (f->version.seq <= s->known.seq)
        return;
    if (f->done) {
        if (record_version_cmp(s->l.clear, s->known) == 0)
            s->l.clear = f->version;
        if (!s->l.want && f->may_gain)
            lease_want(&s->l, clock_of(w, f->to));
        lease_on_write(&s->l, f->sent, SPAN, f->may_gain);
    } else {
        s->learned = clock_of(w, f->to);
        lease_unwant(&s->l); /* somebody else wrote: it may be his */
    }
    s->known = f->version;
}

static void arrive(struct world *w, struct flight f)
{
    struct side *s = &w->side[f.to];

    if (below(w, 20) == 0)
        s->writing = f.what == WRITTEN && f.boot == s->boot ? false : s->writing; /* lost, and given up */
    else if (f.what == ASK)
        arrive_ask(w, &f);
    else if (f.what == ANSWER && f.boot == s->boot && f.grants)
        lease_on_grant(&s->l, f.sent, SPAN);
    else if (f.what == WRITE)
        arrive_write(w, f);
    else if (f.what == WRITTEN)
        arrive_written(w, &f);
}

/* The control plane starts anew; the cores go on until the deadline. */
static void restart(struct world *w, unsigned i)
{
    struct side *s = &w->side[i], was = *s;
    uint64_t now = clock_of(w, i);

    lease_init(&s->l, now, SPAN);
    s->writing = false;
    s->boot = was.boot + 1;
    s->order = s->peer_order = s->peer_boot = 0;
    s->known = (struct record_version){1, w->version};
    s->learned = now;
    s->peer_boot = w->side[!i].boot;
    s->peer_order = w->side[!i].order;
    if (!was.l.mapped || was.l.until <= now)
        return;
    s->l.mapped = s->l.held = true;
    s->l.until = was.l.until;
    s->l.granted = 0;
    lease_want(&s->l, now);
}

static void step(struct world *w)
{
    unsigned i = (unsigned)below(w, 2);
    struct side *s = &w->side[i];

    switch (below(w, 40)) {
    case 0:
        if (!s->l.want)
            lease_want(&s->l, clock_of(w, i)); /* it may ask; only a grant or a write makes it act */
        break;
    case 1:
        lease_unwant(&s->l);
        break;
    case 2:
        if (below(w, 20) == 0)
            restart(w, i);
        break;
    case 3:
    case 4:
    case 5:
        write_entry(w, i);
        break;
    default:
        ask(w, i);
        break;
    }
    for (unsigned k = 0; k < 2; k++) { /* maps follow at once in this world */
        struct lease *l = &w->side[k].l;
        l->mapped = l->held;
    }
}

static void run(struct world *w, uint64_t seed, unsigned steps)
{
    memset(w, 0, sizeof(*w));
    w->rng = seed;
    for (unsigned i = 0; i < 2; i++) {
        w->side[i] =
            (struct side){.ppm = (int64_t)below(w, 2001) - 1000, .clock0 = 1 + below(w, 1u << 30), .boot = 1};
        w->side[i].known.term = 1;
        lease_init(&w->side[i].l, clock_of(w, i), SPAN);
        w->side[i].learned = clock_of(w, i);
    }
    while (steps-- > 0) {
        w->now += below(w, 200000);
        for (unsigned i = 0; i < FLIGHTS; i++)
            if (w->flight[i].what != NONE && w->flight[i].at <= w->now) {
                struct flight f = w->flight[i];
                w->flight[i].what = NONE;
                arrive(w, f);
            }
        step(w);
        bool a = acts(w, 0), b = acts(w, 1);
        w->acted[0] += a;
        w->acted[1] += b;
        w->double_acted += a && b;
    }
}

static void two_nodes_never_act_for_one_slot(void **state)
{
    static struct world w;
    uint64_t acted[2] = {0, 0};

    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        run(&w, seed, 5000);
        if (w.double_acted != 0)
            print_message("seed %llu\n", (unsigned long long)seed);
        assert_int_equal(w.double_acted, 0);
        acted[0] += w.acted[0];
        acted[1] += w.acted[1];
    }
    assert_true(acted[0] > 10000 && acted[1] > 10000); /* and it is no empty promise */
}

static void a_grant_counts_from_the_asking(void **state)
{
    struct lease l;

    (void)state;
    lease_init(&l, 10, SPAN);
    lease_want(&l, 100);
    lease_on_grant(&l, 99, SPAN); /* what was asked before it was wanted */
    assert_false(l.held);
    lease_on_grant(&l, 150, SPAN);
    assert_true(l.held);
    assert_int_equal(l.until, 150 + SPAN);
    lease_on_grant(&l, 120, SPAN); /* late: nothing is shortened */
    assert_int_equal(l.until, 150 + SPAN);
}

static void a_claim_waits_for_grants_and_for_renewals(void **state)
{
    struct record_version v = {1, 5}, other = {1, 6};
    struct lease l;

    (void)state;
    lease_init(&l, 1000, SPAN); /* what was granted before the start is not known */
    assert_int_equal(lease_claim_at(&l, v, 0, SPAN, GUARD), 1000 + SPAN + GUARD);
    lease_give(&l, 2000, SPAN);
    assert_int_equal(lease_claim_at(&l, v, 9000, SPAN, GUARD), 9000 + SPAN + GUARD);
    lease_on_beat(&l, false, v); /* the peer has nothing of it, at this version */
    assert_int_equal(lease_claim_at(&l, v, 9000, SPAN, GUARD), 0);
    assert_int_equal(lease_claim_at(&l, other, 9000, SPAN, GUARD), 9000 + SPAN + GUARD);
}

/* Spans change while leases run: the longest grant that stands counts, and the span of the peer's own writes.
 */
static void a_claim_waits_as_long_as_the_peer_was_promised(void **state)
{
    struct record_version v = {1, 5};
    struct lease l = {0};

    (void)state;
    lease_give(&l, 2000, 10 * SPAN);
    lease_give(&l, 3000, SPAN); /* a shorter one takes nothing back */
    assert_int_equal(lease_claim_at(&l, v, 0, SPAN, GUARD), 2000 + 10 * SPAN + GUARD);
    assert_int_equal(lease_claim_at(&l, v, 3000, 20 * SPAN, GUARD), 3000 + 20 * SPAN + GUARD);
}

static void one_slot_that_is_still_mapped_bounds_all(void **state)
{
    struct lease l[2] = {{.mapped = true, .until = 50}, {.mapped = true, .until = 90}};

    (void)state;
    assert_int_equal(lease_deadline(l, 2), 50);
    l[0].mapped = false;
    assert_int_equal(lease_deadline(l, 2), 90);
    l[1].mapped = false;
    assert_int_equal(lease_deadline(l, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_never_act_for_one_slot),
        cmocka_unit_test(a_grant_counts_from_the_asking),
        cmocka_unit_test(a_claim_waits_for_grants_and_for_renewals),
        cmocka_unit_test(a_claim_waits_as_long_as_the_peer_was_promised),
        cmocka_unit_test(one_slot_that_is_still_mapped_bounds_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
