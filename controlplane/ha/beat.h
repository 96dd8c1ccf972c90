/* SPDX-License-Identifier: BSD-2-Clause */
/* A heartbeat on the wire (docs/ha.md): one datagram of fixed size, authenticated with a key that only the
 * nodes of the cluster have. The same datagram goes over the management network and, through the dataplane,
 * over the service network. Nothing in it is a time: clocks of two nodes are never compared. */
#ifndef CONTROLPLANE_HA_BEAT_H
#define CONTROLPLANE_HA_BEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BEAT_MAGIC   0x48474842u /* "HGHB" */
#define BEAT_VERSION 2           /* of this layout; another one is refused */
#define BEAT_MAC     32          /* HMAC-SHA256 */
#define BEAT_SIZE    184         /* with the MAC */
#define BEAT_TRAIN   1200        /* a datagram of a probe train: as large as the service network takes */

enum beat_kind {
    BEAT_ASK = 1, /* sent each interval, answered at once */
    BEAT_ANSWER,
    BEAT_WELCOME, /* to a start that has not proved yet that it lives; says nothing but its echo */
    BEAT_PROBE,   /* one of a train that measures throughput; padded to BEAT_TRAIN */
    BEAT_REPORT,  /* what such a train showed */
    BEAT_KINDS
};
enum beat_path { BEAT_MANAGEMENT, BEAT_SERVICE, BEAT_PATHS };

struct beat_key {
    uint8_t k[BEAT_MAC];
};

struct beat {
    enum beat_kind kind;
    enum beat_path path;
    uint8_t grants; /* bit per home slot: confirmed to the receiver, counted from the beat that is echoed */
    uint16_t from, to;            /* indexes of nodes */
    uint32_t protocol;            /* major version (ZZ18) */
    uint64_t boot, seq;           /* of the sender: one number per start, rising per receiver and path */
    uint64_t echo_boot, echo_seq; /* the beat of the receiver that is answered; 0 = none */
    /* what srm.h says, in an ASK or ANSWER */
    uint64_t order; /* rising over both paths */
    uint64_t term, rev, epoch;
    uint16_t row;
    uint32_t flags;                     /* of srm_beat_flags() */
    uint64_t services;                  /* bit per critical service: runs */
    uint64_t watched;                   /* bit per critical service: is watched */
    uint8_t load;                       /* of the sender's cores over the last minute, percent */
    uint64_t unresolved;                /* bit per index of a node: its name does not resolve there */
    uint64_t applied_term, applied_seq; /* of the record: in force on every core of the sender */
    uint32_t lease, span;               /* ms: by which the sender counts its own writes; of what it grants */
    uint32_t train, index; /* BEAT_PROBE: which train, which of it; BEAT_REPORT: which train, kbit/s;
                            * otherwise an order that is passed on (orders.h), or 0 */
};

/* The key of a cluster; two clusters with one secret have different ones. */
void beat_key_derive(const char *secret, const char *cluster, struct beat_key *out);
/* Hash of the cluster's name, in clear: tells a stranger from a forger. */
uint64_t beat_cluster(const char *cluster);

/* out has BEAT_SIZE bytes, or BEAT_TRAIN for BEAT_PROBE; returns how many were written. */
size_t beat_encode(const struct beat *beat, const struct beat_key *key, uint64_t cluster, uint8_t *out);

enum beat_result {
    BEAT_GOOD,
    BEAT_GARBLED, /* no heartbeat of this version */
    BEAT_FOREIGN, /* of another cluster */
    BEAT_FORGED,  /* the MAC is not ours */
};
enum beat_result beat_decode(const uint8_t *data, size_t len, const struct beat_key *key, uint64_t cluster,
                             struct beat *out);

#endif
