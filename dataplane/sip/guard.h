/* SPDX-License-Identifier: BSD-2-Clause */
/* The guard towards a burst: many datagrams of one source at once. */
#ifndef SIP_GUARD_H
#define SIP_GUARD_H

struct hg_ip;
struct sip;

/* How many of n datagrams of this source may pass; each of them has taken its token. */
unsigned guard_admit(struct sip *s, const struct hg_ip *src, unsigned n);
/* One of them came back and will ask again: its token, too. */
void guard_refund(struct sip *s, const struct hg_ip *src);

#endif
