/* SPDX-License-Identifier: BSD-2-Clause */
/* Hard walls of array sizes that both processes share. The configured limits stay inside them. */
#ifndef HG_LIMITS_H
#define HG_LIMITS_H

#define HG_CORES_MAX         64
#define HG_PORTS_MAX         8       /* DPDK ports */
#define HG_IFACES_MAX        32      /* port + VLAN */
#define HG_ADDRS_MAX         16      /* addresses of one interface */
#define HG_LISTENERS_MAX     64      /* local SIP endpoints */
#define HG_NODES_MAX         64      /* nodes of the cluster, index 0 is never used */
#define HG_HOP_SLOTS         8192    /* next-hop endpoints known at one time */
#define HG_ROUTE_SLOTS       262144  /* static routes with counters of their own */
#define HG_ROUTES_MAX        1000000 /* static routes of the file; as many of the record */
#define HG_TARGETS_MAX       16      /* targets tried for one request */
#define HG_USER_MAX          128     /* bytes of a user part that routes */
#define HG_HOST_MAX          255
#define HG_PATTERN_MAX       255 /* L02 */
#define HG_SAME_PATTERN_MAX  100 /* L03 */
#define HG_TEMPLATES_MAX     5   /* L21 */
#define HG_NODE_NAME_MAX     255
#define HG_SENTINEL_MAX      63    /* address and port as text */
#define HG_MESSAGE_MAX       65535 /* one SIP message over UDP */
#define HG_CONTACTS_MAX      16    /* contacts of one user */
#define HG_CONTACT_URI_MAX   255
#define HG_CERTIFICATES_MAX  64
#define HG_CERTIFICATE_NAMES 32  /* by which one is chosen */
#define HG_FILE_MAX          255 /* a path */
#define HG_ALPN_MAX          255
#define HG_SERVICE_MAX       8    /* service addresses of one node */
#define HG_DATAGRAM_MAX      1200 /* bytes of the control plane's own datagrams over the service network */

#endif
