/* SPDX-License-Identifier: BSD-2-Clause */
/* Static routes validated and compiled into an image for the cores. A bad route costs only itself: it is left
 * out with a reason, the rest compiles. Nothing here does I/O except routes_publish and routes_retire; names
 * come resolved. No call may run beside another one on the same struct routes; a compilation may run on
 * another thread. */
#ifndef ROUTES_ROUTES_H
#define ROUTES_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/config.h"
#include "hg/endpoint.h"
#include "hg/static_route.h"

struct routes;

/* node: names the mappings "/hg-<node>-routes-<n>"; slots: routes that may have counters of their own
 * (dataplane.routes_max), the others share slot 0. first_generation: larger than any that a core may still
 * hold, for example the time in microseconds. */
struct routes *routes_create(const char *node, uint32_t slots, uint64_t first_generation);
void routes_destroy(struct routes *routes); /* the mappings stay: a dataplane may come back for them */

/* ---- names (L11, L12, L28, K11) ---- */
enum routes_kind { /* A and AAAA, or (port 0) SRV _sip._udp.NAME, _sip._tcp.NAME, _sips._tcp.NAME (RFC
                      3263 4.2) */
                   ROUTES_ADDRESSES,
                   ROUTES_SRV,
                   ROUTES_SRV_TCP,
                   ROUTES_SRV_TLS
};
uint8_t routes_kind(const struct hg_static_route *route);
const char *routes_srv_labels(uint8_t kind); /* "_sip._udp." */
struct routes_name {                         /* to be resolved */
    char name[HG_HOST_MAX + 1];              /* lower case, without the root's dot */
    uint8_t kind;                            /* enum routes_kind */
};
struct routes_address { /* one answer; addresses: port 0, priority 0, weight 1 */
    struct hg_ip ip;
    uint16_t port, priority, weight;
};
struct routes_resolved { /* a name with its answers; n 0: it does not resolve, or not yet */
    char name[HG_HOST_MAX + 1];
    uint8_t kind;
    bool pending; /* not answered yet */
    uint32_t n;
    const struct routes_address *address;
};

struct routes_input {
    const struct hg_config
        *config; /* routes of the file, templates, domains, listeners, access, neighbours */
    const struct hg_static_route *admin;
    uint32_t nadmin;
    const struct hg_config_node *nodes; /* the other nodes of the cluster */
    uint32_t nnodes;
    const struct routes_resolved *resolved; /* in any order */
    uint32_t nresolved;
};

/* Every name that the input needs, each once: *out is allocated, for free(). Returns how many, -1 without
 * memory. */
int64_t routes_names(const struct routes_input *input, struct routes_name **out);

/* ---- compiling ---- */
enum routes_state {
    ROUTES_ACTIVE,
    ROUTES_OUT_OF_SERVICE, /* in_service is false (L19) */
    ROUTES_NO_TRANSPORT,   /* TLS, until it is there */
    ROUTES_UNRESOLVED,     /* the next hop's name has no address */
    ROUTES_REFUSED,        /* not enabled, see the reason */
    ROUTES_STATES
};
enum routes_reason {
    ROUTES_GOOD,
    ROUTES_SWITCHED_OFF,
    ROUTES_TRANSPORT,
    ROUTES_RESOLVING,  /* asked, no answer yet */
    ROUTES_NO_ADDRESS, /* answered, without an address */
    ROUTES_NAME_EMPTY,
    ROUTES_NAME_TAKEN,  /* by an earlier route; those of the file are first */
    ROUTES_PATTERN,     /* the pattern or its template */
    ROUTES_TOO_MANY,    /* the 101st with this pattern (L03) */
    ROUTES_NEXT_HOP,    /* neither a name nor an address (ZZ04) */
    ROUTES_SRV_ADDRESS, /* port 0 asks for SRV records of an address */
    ROUTES_FIELD,       /* priority, weight, type or protocol out of range */
    ROUTES_HOPS_FULL,   /* more next hops than there is room for */
    ROUTES_FORMS,       /* more lengths before the asterisk than one look-up may try */
};
struct routes_status {
    uint8_t state, reason;
    uint8_t nhops; /* endpoints it leads to */
    uint8_t pad;
    uint32_t slot;     /* of route_stats; 0: shared */
    uint32_t position; /* of its pattern in the order of specificity, from 0; UINT32_MAX: not in the image */
};

struct routes_result {
    uint64_t generation;
    const void *image; /* the compiled image in private memory */
    uint64_t size;
    uint32_t n; /* config->nroutes + nadmin, those of the file first */
    const struct routes_status *status;
    uint32_t count[ROUTES_STATES];
    uint32_t patterns, hops, neighbours, networks;
    uint32_t neighbours_unresolved;
    bool slots_full; /* some active routes share counters */
};

/* NULL when there is no memory: the compilation before stays valid. Else valid until the next one. */
const struct routes_result *routes_compile(struct routes *routes, const struct routes_input *input);

/* The last compilation into a mapping of its own that cores may open by name. false: errno and a message. */
bool routes_publish(struct routes *routes, char name[64], char *why, size_t size);
/* Removes the names of all mappings older than generation; cores that still have one mapped keep it. */
void routes_retire(struct routes *routes, uint64_t generation);
/* At start: removes what a control plane of this node that died has left, except the mapping named keep (or
 * NULL). */
void routes_clean(const char *node, const char *keep);

const char *routes_state_name(uint8_t state); /* "active", "out of service", ... */
/* The reason as a sentence: what, where, what to do. Returns out. */
char *routes_reason(const struct routes_input *input, const struct hg_static_route *route,
                    const struct routes_status *status, char *out, size_t size);

/* ---- numbers that the counters need ---- */
/* The endpoint behind a hop slot of the last compilation; false: unused. */
bool routes_hop(const struct routes *routes, uint16_t slot, struct hg_endpoint *out);
uint32_t routes_hops_end(const struct routes *routes); /* highest hop slot + 1 */

/* ---- explain (hgctl route explain) ---- */
enum routes_explanation {
    ROUTES_WINS,     /* is tried first, or shares the first place by weight */
    ROUTES_FOLLOWS,  /* is tried when what stands before it failed */
    ROUTES_HIDDEN,   /* matches, but a route before it ends the search */
    ROUTES_UNUSABLE, /* matches, but is out of service, has no transport, ... */
    ROUTES_NO_MATCH, /* its pattern does not match */
    ROUTES_LEFT_OUT, /* refused when it was compiled */
};
struct routes_explained {
    uint32_t index; /* into status */
    uint8_t what;   /* enum routes_explanation */
    uint32_t rank;  /* place in the order of trying, from 1; 0 = none */
    const char *text;
};
/* Matching routes first in the order in which they are tried, then all others. user: unescaped. hop_down may
 * be NULL; arg goes to both calls. Returns what a core would say: 'f' found, 'b' blocked, 'n' nothing usable.
 * Needs a compilation of the same input. */
char routes_explain(struct routes *routes, const struct routes_input *input, struct slice user,
                    struct slice host, bool (*hop_down)(void *arg, uint16_t hop_slot),
                    void (*tell)(void *arg, const struct routes_explained *), void *arg);

#endif
