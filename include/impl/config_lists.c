/* SPDX-License-Identifier: BSD-2-Clause */
#include "impl/config_table.h"

#define SIZE(type, member)  sizeof(((type *)0)->member)
#define PLACE(type, member) .offset = offsetof(type, member), .size = SIZE(type, member)
#define M_INT(type, member, name_, def_, min_, max_, unit_, doc_)                                            \
    {                                                                                                        \
        .name = name_, .kind = CONFIG_INT, PLACE(type, member), .def = def_, .min = min_, .max = max_,       \
        .unit = unit_, .doc = doc_, .expected = "an integer from " #min_ " to " #max_                        \
    }
#define M_BOOL(type, member, name_, def_, doc_)                                                              \
    {                                                                                                        \
        .name = name_, .kind = CONFIG_BOOL, PLACE(type, member), .def = def_, .doc = doc_,                   \
        .expected = "true or false"                                                                          \
    }
#define M_TEXT(type, member, name_, form_, required_, doc_)                                                  \
    {                                                                                                        \
        .name = name_, .kind = CONFIG_TEXT, .form = form_, PLACE(type, member), .text = "",                  \
        .max = SIZE(type, member) - 1, .doc = doc_, .expected = "a string", .empty = !(required_),           \
        .required = required_                                                                                \
    }
#define M_ENUM(type, member, name_, def_, words_, doc_)                                                      \
    {                                                                                                        \
        .name = name_, .kind = CONFIG_ENUM, PLACE(type, member), .text = def_, .words = words_, .doc = doc_, \
        .expected = "one of " words_                                                                         \
    }
#define M_OTHER(type, member, name_, kind_, required_, doc_, expected_)                                      \
    {                                                                                                        \
        .name = name_, .kind = kind_, PLACE(type, member), .text = "", .doc = doc_, .expected = expected_,   \
        .empty = !(required_), .required = required_                                                         \
    }
#define M_LIST(name_, list_, doc_)                                                                           \
    {                                                                                                        \
        .name = name_, .kind = CONFIG_LIST, .list = list_, .doc = doc_, .expected = "a list"                 \
    }
#define FIELDS(array) .field = array, .fields = sizeof(array) / sizeof(array[0])

#define NETWORK_FORM "a network without host bits, such as 192.0.2.0/24 or 2001:db8::/32, or one address"
#define ADDRESS_FORM "an address with its prefix length, such as 192.0.2.2/24 or 2001:db8::2/64"

static const struct config_field address_field[] = {
    {.kind = CONFIG_ADDRESS,
     .size = sizeof(struct hg_net),
     .doc = "Address of this node with its prefix length; a connected route each.",
     .expected = ADDRESS_FORM},
};

static const struct config_list address_list = {
    .name = "addresses",
    FIELDS(address_field),
    .element = sizeof(struct hg_net),
    .offset = offsetof(struct hg_config_iface, addr),
    .count_offset = offsetof(struct hg_config_iface, naddrs),
    .count_size = sizeof(uint16_t),
    .min = 1,
    .max = HG_ADDRS_MAX,
    .inner = true,
};

#define IFACE struct hg_config_iface
static const struct config_field iface_fields[] = {
    M_INT(IFACE, vlan, "vlan", 0, 0, 4094, "", "VLAN of the interface; 0 = untagged."),
    M_INT(IFACE, mtu, "mtu", 0, 0, 9600, "bytes", "Largest IP packet; 0 = the port's."),
    M_LIST("addresses", &address_list, "Addresses of this node on the interface."),
    M_OTHER(IFACE, gateway4, "gateway4", CONFIG_IP, false, "Default gateway for IPv4.", "an IPv4 address"),
    M_OTHER(IFACE, gateway6, "gateway6", CONFIG_IP, false, "Default gateway for IPv6.", "an IPv6 address"),
};

static const struct config_list iface_list = {
    .name = "interfaces",
    FIELDS(iface_fields),
    .element = sizeof(IFACE),
    .offset = offsetof(struct hg_config_port, iface),
    .count_offset = offsetof(struct hg_config_port, nifaces),
    .count_size = sizeof(uint16_t),
    .min = 1,
    .max = HG_IFACES_MAX,
    .inner = true,
};

#define PORT struct hg_config_port
static const struct config_field port_fields[] = {
    M_TEXT(PORT, device, "device", FORM_TOKEN, true,
           "PCI address (0000:03:00.0) or virtual device with its arguments (net_af_packet0,iface=veth0)."),
    M_INT(PORT, rx_queues, "rx_queues", 0, 0, 64, "",
          "Queue pairs; 0 = one per core where the port has them."),
    M_INT(PORT, descriptors, "descriptors", 1024, 64, 16384, "", "Descriptors of each queue."),
    M_LIST("interfaces", &iface_list, "What the port carries, one for each VLAN."),
};

#define STATIC struct hg_config_static
static const struct config_field static_fields[] = {
    M_OTHER(STATIC, net, "network", CONFIG_NETWORK, true, "Network that is reached by the gateway.",
            NETWORK_FORM),
    M_OTHER(STATIC, gateway, "gateway", CONFIG_IP, true, "Next router, inside a connected network.",
            "an IP address"),
};

#define LISTENER struct hg_config_listener
static const struct config_field listener_fields[] = {
    M_OTHER(LISTENER, ep.ip, "address", CONFIG_IP, true, "One of this node's addresses.", "an IP address"),
    M_INT(LISTENER, ep.port, "port", 5060, 1, 65535, "", "Port."),
    M_ENUM(LISTENER, ep.proto, "protocol", "udp", "udp|tcp|tls",
           "Transport; tls needs dataplane.tls.certificates."),
    M_ENUM(LISTENER, service, "service", "sip", "sip|echo",
           "What speaks there: SIP, or a service that sends back what it gets and answers an HTTP GET with a "
           "page "
           "(TCP only; for labs and benchmarks, open to everybody)."),
    M_INT(LISTENER, connections_max, "connections_max", 0, 0, 100000000, "per core",
          "Connections of this listener at most; 0 = as many as dataplane.tcp.connections_max lets."),
    M_ENUM(LISTENER, client_auth, "client_auth", "none", "none|ask|require",
           "Whether a client by TLS is asked for its certificate: ask takes whatever it shows, and what is "
           "trusted tells who it is; require refuses a client without a trusted one (dataplane.tls.trust)."),
    M_TEXT(LISTENER, alpn, "alpn", FORM_TOKEN, false,
           "Application protocols by TLS (RFC 7301), separated by commas, the best first: a client that "
           "offers others only is refused. Empty: not looked at."),
};

static const struct config_field listener_brief =
    M_OTHER(LISTENER, ep, NULL, CONFIG_ENDPOINT, true, "Address and port.",
            "an endpoint such as 192.0.2.2:5060 or [2001:db8::2]:5060");

static const struct config_field access_field[] = {
    {.kind = CONFIG_NETWORK,
     .size = sizeof(struct hg_net),
     .doc = "Network whose hosts may send requests.",
     .expected = NETWORK_FORM},
};

#define NEIGHBOUR struct hg_config_neighbour
static const struct config_field neighbour_fields[] = {
    M_TEXT(NEIGHBOUR, host, "host", FORM_PEER, true, "Address, host name or domain of a known peer (K11)."),
    M_INT(NEIGHBOUR, rate, "rate", 0, 0, 10000000, "datagrams per second",
          "A token bucket of its own on each core; 0 = exempt from limits."),
    M_INT(NEIGHBOUR, burst, "burst", 0, 0, 10000000, "datagrams",
          "Depth of that bucket; 0 = twice the rate."),
};

static const struct config_field neighbour_brief = {
    .kind = CONFIG_TEXT,
    .form = FORM_PEER,
    PLACE(NEIGHBOUR, host),
    .max = HG_HOST_MAX,
    .expected = "a string",
};

#define NODE struct hg_config_node
static const struct config_field node_fields[] = {
    M_TEXT(NODE, name, "name", FORM_NODE, true, "Name of the other node (B02)."),
    M_OTHER(NODE, sip, "sip", CONFIG_ENDPOINT, true, "Where it takes SIP over UDP.",
            "an endpoint such as 192.0.2.3:5060 or [2001:db8::3]:5060"),
};

#define ROUTE struct hg_static_route
static const struct config_field route_fields[] = {
    M_TEXT(ROUTE, name, "name", FORM_TOKEN, true, "Name of the route, unique over file and administrator."),
    M_TEXT(ROUTE, pattern, "pattern", FORM_TOKEN, true,
           "Destination pattern (L02-L09): user part or domain, `.` one character, `*` many, `\\*` a literal "
           "asterisk."),
    M_TEXT(ROUTE, description, "description", FORM_ANY, false, "For people (L10)."),
    M_TEXT(ROUTE, next_hop, "next_hop", FORM_NEXT_HOP, true, "Where matching requests go (L11)."),
    M_INT(ROUTE, port, "port", 5060, 0, 65535, "", "Port of the next hop; 0 = found by DNS SRV (L12)."),
    M_ENUM(ROUTE, type, "type", "user", "user|domain", "What the pattern is compared with (L13)."),
    M_ENUM(ROUTE, proto, "protocol", "tcp", "udp|tcp|tls",
           "Transport to the next hop (L14). Routes by TLS load, and stay out of service for now."),
    M_INT(ROUTE, priority, "priority", 1, 1, 65535, "", "Lower is tried first (L15)."),
    M_INT(ROUTE, weight, "weight", 1, 1, 65535, "", "Share among routes of one priority (L16)."),
    M_BOOL(ROUTE, less_specific, "less_specific", true, "Allow a less specific route after this one (L18)."),
    M_BOOL(ROUTE, in_service, "in_service", true, "Take part in routing (L19)."),
    M_BOOL(ROUTE, block, "block", false, "Refuse matching requests instead of forwarding them (L20)."),
    M_BOOL(ROUTE, stateful, "stateful", true, "Forward as a transaction-stateful proxy."),
    M_BOOL(ROUTE, parallel, "parallel", false, "Try all routes of one priority at once."),
};

static const struct config_field template_field[] = {
    {.kind = CONFIG_TEXT,
     .form = FORM_TOKEN,
     .size = HG_PATTERN_MAX + 1,
     .max = HG_PATTERN_MAX,
     .text = "",
     .doc = "Route embed template (L21-L27), such as 74..78xxxxx*.",
     .expected = "a string"},
};

static const struct config_field alias_field[] = {
    {.kind = CONFIG_TEXT,
     .form = FORM_PEER,
     .size = HG_HOST_MAX + 1,
     .max = HG_HOST_MAX,
     .text = "",
     .doc = "Further domain, host name or address that means this cluster.",
     .expected = "a string"},
};

static const struct config_field sentinel_field[] = {
    {.kind = CONFIG_TEXT,
     .form = FORM_ENDPOINT,
     .size = HG_SENTINEL_MAX + 1,
     .max = HG_SENTINEL_MAX,
     .text = "",
     .doc = "Address and port of a Sentinel.",
     .expected = "a string"},
};

static const struct config_field certificate_name_field[] = {
    {.kind = CONFIG_TEXT,
     .form = FORM_TOKEN,
     .size = HG_HOST_MAX + 1,
     .max = HG_HOST_MAX,
     .text = "",
     .doc = "Name that a client asks for (SNI); the leftmost label may be a star.",
     .expected = "a string"},
};

static const struct config_list certificate_names = {
    .name = "names",
    FIELDS(certificate_name_field),
    .element = HG_HOST_MAX + 1,
    .offset = offsetof(struct hg_config_certificate, name),
    .count_offset = offsetof(struct hg_config_certificate, nnames),
    .count_size = sizeof(uint16_t),
    .max = HG_CERTIFICATE_NAMES,
    .inner = true,
};

#define CERTIFICATE struct hg_config_certificate
static const struct config_field certificate_fields[] = {
    M_TEXT(CERTIFICATE, chain, "chain", FORM_PATH, true,
           "PEM file with the certificate of this node and the chain behind it."),
    M_TEXT(CERTIFICATE, key, "key", FORM_PATH, true, "PEM file with its private key, without a passphrase."),
    M_LIST("names", &certificate_names,
           "Names by which a client chooses it (SNI); none: those in the certificate."),
};

#define TOP(pointer, count_)                                                                                 \
    .element = sizeof(*((struct hg_config *)0)->pointer), .offset = offsetof(struct hg_config, pointer),     \
    .count_offset = offsetof(struct hg_config, count_), .count_size = sizeof(uint32_t)

const struct config_list config_lists[CONFIG_LISTS_N] = {
    [CONFIG_PORTS] = {.name = "dataplane.ports",
                      FIELDS(port_fields),
                      TOP(ports, nports),
                      .max = HG_PORTS_MAX,
                      .doc = "DPDK ports with their interfaces and addresses."},
    [CONFIG_STATICS] = {.name = "dataplane.routes",
                        FIELDS(static_fields),
                        TOP(statics, nstatics),
                        .max = 1024,
                        .doc = "IP routes beyond the connected networks and the gateways."},
    [CONFIG_LISTENERS] = {.name = "dataplane.listeners",
                          FIELDS(listener_fields),
                          TOP(listeners, nlisteners),
                          .brief = &listener_brief,
                          .max = HG_LISTENERS_MAX,
                          .doc = "Where SIP is taken, by each transport."},
    [CONFIG_ACCESS] = {.name = "cluster.access",
                       FIELDS(access_field),
                       TOP(access, naccess),
                       .max = 65536,
                       .cluster = true,
                       .reload = true,
                       .doc = "Networks whose hosts may send requests; closed to everybody else (K11)."},
    [CONFIG_NEIGHBOURS] =
        {.name = "cluster.neighbours",
         FIELDS(neighbour_fields),
         TOP(neighbours, nneighbours),
         .brief = &neighbour_brief,
         .max = 65536,
         .cluster = true,
         .reload = true,
         .doc = "Known peers, by address or name: they may send, and have limits of their own (K11)."},
    [CONFIG_NODES] = {.name = "cluster.nodes",
                      FIELDS(node_fields),
                      TOP(nodes, nnodes),
                      .max = HG_NODES_MAX - 2,
                      .cluster = true,
                      .reload = true,
                      .doc = "The other nodes of the cluster."},
    [CONFIG_ROUTES] = {.name = "cluster.routes",
                       FIELDS(route_fields),
                       TOP(routes, nroutes),
                       .max = HG_ROUTES_MAX,
                       .cluster = true,
                       .reload = true,
                       .doc = "Static routes. `hgctl route add` keeps further ones in the cluster's record."},
    [CONFIG_TEMPLATES] = {.name = "cluster.route_embed_templates",
                          FIELDS(template_field),
                          TOP(templates, ntemplates),
                          .max = HG_TEMPLATES_MAX,
                          .cluster = true,
                          .reload = true,
                          .doc = "Templates that allow routes with wildcards inside the number (L21)."},
    [CONFIG_ALIASES] = {.name = "cluster.domain_aliases",
                        FIELDS(alias_field),
                        TOP(aliases, naliases),
                        .max = 256,
                        .cluster = true,
                        .reload = true,
                        .doc = "Further names that mean this cluster."},
    [CONFIG_SENTINELS] = {.name = "node.redis.sentinels",
                          FIELDS(sentinel_field),
                          TOP(sentinels, nsentinels),
                          .max = 16,
                          .doc =
                              "Sentinels that say which Redis is the master; an odd number, at least three."},
    [CONFIG_CERTIFICATES] = {.name = "dataplane.tls.certificates",
                             FIELDS(certificate_fields),
                             TOP(certificates, ncertificates),
                             .max = HG_CERTIFICATES_MAX,
                             .doc =
                                 "Certificates of this node; the first one is for clients that ask for none "
                                 "of the names, and is shown to next hops by TLS. Files that change are read "
                                 "again within seconds (hgctl tls show); open connections go on."},
};
const unsigned config_lists_n = CONFIG_LISTS_N;
