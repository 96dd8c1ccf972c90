/* SPDX-License-Identifier: BSD-2-Clause */
/* Both ends of the feed in one process, for tests: a control plane's feed, a dataplane without packets, what
 * the one heard from the other, and a clock. */
#ifndef TESTS_FEED_WORLD_H
#define TESTS_FEED_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "feed/feed.h"
#include "feed_image.h"
#include "feed_node.h"

#define CORES 3u
#define CELLS 1024u

struct world {
    char node[64], error[HG_SEGMENT_ERROR];
    struct feed_node *dp;
    struct feed *cp;
    struct hg_hash_secret secret;
    struct feed_image_file image[4];
    uint64_t ms;
    unsigned attached, detached, ready, drained, logs, traces, hops;
    char log[512], message[1024];
    uint32_t log_suppressed;
    char traced[64];
    uint32_t answer;                /* the question about connections whose answer counts */
    unsigned answered, rows[CORES]; /* by which cores, and how much */
    struct hg_connection last_row;
    unsigned datagrams;
    char datagram[64];
    struct hg_endpoint datagram_src;
    struct hg_up_trace trace; /* without its message: last */
};

extern struct world w;

int setup(void **state); /* both are there, nothing has happened */
int teardown(void **state);
void start_dp(void);
void start_cp(void);
/* Users 0 .. users-1 on node 1 + n % 5, five nodes, an image: all in force. */
void attach_whole(uint64_t users);

struct hg_user_key key(uint64_t n);
void set(uint64_t n, uint16_t node);
void expect(uint64_t n, uint16_t node); /* on every core */
void poll_cp(void);
void run(unsigned rounds);
void give_image(unsigned i);
enum feed_progress until_applied(void);
uint64_t counter(unsigned core, unsigned id);

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
