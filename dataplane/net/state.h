/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of struct net and the calls between its steps. Private to this room (and its tests). */
#ifndef NET_STATE_H
#define NET_STATE_H

#include <stdalign.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "net/checksum.h"
#include "net/stage.h"

#define NET_BURST         32
#define NET_TX_MAX        2048 /* frames of one port between two takes */
#define NET_NONE          UINT16_MAX
#define NET_NIL           UINT32_MAX
#define NET_HEADROOM      176 /* before what is built here: 128 + 42 promised in datagram.h, rounded up */
#define NET_DATAGRAM_HEAD (128 + 42)
#define NET_PATHS         1024 /* path cache, direct mapped */
#define NET_PMTUS         256  /* path MTUs learned, direct mapped */
#define NET_WAIT_MAX      64   /* packets that wait for one neighbour */
#define NET_WAIT_TOTAL    1024 /* ... and for all */
#define NET_L2_MAX        18

enum net_timer {
    NET_TIMER_NEIGHBOUR = 1,
    NET_TIMER_REASSEMBLY = 2,
    NET_TIMER_ANNOUNCE = 3,
    NET_TIMER_SERVICE = 4,
    NET_TIMER_GATEWAY = 5
};

struct net_iface {
    uint16_t port, vlan, mtu, naddrs;
    uint8_t mac[6];
    bool has6;
    struct hg_ip link_local; /* fe80::/64 from the MAC; valid with has6 */
    struct hg_net addr[HG_ADDRS_MAX];
};

struct net_route {
    struct hg_net net;
    struct hg_ip gateway; /* meaningful when via is set */
    uint16_t iface;
    bool via, is4;
};

struct net_local { /* one of our addresses; open addressing, used != 0 */
    struct hg_ip ip;
    uint16_t iface;
    uint16_t used;
};

struct net_listener {
    struct hg_ip ip;
    uint16_t port; /* 0 = free slot */
};

/* One line of the path cache: all that a repeated destination needs. */
struct net_path_entry {
    struct hg_ip dst;
    uint64_t expires_ms; /* of a learned path MTU in it */
    uint32_t route_gen;  /* net->route_gen when it was found; 0 = empty */
    uint32_t neighbour;
    uint32_t neighbour_gen;
    uint16_t iface;
    uint16_t mtu;
};

struct net_pmtu {
    struct hg_ip dst;
    uint64_t expires_ms;
    uint16_t mtu; /* 0 = empty */
};

struct net_bucket {
    uint64_t ms;
    uint64_t milli; /* thousandths of a token */
};

enum neighbour_state {
    NEIGHBOUR_FREE,
    NEIGHBOUR_INCOMPLETE, /* asked, packets wait */
    NEIGHBOUR_REACHABLE,  /* confirmed lately */
    NEIGHBOUR_STALE,      /* believed until used again */
    NEIGHBOUR_PROBE,      /* used while stale: asked again, still believed */
    NEIGHBOUR_FAILED,     /* did not answer: packets are dropped at once for a while */
};

struct neighbour {
    alignas(64) struct hg_ip ip; /* this line is all that sending needs */
    uint32_t gen;                /* raised when the entry becomes somebody else's */
    uint16_t iface;
    uint8_t state, tries;
    uint8_t l2_len;
    uint8_t l2[NET_L2_MAX]; /* the whole Ethernet header towards it */
    uint16_t waiting;
    uint32_t wait_head, wait_tail;
    uint32_t next; /* in its hash chain or the free list */
    struct wheel_timer timer;
};

struct net_wait {
    struct rte_mbuf *m; /* at the IP header */
    uint32_t next;
};

/* A checksum of UDP or TCP that is still to be made: over a payload that was just written it would wait for
 * that. */
struct net_tx_sum {
    uint32_t sum;  /* of what stands before from, and of the pseudo header */
    uint16_t from; /* offset from which the frame is summed up; 0: nothing to do */
    uint16_t to;   /* where the checksum goes */
};

struct net_tx {
    struct rte_mbuf *frame[NET_TX_MAX];
    struct net_tx_sum sum[NET_TX_MAX];
    unsigned n, summed;
};

struct net_service { /* one service address of the cluster */
    struct net_local local;
    bool told;             /* by the last word of the control plane; else only remembered */
    bool held;             /* ours, as long as the lease lasts */
    uint8_t announcements; /* still to be made */
};

#define NET_GATEWAYS_MAX 64
struct net_gateway {
    struct hg_ip ip;
    uint16_t iface;
    uint64_t seen; /* TSC of its last answer */
};

/* 255.255.255.255 both, never judged well; a frame may well have zeros. */
#define NET_PAIR4_NONE UINT64_MAX
/* What the burst under way has shown of addresses: most of its frames have the same. */
struct net_known {
    uint64_t pair4; /* source and destination of an IPv4 packet, both judged well; NET_PAIR4_NONE: none yet */
    struct hg_ip ip;
    uint16_t port; /* of a listener on ip; 0: none yet */
};

struct reassembly;
struct net_control;

struct net {
    struct ctx *ctx;
    checksum_fn sum;
    uint64_t secret[2]; /* of all hash tables here */
    struct net_known known;
    struct segment *segment; /* where the next one of the burst goes */
    bool ready;
    uint16_t nports, nifaces;
    uint16_t ip4_ids;
    uint32_t route_gen;
    uint32_t listener_mask, local_mask;
    struct net_listener *listeners;
    struct net_local *locals;
    struct net_path_entry *paths;
    struct neighbour *neighbours;
    uint32_t *neighbour_heads;
    struct net_iface *ifaces;
    struct net_route *routes;
    uint32_t nroutes;
    uint32_t neighbours_max, neighbour_mask, neighbour_free, neighbour_hand, neighbours_used;
    uint16_t *vlan_iface[HG_PORTS_MAX]; /* by VLAN id: interface or NET_NONE */
    struct net_port port[HG_PORTS_MAX];
    struct net_tx tx[HG_PORTS_MAX];
    uint32_t room_small, room_big; /* data behind NET_HEADROOM in an mbuf of either pool */
    struct net_pmtu *pmtus;
    struct net_wait *waits;
    uint32_t wait_free;
    struct reassembly *reassembly;
    struct net_bucket icmp_bucket, request_bucket, mail_bucket, defend_bucket, mld_bucket;
    struct wheel_timer announce;
    uint8_t announcements; /* still to be made */
    uint64_t fence;        /* mark of an mbuf: leaves only while the lease lasts */
    bool service_was_over;
    unsigned nservice, nservice_ports, ngateways;
    struct net_service service[NET_SERVICE_MAX];
    uint16_t service_ports[HG_LISTENERS_MAX];
    struct wheel_timer service_timer, gateway_timer;
    struct net_gateway gateway[NET_GATEWAYS_MAX];
    struct net_control *control;
    unsigned nnews;
    struct net_icmp_news news[NET_ICMP_BOX];
    struct net_path_entry scratch; /* for what must not be cached */
};

/* One frame on its way up. Each step returns the id of the counter that tells its disposition; m == NULL then
 * means that the buffer went elsewhere, otherwise the caller frees it. */
struct frame {
    struct rte_mbuf *m;
    uint8_t *l2, *l3, *l4; /* l3 == NULL: reassembled, the original header is gone */
    uint32_t l3_len, l4_len;
    uint32_t next_at; /* IPv6: offset from l3 of the field that named proto */
    struct hg_ip src, dst;
    uint16_t port, iface, type;
    uint8_t ttl, proto;
    bool group; /* came to a group address of Ethernet or IP: never answered with an error */
    struct datagram *out;
};

/* eth_input.c */
#define ETH_GO_ON HG_COUNTERS_MAX
unsigned eth_input(struct net *net, struct frame *f); /* ETH_GO_ON: go on with f->type */
/* ip4_input.c, ip6_input.c */
unsigned ip4_input(struct net *net, struct frame *f);
unsigned ip6_input(struct net *net, struct frame *f);
void ip6_news(struct net *net, struct frame *f);       /* a copy of an ND packet */
unsigned ip_deliver(struct net *net, struct frame *f); /* f->proto, f->l4 */
bool ip_is_group(const struct hg_ip *ip);
bool ip6_group_is_ours(const struct net *net, uint16_t iface, const struct hg_ip *ip);
/* reassemble.c */
struct net_fragment {
    uint32_t id;
    uint32_t start; /* offset in bytes */
    bool more;
};
struct reassembly *reassembly_create(struct net *net, uint32_t datagrams, uint32_t pieces);
void reassembly_destroy(struct net *net);
/* HG_C_net_up_datagrams: f->m, f->l4, f->l4_len and f->proto are the whole datagram's, go on with it. */
unsigned reassemble(struct net *net, struct frame *f, const struct net_fragment *fragment);
void reassembly_timer(struct net *net);
uint32_t reassembly_waiting(const struct net *net);
/* arp.c, nd.c */
unsigned arp_input(struct net *net, struct frame *f);
void arp_news(struct net *net, struct frame *f);
void arp_request(struct net *net, const struct neighbour *n, bool unicast);
void arp_announce(struct net *net, uint16_t iface, const struct hg_ip *ip);
unsigned nd_input(struct net *net, struct frame *f);
void nd_news(struct net *net, struct frame *f);
void nd_solicit(struct net *net, const struct neighbour *n, bool unicast);
void nd_announce(struct net *net, uint16_t iface, const struct hg_ip *ip);
/* mld.c */
void mld_report(struct net *net, uint16_t iface);
unsigned mld_query(struct net *net, const struct frame *f);
/* icmp4.c, icmp6.c */
unsigned icmp4_input(struct net *net, struct frame *f);
unsigned icmp6_input(struct net *net, struct frame *f);
/* Errors about the packet at f->l3; may take f->m (sets it NULL). */
void icmp4_error(struct net *net, struct frame *f, uint8_t type, uint8_t code);
void icmp6_error(struct net *net, struct frame *f, uint8_t type, uint8_t code, uint32_t param);
bool icmp_allowed(struct net *net);
bool icmp_reuse(struct rte_mbuf *m, const uint8_t *from, uint32_t len);
unsigned icmp_echo(struct net *net, struct frame *f, uint8_t reply_type, uint8_t proto);
/* udp_input.c */
unsigned udp_input(struct net *net, struct frame *f);
const struct net_listener *listener_find(const struct net *net, const struct hg_ip *ip, uint16_t port);
/* tcp_input.c */
unsigned tcp_input_net(struct net *net, struct frame *f);
/* icmp_news.c: f is an ICMP message whose checksum is right */
void icmp4_news(struct net *net, const struct frame *f);
void icmp6_news(struct net *net, const struct frame *f);
/* neighbour.c */
bool neighbour_create(struct net *net, uint32_t max);
void neighbour_destroy(struct net *net);
uint32_t neighbour_find(const struct net *net, uint16_t iface, const struct hg_ip *ip);
/* For sending: found, or made and asked; NET_NIL = table full. */
uint32_t neighbour_want(struct net *net, uint16_t iface, const struct hg_ip *ip);
enum neighbour_news {
    NEWS_ANSWER = 1, /* a reply to somebody's question */
    NEWS_QUESTION,   /* a question for one of our addresses: may make an entry */
    NEWS_GOSSIP,     /* gratuitous: changes what is known, makes nothing */
};
/* true: worth telling the other cores */
bool neighbour_learn(struct net *net, uint16_t iface, const struct hg_ip *ip, const uint8_t mac[6],
                     enum neighbour_news news);
void neighbour_send(struct net *net, uint32_t index, struct rte_mbuf *m); /* m at the IP header */
void neighbour_tell(struct net *net, const struct frame *f);
void neighbour_check(struct net *net, struct neighbour *n); /* asks, although it may be known */
void neighbour_timer(struct net *net, struct neighbour *n);
void neighbour_port_down(struct net *net, uint16_t port);
static inline bool neighbour_usable(const struct neighbour *n)
{
    return n->state >= NEIGHBOUR_REACHABLE && n->state <= NEIGHBOUR_PROBE;
}
/* path.c */
bool path_routes_create(struct net *net, const struct hg_config *config);
const struct net_path_entry *path_get(struct net *net, const struct hg_ip *dst, const struct hg_ip *src);
void path_mtu_note(struct net *net, const struct hg_ip *dst, uint32_t mtu);
void path_forget(struct net *net); /* all that was found */
/* service.c */
bool service_create(struct net *net, const struct hg_config *config);
/* Held, and the lease lasts. */
const struct net_local *service_local(const struct net *net, const struct hg_ip *ip);
bool service_is_here(const struct net *net, uint16_t iface, const struct hg_ip *ip);
const struct net_listener *service_listener(const struct net *net, const struct hg_ip *ip, uint16_t port);
/* Marks what comes from a service address; false: it is not ours any more. */
bool service_may_send(struct net *net, struct rte_mbuf *m, const struct hg_ip *src);
void service_announce(struct net *net, const struct net_service *s);
void service_timer(struct net *net);
void fence_tx(struct net *net, struct net_tx *tx);
static inline bool net_fenced(const struct net *net, const struct rte_mbuf *m)
{
    return (m->ol_flags & net->fence) != 0;
}
/* control.c */
bool control_create(struct net *net, const struct hg_config *config);
void control_destroy(struct net *net);
bool control_is(const struct net *net, const struct hg_ip *ip, uint16_t port);
unsigned control_input(struct net *net, const struct frame *f, uint16_t src_port, uint32_t len);
/* gateway.c */
void gateway_timer(struct net *net);
void gateway_seen(struct net *net, const struct neighbour *n);
/* ip_output.c: m is flat and ours alone, data at the L4 header. Counts what it cannot send. */
void ip_send(struct net *net, struct rte_mbuf *m, const struct hg_ip *src, const struct hg_ip *dst,
             uint8_t proto, const struct net_path_entry *path);
#define NET_TTL 64
static inline uint8_t ip_traffic_class(const struct net *net)
{
    return (uint8_t)(net->ctx->config->dp_dscp << 2);
}
/* RFC 6864: unique among the cores of this node until the counter wraps. */
static inline uint16_t ip4_id(struct net *net)
{
    return rte_cpu_to_be_16((uint16_t)(net->ip4_ids++ * net->ctx->cores + net->ctx->core));
}
/* tx.c */
struct rte_mbuf *net_buffer(struct net *net, uint32_t len);        /* data_off at NET_HEADROOM, length len */
struct rte_mbuf *net_flatten(struct net *net, struct rte_mbuf *m); /* a copy; m is freed; NULL: no buffer */
bool net_reuse(struct rte_mbuf *m, uint32_t len);
void tx_put(struct net *net, uint16_t port, struct rte_mbuf *m);
/* What is missing in the frame is the checksum at to, over sum and everything from from on. */
void tx_put_unsummed(struct net *net, uint16_t port, struct rte_mbuf *m, uint32_t from, uint32_t to,
                     uint32_t sum);
uint8_t *tx_l2_header(const struct net_iface *iface, uint8_t *p, const uint8_t dst[6], uint16_t type);
bool bucket_take(struct net_bucket *b, uint64_t now_ms, uint32_t rate, uint32_t burst);
/* iface.c */
bool iface_create_all(struct net *net, const struct hg_config *config);
const struct net_local *local_find(const struct net *net, const struct hg_ip *ip);
/* Another host claims an address of ours: counted and told; true when it may be defended now, which is not
 * more than once in a while, so that two defenders do not flood the wire. */
bool address_contested(struct net *net, const struct hg_ip *ip);

static inline struct net_iface *net_iface_of(const struct net *net, uint16_t iface)
{
    return &net->ifaces[iface];
}

static inline void net_drop(struct net *net, unsigned id)
{
    ctx_count(net->ctx, id);
}

static inline uint64_t net_mix(uint64_t a, uint64_t b)
{
    __uint128_t r = (__uint128_t)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* Keyed, so that nobody outside can aim at one chain. */
static inline uint32_t net_hash(const struct net *net, const struct hg_ip *ip, uint32_t salt)
{
    uint64_t a, b;
    memcpy(&a, ip->b, 8);
    memcpy(&b, ip->b + 8, 8);
    return (uint32_t)net_mix(a ^ net->secret[0], b ^ net->secret[1] ^ (uint64_t)salt << 32);
}

#endif
