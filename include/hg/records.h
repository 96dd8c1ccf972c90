/* SPDX-License-Identifier: BSD-2-Clause */
/* Records on the rings: one to N consecutive 64-byte cells, {type, version, length, sequence} and fixed-width fields
 * or bytes; up to 64 KiB, longer ones chunked. */
#ifndef HG_RECORDS_H
#define HG_RECORDS_H

#include <assert.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "hg/limits.h"
#include "hg/user_key.h"

struct hg_record {
    uint16_t type;    /* enum hg_down or hg_up */
    uint8_t version;  /* of this type's layout, 1 */
    uint8_t flags;
    uint32_t length;  /* bytes with this header; the record takes (length + 63) / 64 cells */
    uint64_t seq;     /* down: per core, without gaps from 1 after each attach; up: per core */
};
static_assert(sizeof(struct hg_record) == 16, "wire format");

/* control plane -> core */
enum hg_down {
    HG_DOWN_BEGIN = 1,   /* resynchronisation starts: u64 generation */
    HG_DOWN_END,         /* ... and is complete: sweep what it did not mention */
    HG_DOWN_USERS,       /* n x {key, node}; node 0 deletes */
    HG_DOWN_NODE,        /* a node's index, endpoint, name; self flag */
    HG_DOWN_IMAGE,       /* a compiled route image: generation, size, name of its mapping */
    HG_DOWN_SETTING,     /* a reloadable configuration item: path and value as text */
    HG_DOWN_DRAIN,       /* u32 on/off */
    HG_DOWN_TRACE,       /* trace filter, limits; off */
    HG_DOWN_PING,        /* to be answered by applied_seq alone */
};

/* core -> control plane */
enum hg_up {
    HG_UP_LOG = 1,       /* log id, time, arguments */
    HG_UP_HOP_STATE,     /* hop slot, state */
    HG_UP_TRACE,         /* a traced message with addresses and time */
    HG_UP_READY,         /* listeners open */
    HG_UP_DRAINED,       /* no transaction left */
};

struct hg_down_begin {
    struct hg_record r;
    uint64_t generation;
};

struct hg_down_user {
    struct hg_user_key key;
    uint16_t node; /* 0: delete */
    uint16_t pad[3];
};

struct hg_down_users {
    struct hg_record r;
    uint32_t n;
    uint32_t pad;
    struct hg_down_user user[]; /* up to HG_DOWN_USERS_MAX */
};
#define HG_DOWN_USERS_MAX 64

struct hg_down_node {
    struct hg_record r;
    uint16_t node; /* 1 .. HG_NODES_MAX-1 */
    uint8_t present; /* 0: delete */
    uint8_t self;
    struct hg_endpoint sip;
    char name[HG_NODE_NAME_MAX + 1];
};

struct hg_down_image {
    struct hg_record r;
    uint64_t generation;
    uint64_t size;
    char name[64]; /* POSIX shared-memory name */
};

struct hg_down_setting {
    struct hg_record r;
    uint16_t path_len, value_len;
    char text[]; /* path, then value */
};

struct hg_down_drain {
    struct hg_record r;
    uint32_t on;
    uint32_t retry_after_s;
};

struct hg_up_log {
    struct hg_record r;
    uint64_t tsc;
    uint16_t id; /* enum hg_log_id */
    uint8_t args;
    uint8_t pad;
    uint32_t suppressed; /* of this id since the last one */
    char text[];         /* args: each a u8 length and bytes, already formatted and escaped */
};

struct hg_up_hop_state {
    struct hg_record r;
    struct hg_endpoint ep;
    uint16_t hop_slot;
    uint8_t state;
    uint8_t pad;
};

struct hg_up_trace {
    struct hg_record r;
    uint64_t tsc;
    struct hg_endpoint src, dst;
    uint8_t outgoing;
    uint8_t pad[7];
    uint32_t full_length; /* of the message; what follows may be cut */
    uint32_t pad2;
    char message[];
};

#endif
