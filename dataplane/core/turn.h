/* SPDX-License-Identifier: BSD-2-Clause */
/* The stages of a turn, as its files call one another. */
#ifndef CORE_TURN_H
#define CORE_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"

#define MAIL_BURST 64

/* mail.c, rx.c: what came is taken, and a burst of it worked on. Both return how many things were done. */
unsigned turn_mail(struct core *core);
unsigned turn_rx(struct core *core);
/* turn.c */
uint16_t port_send(const struct core_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n);
/* streams.c: segments of a burst; what all of them came to, at the end of the turn. */
struct segment;
void turn_segments(struct core *core, struct segment *s, unsigned n);
unsigned turn_streams(struct core *core);
void mail_segment(struct core *core, const struct mail *mail);
void mail_icmp_news(struct core *core, const struct mail *mail);
void turn_sip(struct core *core, struct datagram *d, unsigned n);
/* Works on what is due of a queue, while what comes after that is fetched; flags: of the datagrams that come
 * of it (enum datagram_flags). Returns how many frames. */
unsigned turn_queue(struct core *core, uint16_t port, struct frame_queue *q, uint8_t flags);

#endif
