/* SPDX-License-Identifier: BSD-2-Clause */
/* The proxy's rig with a made-up TCP below it: connections that the test opens, answers, cuts and fills. */
#ifndef TESTS_STREAM_RIG_H
#define TESTS_STREAM_RIG_H

#include "proxy_rig.h"

struct pipe;

/* As rig_open(), with a listener for TCP at US. */
void pipes_open(unsigned cores, const char *extra);
/* Somebody connects to US, on that core. */
struct pipe *pipe_from(const char *remote, unsigned core);
/* The oldest connection that we began and nobody has answered; fails if it does not lead there. */
struct pipe *pipe_wanted(const char *remote);
bool pipe_any_wanted(void);
void pipe_accept(struct pipe *p);
void pipe_refuse(struct pipe *p);

/* They send, and everybody has their turns. */
void pipe_say(struct pipe *p, const char *text);
void pipe_say_bytes(struct pipe *p, const char *bytes, uint32_t len);
/* From now on what they send stands in slices of so many bytes; 0: in one. */
void pipe_pieces(struct pipe *p, uint32_t bytes);
/* How many bytes we may write before they have read. */
void pipe_room(struct pipe *p, uint32_t bytes);
void pipe_end(struct pipe *p);   /* FIN */
void pipe_reset(struct pipe *p); /* RST */

/* The next message that we sent there begins with this; its text is rig.text. */
void pipe_expect(struct pipe *p, const char *start);
void pipe_expect_bytes(struct pipe *p, const char *bytes);
void pipe_expect_nothing(struct pipe *p);
/* By us, and how. */
bool pipe_closed(const struct pipe *p);
bool pipe_aborted(const struct pipe *p);
uint32_t pipe_unread(const struct pipe *p); /* what they sent and we have not consumed */

#endif
