/* SPDX-License-Identifier: BSD-2-Clause */
/* Records on the rings: one to N consecutive 64-byte cells, {type, version, length, sequence} and fixed-width
 * fields or bytes; up to 64 KiB, longer ones chunked.
 *
 * Two lanes each way. The plain one carries tables, in order; a core lets it stand while an image is mapped
 * and while it sweeps. The urgent one carries what must not wait for that, the serving map and datagrams:
 * each of its records stands for itself, and it is numbered on its own. */
#ifndef HG_RECORDS_H
#define HG_RECORDS_H

#include <assert.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "hg/limits.h"
#include "hg/user_key.h"

struct hg_record {
    uint16_t type;   /* enum hg_down or hg_up */
    uint8_t version; /* of this type's layout, 1 */
    uint8_t flags;
    uint32_t length; /* bytes with this header; the record takes (length + 63) / 64 cells */
    uint64_t seq;    /* down: HG_SEQ(cp_epoch, n), n per core without gaps from 1 after each attach, so that
                        applied_seq never falls; up: per core, without gaps from 1 per dataplane start */
};
static_assert(sizeof(struct hg_record) == 16, "wire format");

#define HG_RECORD_VERSION  1
#define HG_RECORD_MAX      65536u
#define HG_SEQ_BITS        40
#define HG_SEQ(epoch, n)   ((uint64_t)(epoch) << HG_SEQ_BITS | (uint64_t)(n))
#define HG_SEQ_EPOCH(seq)  ((uint64_t)(seq) >> HG_SEQ_BITS)
#define HG_SEQ_NUMBER(seq) ((uint64_t)(seq) & ((1ull << HG_SEQ_BITS) - 1))

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
    HG_DOWN_SERVING,     /* urgent lane: the whole map home node -> serving node, in force at once */
    HG_DOWN_CONTACTS,    /* n x {key, contacts}; no contacts deletes */
    HG_DOWN_SERVICE,     /* the service addresses of a home node */
    HG_DOWN_CONNECTIONS, /* list, or end, the connections that match */
    HG_DOWN_DATAGRAM,    /* urgent lane: a datagram of the control plane's own for another node */
};

/* core -> control plane */
enum hg_up {
    HG_UP_LOG = 1,     /* log id, time, arguments */
    HG_UP_HOP_STATE,   /* hop slot, state */
    HG_UP_TRACE,       /* a traced message with addresses and time */
    HG_UP_READY,       /* listeners open */
    HG_UP_DRAINED,     /* no transaction left */
    HG_UP_CONNECTIONS, /* a page of them */
    HG_UP_RESYNC,      /* the core lost its place in the down ring: it wants everything again */
    HG_UP_DATAGRAM,    /* urgent lane: such a datagram from another node */
};

struct hg_down_begin {
    struct hg_record r;
    uint64_t generation;
};

struct hg_down_user {
    struct hg_user_key key;
    uint16_t node; /* home; 0: delete */
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
    uint16_t node;   /* 1 .. HG_NODES_MAX-1 */
    uint8_t present; /* 0: delete */
    uint8_t self;
    struct hg_endpoint sip;
    uint8_t pair; /* the other node of this one's subcluster, and high availability is on: a REGISTER of its
                     users is relayed, not redirected (H01 to H03) */
    uint8_t pad[7];
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

/* Which messages are copied up. All conditions given must hold; texts match as a part of what the message
 * has, a length of 0 matches anything. */
struct hg_down_trace {
    struct hg_record r;
    uint32_t on;      /* 0: stop, the rest is not looked at */
    uint32_t count;   /* messages of this core at most, then it stops by itself */
    uint32_t seconds; /* or after this time */
    uint32_t rate;    /* messages per second and core */
    uint32_t cut;     /* bytes of each message at most, 0 = HG_TRACE_CUT_MAX */
    uint8_t method_len, from_len, to_len, uri_len, call_id_len;
    uint8_t pad[3];
    struct hg_net peer; /* source or destination is in it; bits 0 = any */
    char method[32], from[128], to[128], uri[128], call_id[128];
};
static_assert(sizeof(struct hg_down_trace) == 608, "wire format");
#define HG_TRACE_CUT_MAX   8192
#define HG_TRACE_COUNT_MAX 1000
#define HG_TRACE_RATE_MAX  1000
#define HG_TRACE_TIME_MAX  3600

/* Which connections. All conditions given must hold. A later question takes the place of one under way. */
struct hg_down_connections {
    struct hg_record r;
    uint32_t id;         /* of the question, above 0; 0: none */
    uint32_t max;        /* rows of this core at most */
    struct hg_net peer;  /* bits 0: any */
    uint16_t listener;   /* index in dataplane.listeners; HG_LISTENER_ANY */
    uint8_t state;       /* enum hg_connection_state; HG_CONNECTION_ANY */
    uint8_t end;         /* 1: they are reset */
    uint64_t connection; /* this one; 0: any */
    uint32_t core;       /* of this core only; HG_CORE_ANY */
    uint32_t pad;
};
#define HG_CORE_ANY         0xffffffffu
#define HG_LISTENER_ANY     0xfffe /* 0xffff: those that were opened from here */
#define HG_CONNECTION_ANY   0xff
#define HG_CONNECTIONS_MAX  100000
#define HG_CONNECTIONS_PAGE 32

/* Names as `hgctl connections` has them, in the order of RFC 9293's life of a connection. */
#define HG_CONNECTION_STATES(X)                                                                              \
    X(closed)                                                                                                \
    X(syn_sent)                                                                                              \
    X(syn_received)                                                                                          \
    X(established)                                                                                           \
    X(close_wait)                                                                                            \
    X(fin_wait_1)                                                                                            \
    X(fin_wait_2)                                                                                            \
    X(closing)                                                                                               \
    X(last_ack)                                                                                              \
    X(time_wait)
enum hg_connection_state {
#define HG_STATE(name) HG_CONNECTION_##name,
    HG_CONNECTION_STATES(HG_STATE)
#undef HG_STATE
        HG_CONNECTION_STATES_N
};

struct hg_connection {
    uint64_t id; /* of its core */
    struct hg_endpoint local, remote;
    uint16_t listener; /* 0xffff: opened from here */
    uint8_t state;
    uint8_t orphan; /* its owner has closed it; it lingers */
    uint32_t srtt_us, cwnd, unacked, unread, retransmits;
    uint64_t bytes_in, bytes_out, age_ms, idle_ms;
};

struct hg_up_connections {
    struct hg_record r;
    uint32_t id;    /* of the question */
    uint32_t n;     /* rows here */
    uint32_t found; /* that matched so far */
    uint32_t done;  /* 1: this is the last page */
    struct hg_connection row[];
};

/* Whole: a home that is not in it has nobody. */
struct hg_down_serves {
    uint16_t home;    /* 1 .. HG_NODES_MAX-1, each at most once */
    uint16_t serving; /* 0: nobody, its users get 503 */
};

struct hg_down_serving {
    struct hg_record r;
    uint64_t epoch;
    uint32_t n;
    uint32_t pad;
    struct hg_down_serves map[]; /* up to HG_NODES_MAX-1 */
};

/* One contact, as it stands in records and tables (hg/contacts.h walks over them). */
struct hg_contact {
    struct hg_endpoint ep; /* where the URI leads, resolved by the control plane */
    uint16_t q;            /* thousandths, 0 .. 1000 */
    uint16_t uri_len;      /* 1 .. HG_CONTACT_URI_MAX */
    char uri[];            /* then zeros up to a multiple of 4 */
};

struct hg_down_contacts_user {
    struct hg_user_key key;
    uint16_t n; /* contacts, highest q first; 0: delete */
    uint16_t pad;
    uint32_t length; /* bytes of contacts that follow, then zeros up to a multiple of 8 */
};

struct hg_down_contacts {
    struct hg_record r;
    uint32_t n; /* users, up to HG_DOWN_CONTACTS_USERS */
    uint32_t pad;
    /* n x {struct hg_down_contacts_user, contacts} */
};
#define HG_DOWN_CONTACTS_USERS 32

struct hg_down_service {
    struct hg_record r;
    uint16_t home;
    uint16_t n; /* up to HG_SERVICE_MAX; 0: none any more */
    uint32_t pad;
    struct hg_net net[]; /* address with the prefix of its network */
};

/* Leaves core 0 from the address of the first listener and cluster.ha.service_port. */
struct hg_down_datagram {
    struct hg_record r;
    struct hg_endpoint dst;
    uint32_t length; /* up to HG_DATAGRAM_MAX */
    char data[];
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
#define HG_LOG_ARGS_MAX 6
#define HG_LOG_ARG_MAX  120

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
    uint32_t suppressed;  /* matching messages not copied since the last one: rate or ring */
    char message[];
};

/* Came from the address of a node to cluster.ha.service_port. Whether that node sent it is for the reader to
 * verify. */
struct hg_up_datagram {
    struct hg_record r;
    uint64_t tsc; /* of the turn that received it */
    struct hg_endpoint src;
    uint32_t length; /* up to HG_DATAGRAM_MAX */
    char data[];
};

static_assert(sizeof(struct hg_down_user) == 24, "wire format");
static_assert(sizeof(struct hg_down_users) == 24, "wire format");
static_assert(sizeof(struct hg_down_node) == 304, "wire format");
static_assert(sizeof(struct hg_down_image) == 96, "wire format");
static_assert(sizeof(struct hg_down_setting) == 24, "wire format"); /* text starts at 20 */
static_assert(sizeof(struct hg_down_serving) == 32, "wire format");
static_assert(sizeof(struct hg_contact) == 24, "wire format");
static_assert(sizeof(struct hg_down_contacts_user) == 24, "wire format");
static_assert(sizeof(struct hg_down_contacts) == 24, "wire format");
static_assert(sizeof(struct hg_down_service) == 24, "wire format");
static_assert(sizeof(struct hg_down_datagram) == 40, "wire format");
static_assert(sizeof(struct hg_up_datagram) == 48, "wire format");
static_assert(sizeof(struct hg_down_connections) == 64, "wire format");
static_assert(sizeof(struct hg_connection) == 104, "wire format");
static_assert(sizeof(struct hg_up_connections) == 32, "wire format");
static_assert(sizeof(struct hg_up_log) == 32, "wire format");
static_assert(sizeof(struct hg_up_hop_state) == 40, "wire format");
static_assert(sizeof(struct hg_up_trace) == 80, "wire format");

#endif
