/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIP_PROBE_H
#define SIP_PROBE_H

#include "sip/txn.h"

/* OPTIONS to every next hop whose time has come. */
void probe_send_due(struct sip *s);
void probe_answered(struct sip *s, struct client *c, unsigned status);
void probe_timed_out(struct sip *s, struct client *c);

#endif
