/* SPDX-License-Identifier: BSD-2-Clause */
/* `hgctl connections` through the rings: a question down, pages up, from every core. */
#include "feed_world.h"

static struct hg_down_connections anything(uint32_t id)
{
    return (struct hg_down_connections){.id = id,
                                        .max = HG_CONNECTIONS_MAX,
                                        .core = HG_CORE_ANY,
                                        .state = HG_CONNECTION_ANY,
                                        .listener = HG_LISTENER_ANY};
}

static void ask(struct hg_down_connections d)
{
    memset(w.rows, 0, sizeof(w.rows));
    w.answered = 0;
    w.answer = d.id;
    assert_true(feed_connections(w.cp, &d));
    for (unsigned i = 0; i < 200 && w.answered != (1u << CORES) - 1; i++)
        run(1);
    assert_int_equal(w.answered, (1u << CORES) - 1);
}

static int with_connections(void **state)
{
    setup(state);
    attach_whole(1);
    feed_node_connections(w.dp, 0, 1000);
    feed_node_connections(w.dp, 1, 1);
    return 0;
}

static void all_of_every_core(void **state)
{
    (void)state;
    ask(anything(1));
    assert_int_equal(w.rows[0], 1000);
    assert_int_equal(w.rows[1], 1);
    assert_int_equal(w.rows[2], 0);
    assert_int_equal(w.last_row.id, 1999); /* of core 0, which has most to tell */
    assert_int_equal(w.last_row.bytes_in, 999);
    assert_int_equal(w.last_row.state, HG_CONNECTION_close_wait);
    assert_int_equal(feed_node_killed(w.dp, 0), 0);
}

static void only_what_matches(void **state)
{
    (void)state;
    struct hg_down_connections d = anything(2);
    assert_true(hg_net_parse(slice_str("10.0.0.2"), &d.peer));
    ask(d);
    assert_int_equal(w.rows[0], 500);
    d.state = HG_CONNECTION_close_wait;
    ask(d);
    assert_int_equal(w.rows[0], 167);
    d = anything(3);
    d.listener = 5;
    ask(d);
    assert_int_equal(w.rows[0] + w.rows[1], 0);
    d = anything(4);
    d.max = 40;
    ask(d);
    assert_int_equal(w.rows[0], 40);
    d = anything(5);
    d.core = 1;
    d.connection = 1000; /* core 0 has that */
    ask(d);
    assert_int_equal(w.rows[0] + w.rows[1], 0);
    d.core = 0;
    ask(d);
    assert_int_equal(w.rows[0], 1);
}

static void some_are_ended(void **state)
{
    (void)state;
    struct hg_down_connections d = anything(6);
    d.end = 1;
    d.state = HG_CONNECTION_close_wait;
    ask(d);
    assert_int_equal(w.rows[0], 334);
    assert_int_equal(feed_node_killed(w.dp, 0), 334);
    assert_int_equal(feed_node_killed(w.dp, 1), 1);
    ask(anything(7));
    assert_int_equal(w.rows[0], 666);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct hg_down_connections d = anything(0);
    assert_false(feed_connections(w.cp, &d));
    d = anything(1);
    d.max = HG_CONNECTIONS_MAX + 1;
    assert_false(feed_connections(w.cp, &d));
    d = anything(1);
    d.peer.bits = 129;
    assert_false(feed_connections(w.cp, &d));
}

int main(void)
{
#define C(name) cmocka_unit_test_setup_teardown(name, with_connections, teardown)
    const struct CMUnitTest tests[] = {
        C(all_of_every_core),
        C(only_what_matches),
        C(some_are_ended),
        C(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
