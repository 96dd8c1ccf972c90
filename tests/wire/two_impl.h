/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the harness. */
#ifndef TESTS_WIRE_TWO_IMPL_H
#define TESTS_WIRE_TWO_IMPL_H

#include <stdlib.h>

#include "two.h"

struct flying {
    struct flying *next;
    uint64_t at_us;
    enum side to;
    uint32_t len;
    uint8_t b[];
};

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* wire.c */
void wire_put(struct two *w, enum side from, const uint8_t *frame, uint32_t len);
void wire_arrive(struct two *w);
/* look.c. false: not TCP. at: of the TCP header in the frame. */
bool look(struct two *w, enum side from, const uint8_t *b, uint32_t len, struct seen *s, uint32_t *at);
void remember(struct two *w, const struct seen *s, const uint8_t *b, uint32_t len);
uint16_t wire_sum(const uint8_t *p, uint32_t len, uint32_t start);
uint32_t wire_pseudo(const struct hg_ip *src, const struct hg_ip *dst, uint32_t len);
/* made.c. true: it was a question for the address of the lone end's peer. */
bool answer_neighbour(struct two *w, const uint8_t *b, uint32_t len);
/* socks.c */
void socks_turn(struct two *w, enum side side);

#endif
