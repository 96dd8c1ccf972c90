/* SPDX-License-Identifier: BSD-2-Clause */
/* The contact table against a plain model, and every way in which records of the cluster can be malformed. */
#include "rig.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hg/contacts.h"

static struct rig *rig;

static int open_rig(void **state)
{
    (void)state;
    rig = rig_open(0, 1);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    rig_close(rig);
    return 0;
}

static struct hg_user_key key(uint32_t n)
{
    return (struct hg_user_key){{n * 0x9e3779b97f4a7c15ull, (n + 7) * 0xc2b2ae3d27d4eb4full}};
}

static struct hg_endpoint endpoint(unsigned n)
{
    struct hg_endpoint ep = {.port = 5060};
    ep.ip.b[10] = ep.ip.b[11] = 0xff;
    ep.ip.b[12] = 10, ep.ip.b[15] = (uint8_t)n;
    return ep;
}

struct record {
    struct hg_down_contacts head;
    struct hg_down_contacts_user user;
    char bytes[HG_CONTACTS_BYTES];
};

static uint32_t fill(struct record *rec, uint32_t n, unsigned contacts, unsigned text)
{
    uint32_t length = 0;
    memset(rec, 0, sizeof(*rec));
    rec->head.n = 1;
    for (unsigned i = 0; i < contacts; i++) {
        char uri[HG_CONTACT_URI_MAX + 1];
        struct hg_endpoint ep = endpoint(i + 1);
        snprintf(uri, sizeof(uri), "sip:%u-%u@%0*u", n, i, (int)(text % 200) + 1, text);
        length = hg_contact_put(rec->bytes, sizeof(rec->bytes), length, &ep, (uint16_t)(1000 - 10 * i),
                                slice_of(uri, (uint32_t)strlen(uri)));
        assert_true(length > 0);
    }
    rec->user = (struct hg_down_contacts_user){.key = key(n), .n = (uint16_t)contacts, .length = length};
    return (uint32_t)(sizeof(rec->head) + sizeof(rec->user)) + ((length + 7u) & ~7u);
}

static bool apply(const struct record *rec, uint32_t length)
{
    return route_apply_contacts(rig->route, &rec->head.r, length);
}

static void expect(uint32_t n, unsigned contacts, unsigned text)
{
    struct record rec;
    struct route_targets t;
    struct hg_user_key k = key(n);
    fill(&rec, n, contacts, text);
    assert_int_equal(route_contacts(rig->route, &k, &t), contacts);
    assert_int_equal(t.n, contacts);
    const struct hg_contact *c = (const void *)rec.bytes;
    for (unsigned i = 0; i < contacts; i++, c = hg_contact_next(c)) {
        assert_true(slice_eq(route_contact_uri(rig->route, &k, &t.t[i]), hg_contact_uri(c)));
        assert_true(hg_endpoint_eq(&t.t[i].ep, &c->ep));
        assert_int_equal(t.t[i].set, i); /* every q is another one */
    }
}

static void as_the_model_says(void **state)
{
    enum { USERS = 600 };
    static unsigned contacts[USERS], text[USERS], round[USERS];
    static struct record rec;
    (void)state;
    memset(contacts, 0, sizeof(contacts));
    srand(11);
    for (unsigned turn = 0, now = 0; turn < 40000; turn++) {
        uint32_t n = (uint32_t)rand() % USERS;
        contacts[n] = rand() % 4 ? (unsigned)rand() % 5 : rand() % 50 ? 0 : HG_CONTACTS_MAX;
        text[n] = (unsigned)rand() % 250;
        round[n] = now;
        assert_true(apply(&rec, fill(&rec, n, contacts[n], text[n])));
        if (turn % 4000 == 3999) { /* a resynchronisation that mentions some */
            now++;
            route_resync_begin(rig->route, now);
            for (uint32_t i = 0; i < USERS; i += 3) {
                round[i] = now;
                assert_true(apply(&rec, fill(&rec, i, contacts[i], text[i])));
            }
            assert_true(route_resync_end(rig->route));
            for (unsigned i = 0; i < 10000 && !route_resync_sweep(rig->route); i++)
                ;
            for (uint32_t i = 0; i < USERS; i++)
                contacts[i] = round[i] == now ? contacts[i] : 0;
        }
        if (turn % 500 == 0)
            for (uint32_t i = 0; i < USERS; i++)
                expect(i, contacts[i], text[i]);
    }
}

static void no_room(void **state)
{
    static struct record rec;
    (void)state;
    unsigned max = (unsigned)rig->config->dp_contacts_max;
    unsigned n = 0;
    while (n < max + 10 && apply(&rec, fill(&rec, n, 1, 3)))
        n++;
    assert_int_equal(n, max);
    assert_int_equal(rig->counters[HG_C_contacts_no_room], 1);
    assert_int_equal(rig->counters[HG_C_contacts], max);
    assert_true(apply(&rec, fill(&rec, 5, 2, 9))); /* who is there may change */
    expect(5, 2, 9);
    assert_true(apply(&rec, fill(&rec, 6, 0, 0)));
    assert_true(apply(&rec, fill(&rec, max + 1, 1, 3)));
}

/* Many users with several contacts: a class that is full borrows from the larger ones, and what fits stays
 * whole. */
static void larger_sets(void **state)
{
    static struct record rec;
    unsigned n = 0, max = (unsigned)rig->config->dp_contacts_max;
    (void)state;
    while (n < max &&
           apply(&rec, fill(&rec, n, 2, 100))) /* 330 bytes each: the class of 512 has half as many */
        n++;
    assert_true(n > max * 3 / 4);
    for (unsigned i = 0; i < n; i += 17)
        expect(i, 2, 100);
}

static void a_target_outlives_its_contact(void **state)
{
    static struct record rec;
    struct hg_user_key k = key(1);
    struct route_targets t;
    (void)state;
    apply(&rec, fill(&rec, 1, 2, 3));
    route_contacts(rig->route, &k, &t);
    apply(&rec, fill(&rec, 1, 2, 3)); /* the same again: still good */
    assert_true(route_contact_uri(rig->route, &k, &t.t[1]).len > 0);
    apply(&rec, fill(&rec, 1, 2, 4));
    assert_int_equal(route_contact_uri(rig->route, &k, &t.t[1]).len, 0);
    apply(&rec, fill(&rec, 1, 0, 0));
    assert_int_equal(route_contact_uri(rig->route, &k, &t.t[0]).len, 0);
}

static void malformed_contacts(void **state)
{
    static struct record rec;
    struct hg_contact *c = (void *)rec.bytes;
    uint32_t length;
    (void)state;
    length = fill(&rec, 1, 2, 3);
    for (uint32_t cut = 0; cut < length; cut++)
        assert_false(apply(&rec, cut));
    assert_false(apply(&rec, length + 8));
    rec.head.n = HG_DOWN_CONTACTS_USERS + 1;
    assert_false(apply(&rec, length));
    struct {
        void *at;
        uint16_t value;
    } bad[] = {{&c->q, 1001},
               {&c->q, 1},
               {&c->uri_len, 0},
               {&c->uri_len, 256},
               {&c->ep.port, 0},
               {&c->ep.proto, 3},
               {&rec.user.n, 1},
               {&rec.user.n, 3},
               {&rec.user.n, 0},
               {&c->uri[2], ' '},
               {&c->uri, 0x0a0d},
               {&c->uri, 0xff41},
               {&rec.user.n, HG_CONTACTS_MAX + 1}};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        length = fill(&rec, 1, 2, 3);
        memcpy(bad[i].at, &bad[i].value, 2);
        if (apply(&rec, length))
            fail_msg("case %u was believed", i);
    }
    assert_true(apply(&rec, fill(&rec, 1, 2, 3)));
}

static void malformed_maps(void **state)
{
    static const struct hg_down_serves good[] = {{1, 2}, {2, 2}};
    static const struct hg_down_serves bad[] = {{0, 1}, {HG_NODES_MAX, 1}, {2, 1}, {1, HG_NODES_MAX}};
    alignas(8) char room[sizeof(struct hg_down_serving) + HG_NODES_MAX * sizeof(struct hg_down_serves)] = {0};
    struct hg_down_serving *rec = (void *)room;
    uint32_t length = sizeof(*rec) + sizeof(good);
    (void)state;
    rec->n = 2;
    rec->epoch = 9;
    memcpy(rec->map, good, sizeof(good));
    assert_true(route_apply_serving(rig->route, &rec->r, length));
    assert_int_equal(route_serving(rig->route, 1), 2);
    assert_int_equal(route_serving(rig->route, 3), 0); /* whole: who is not in it has nobody */
    assert_int_equal(route_serving(rig->route, HG_NODES_MAX), 0);
    assert_false(route_apply_serving(rig->route, &rec->r, length - 4));
    assert_false(route_apply_serving(rig->route, &rec->r, length + 4));
    assert_false(route_apply_serving(rig->route, &rec->r, 20));
    for (unsigned i = 0; i < 4; i++) {
        rec->map[0] = bad[i];
        assert_false(route_apply_serving(rig->route, &rec->r, length));
    }
    assert_int_equal(route_serving(rig->route, 1), 2); /* nothing of it was applied */
    assert_int_equal(route_serving_epoch(rig->route), 9);
}

static void malformed_services(void **state)
{
    alignas(8) char room[sizeof(struct hg_down_service) + 2 * sizeof(struct hg_net)] = {0};
    struct hg_down_service *rec = (void *)room;
    struct route_service_address out[ROUTE_SERVICE_MAX];
    uint32_t length = sizeof(room);
    (void)state;
    rec->home = 1;
    rec->n = 2;
    for (unsigned i = 0; i < 2; i++)
        rec->net[i] = (struct hg_net){.ip = endpoint(i + 1).ip, .bits = 120};
    assert_true(route_apply_service(rig->route, &rec->r, length));
    assert_int_equal(route_service_addresses(rig->route, out), 2);
    assert_false(out[0].held); /* nobody has told who we are */
    assert_false(route_apply_service(rig->route, &rec->r, length - 1));
    rec->net[1].bits = 129;
    assert_false(route_apply_service(rig->route, &rec->r, length));
    rec->net[1].bits = 95; /* an IPv4 prefix is counted from 96 */
    assert_false(route_apply_service(rig->route, &rec->r, length));
    rec->net[1].bits = 120;
    rec->net[1].ip.b[12] = 224;
    assert_false(route_apply_service(rig->route, &rec->r, length));
    rec->net[1].ip.b[12] = 10;
    rec->home = 0;
    assert_false(route_apply_service(rig->route, &rec->r, length));
    rec->home = HG_NODES_MAX;
    assert_false(route_apply_service(rig->route, &rec->r, length));
    assert_int_equal(route_service_addresses(rig->route, out), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(larger_sets),
        T(as_the_model_says),
        T(no_room),
        T(a_target_outlives_its_contact),
        T(malformed_contacts),
        T(malformed_maps),
        T(malformed_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
