/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration of a node, as loaded from heliograph.cfg. Single values come from config_items.def; what
 * occurs many times stands in the lists below. Read-only once loaded; a reload makes a new one. */
#ifndef HG_CONFIG_H
#define HG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "hg/endpoint.h"
#include "hg/limits.h"
#include "hg/static_route.h"

struct hg_config_iface { /* dataplane.ports[].interfaces[] */
    uint16_t vlan;       /* 0 = untagged */
    uint16_t mtu;        /* 0 = the port's */
    uint16_t naddrs;
    struct hg_net addr[HG_ADDRS_MAX]; /* address with its prefix length: a connected route each */
    struct hg_ip gateway4, gateway6;  /* all zero = none */
};

struct hg_config_port {   /* dataplane.ports[] */
    char device[256];     /* PCI address or vdev string, for example "net_af_packet0,iface=veth0" */
    uint16_t rx_queues;   /* 0 = one per core where the port has them */
    uint16_t descriptors; /* of each queue, default 1024 */
    uint16_t nifaces;
    struct hg_config_iface iface[HG_IFACES_MAX];
};

struct hg_config_static { /* dataplane.routes[]: IP routes beyond the connected ones and gateways */
    struct hg_net net;
    struct hg_ip gateway;
};

/* What speaks on a listener: the words of dataplane.listeners[].service, in their order. */
enum hg_service { HG_SERVICE_SIP = 0, HG_SERVICE_ECHO = 1 };

struct hg_config_listener { /* dataplane.listeners[] */
    struct hg_endpoint ep;
    uint8_t service;          /* enum hg_service */
    uint32_t connections_max; /* of each core; 0: as many as dataplane.tcp.connections_max lets */
    uint8_t client_auth;      /* of TLS: enum hg_client_auth */
    char alpn[HG_ALPN_MAX + 1];
};

/* The words of dataplane.listeners[].client_auth, in their order. */
enum hg_client_auth { HG_CLIENT_AUTH_NONE = 0, HG_CLIENT_AUTH_ASK = 1, HG_CLIENT_AUTH_REQUIRE = 2 };

struct hg_config_certificate { /* dataplane.tls.certificates[] */
    char chain[HG_FILE_MAX + 1], key[HG_FILE_MAX + 1];
    uint16_t nnames;
    char name[HG_CERTIFICATE_NAMES][HG_HOST_MAX + 1];
};

struct hg_config_access { /* cluster.access[] (networks) */
    struct hg_net net;
};

struct hg_config_neighbour { /* cluster.neighbours[]: known peers by address, host name or domain (K11) */
    char host[HG_HOST_MAX + 1];
    uint32_t rate, burst; /* own bucket, 0 = exempt */
};

struct hg_config_node { /* cluster.nodes[]: the other nodes, until the cluster's record brings them */
    char name[HG_NODE_NAME_MAX + 1];
    struct hg_endpoint sip;
};

struct hg_config {
#define HG_INT(field, path, def, min, max, unit, scope, reload, doc) int64_t field;
#define HG_BOOL(field, path, def, scope, reload, doc)                bool field;
#define HG_STR(field, path, def, max, scope, reload, doc)            char field[(max) + 1];
#define HG_ENUM(field, path, def, words, scope, reload, doc)         int field;
#include "hg/config_items.def"
#undef HG_INT
#undef HG_BOOL
#undef HG_STR
#undef HG_ENUM
    /* lists, allocated by the loader */
    uint32_t nports, nstatics, nlisteners, naccess, nneighbours, nnodes, nroutes, ntemplates, naliases,
        nsentinels, ncertificates;
    struct hg_config_port *ports;
    struct hg_config_static *statics;
    struct hg_config_listener *listeners;
    struct hg_config_access *access;
    struct hg_config_neighbour *neighbours;
    struct hg_config_node *nodes;
    struct hg_static_route *routes;         /* cluster.routes[] */
    char (*templates)[HG_PATTERN_MAX + 1];  /* cluster.route_embed_templates[] (L21) */
    char (*aliases)[HG_HOST_MAX + 1];       /* cluster.domain_aliases[] */
    char (*sentinels)[HG_SENTINEL_MAX + 1]; /* node.redis.sentinels[], address:port */
    struct hg_config_certificate *certificates;
    struct hg_config_source *source; /* file and lines, for hg_config_show */
};

#define HG_POLLING_BUSY     0
#define HG_POLLING_ADAPTIVE 1

/* All errors at once, each as "file:line: path: what was wrong; expected form" on errors (may be NULL).
 * Returns a new configuration, or NULL if there was any error. */
struct hg_config *hg_config_load(const char *file, FILE *errors);
/* The same from memory; name stands for the file in messages. */
struct hg_config *hg_config_parse(const char *text, size_t len, const char *name, FILE *errors);
/* Rules between values, said as by hg_config_load: how many are broken. */
unsigned hg_config_check(const struct hg_config *config, FILE *errors);
struct hg_config *hg_config_defaults(void);
void hg_config_free(struct hg_config *config);
struct hg_config *hg_config_copy(const struct hg_config *config);
/* As the text of a file: what a file says, or what is not its default. Secrets are not masked. */
void hg_config_write(const struct hg_config *config, FILE *out);
/* One list ("cluster.access") as it stands in a file, and back; false: no list of cluster{}, or malformed. */
void hg_config_write_list(const struct hg_config *config, const char *path, FILE *out);
bool hg_config_put_list(struct hg_config *config, const char *path, const char *text);
/* One reloadable item, by path and value as text, into an existing configuration (HG_DOWN_SETTING). NULL =
 * done, else a message that says the expected form. */
const char *hg_config_set(struct hg_config *config, const char *path, const char *value);
/* Where others send SIP to this node: its first listener for SIP over UDP. NULL: none. */
static inline const struct hg_endpoint *hg_config_first_sip(const struct hg_config *config)
{
    for (uint32_t i = 0; i < config->nlisteners; i++)
        if (config->listeners[i].ep.proto == HG_UDP && config->listeners[i].service == HG_SERVICE_SIP)
            return &config->listeners[i].ep;
    return NULL;
}
/* "2-5,8" to CPU numbers in the order written: how many, or -1. */
int hg_config_cpus(const char *list, uint16_t cpus[HG_CORES_MAX]);
/* What is valid, and yet does not do what its author may hope: one line each, "FILE:LINE: PATH: warning:
 * ...". */
void hg_config_warn(const struct hg_config *config, FILE *out);
/* The longest text of one list that goes into the cluster's record. */
#define HG_CONFIG_LIST_BYTES (1024 * 1024)

/* Times of high availability that do not fit together (D35 and the like), in one unit, whichever it is. */
struct hg_ha_times {
    uint64_t interval, timeout, init_timeout, lease, guard;
};
typedef void hg_ha_times_fn(void *arg, const char *item, const char *text);
void hg_ha_times_check(const struct hg_ha_times *times, hg_ha_times_fn *fn, void *arg);

/* Where an item was given, for messages: "FILE:LINE: PATH", or the path alone where it was not. */
void hg_config_where(const struct hg_config *config, const char *path, char *out, size_t size);

/* One value as `hgctl config show` has it; the texts live as long as the call. Secrets are masked. */
struct hg_config_entry {
    const char *path; /* elements of lists: "cluster.routes[0].name" */
    const char *value;
    const char *def;  /* "" where an element has to say it */
    const char *file; /* NULL = default */
    uint32_t line;
    const char *unit;
    const char *doc;
    bool cluster; /* scope */
    bool reload;  /* a reload applies it */
};
typedef void hg_config_entry_fn(void *arg, const struct hg_config_entry *entry);
void hg_config_show(const struct hg_config *config, hg_config_entry_fn *fn, void *arg);

/* What differs from one configuration to another: fn gets the entry of `to`, with def = the value in `from`.
 * An element that only one of them has is given with NULL as the missing value. Elements with names are
 * compared by name, and stand in the path by it ("cluster.routes[gw1].weight"). Long lists end in one entry
 * that counts the rest ("cluster.routes[...]"), here and in hg_config_show. Compares secrets, shows them
 * masked. */
void hg_config_diff(const struct hg_config *from, const struct hg_config *to, hg_config_entry_fn *fn,
                    void *arg);

#endif
