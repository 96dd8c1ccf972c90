/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole core with the proxy in it: SIP texts in, SIP texts out, by the wire. */
#ifndef TESTS_PROXY_RIG_H
#define TESTS_PROXY_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness.h"
#include "sip/sip.h"

#define US    "10.0.0.1:5060"
#define ALICE "10.0.0.2:5060"
#define BOB   "10.0.0.20:5060"
#define CAROL "10.0.0.30:5060"
#define DAVE  "10.0.0.40:5060"

struct rig {
    struct harness *h;
    struct harness_packet packet;
    char text[70000]; /* payload of the last packet, terminated */
    char to[80];      /* where it went, "ip:port" */
};

extern struct rig rig;
/* Further elements of dataplane.listeners, after a comma; NULL: none. */
extern const char *rig_listeners;

/* extra: further items of cluster.sip, may be NULL. */
void rig_open(unsigned cores, const char *extra);
/* Checks that every datagram had one disposition, that no buffer is lost, and closes. */
void rig_close(void);
/* As a teardown: a test that failed does not take the next ones with it. */
int rig_abandon(void **state);
void rig_send(const char *from, const char *text);
/* to: one of our addresses, "ip:port". */
void rig_send_to(const char *from, const char *to, const char *text);
void rig_send_bytes(const char *from, const void *bytes, uint32_t len);
/* The next packet that left: false when there is none. */
bool rig_next(void);
/* The next packet must start with that and go there (NULL: anywhere). */
void rig_expect(const char *to, const char *start);
void rig_expect_nothing(void);
/* The text of the last packet holds this. */
void rig_has(const char *part);
void rig_has_not(const char *part);
uint64_t rig_count(unsigned counter);
/* One route of type domain (pattern a host) or user, by UDP. */
struct hg_static_route rig_route(const char *name, const char *pattern, bool domain, const char *hop,
                                 uint16_t priority, bool stateful, bool parallel);
void rig_routes(const struct hg_static_route *routes, uint32_t n);
/* A node with state where far.example.org goes to BOB (and CAROL, DAVE): one after the other, or at once. */
void rig_serial(unsigned hops, bool parallel);
/* After all timers nothing may be left; checks and closes as rig_close. */
void rig_nothing_left(void);
/* A request; branch and tags are derived from id. headers: further header lines, may be NULL. */
const char *rig_request(const char *method, const char *uri, const char *id, const char *headers);
/* From now on rig_answer answers this request. */
void rig_use_request(const char *request);
/* An answer to the last packet (a request that left), with a To tag. */
const char *rig_answer(const char *status_and_phrase, const char *tag, const char *headers);

#endif
