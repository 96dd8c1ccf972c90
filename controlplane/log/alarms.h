/* SPDX-License-Identifier: BSD-2-Clause */
/* Standing alarms: conditions that somebody has to end. Shown by `hgctl status`, logged when they come and
 * go. */
#ifndef CONTROLPLANE_LOG_ALARMS_H
#define CONTROLPLANE_LOG_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

struct log;

/* X(id, level, text): BAD is something that does not work, or may be lost; with ADVICE everything works. The
 * text is what the operator reads when it is raised without a detail. */
#define ALARM_LIST(X)                                                                                        \
    X(redis_away, BAD,                                                                                       \
      "Redis cannot be reached; changes of routes and users are refused, counters are not exported")         \
    X(redis_eviction, BAD, "Redis may evict keys; set maxmemory-policy to noeviction")                       \
    X(redis_not_durable, BAD,                                                                                \
      "the record is not durable: attach a replica or set appendonly yes, appendfsync always")               \
    X(redis_record_lost, BAD, "Redis came back without the record; it was written again from memory")        \
    X(redis_sentinels, BAD, "too few Sentinels answer: nobody is promoted when the master fails")            \
    X(record_log, BAD, "the log of the record cannot be read; the record is read whole from time to time")   \
    X(record_went_back, BAD,                                                                                 \
      "Redis lost the ownership of a subcluster with a promotion; it was written again")                     \
    X(redis_refuses, BAD, "Redis refuses changes")                                                           \
    X(record_bad, BAD, "the record holds entries that cannot be used")                                       \
    X(dataplane_away, BAD, "the dataplane is not attached")                                                  \
    X(dataplane_mismatch, BAD, "the dataplane was built with another layout; start both from one build")     \
    X(core_stuck, BAD, "a core does not turn")                                                               \
    X(tls_files, BAD, "certificates, keys or trust cannot be read; what was read before stays in force")     \
    X(certificate_ended, BAD, "a certificate of this node has ended")                                        \
    X(certificate_ends, ADVICE, "a certificate of this node ends soon")                                      \
    X(dns_failed, BAD, "names cannot be resolved; without DNS give IP addresses")                            \
    X(routes_refused, BAD, "static routes that cannot be used")                                              \
    X(domain_not_set, BAD,                                                                                   \
      "cluster.domain is not set, no user can be served: hgctl set cluster.domain DOMAIN")                   \
    X(node_not_joined, BAD, "this node has no entry in the record: it was removed, or the cluster is full")  \
    X(ha_peer, BAD, "the peer is not heard")                                                                 \
    X(ha_lease, BAD,                                                                                         \
      "the lease has run out: this node serves no user until the peer or the record confirms it")            \
    X(ha_failed, BAD, "the subcluster runs in failed mode: hgctl ha recover, when its cause is gone")        \
    X(ha_failed_over, BAD, "users of this subcluster are served by the peer of their node")                  \
    X(ha_regressed, BAD, "the record showed an older owner than was acknowledged; it was written again")     \
    X(ha_service, BAD, "a critical service of this node is down")                                            \
    X(ha_no_address, BAD, "this node has a peer but no node.address: it takes no part in high availability") \
    X(ha_clock, BAD, "the time stamp counter is not steady: leases end by it")                               \
    X(ha_parameters, ADVICE, "parameters of high availability do not fit together")                          \
    X(service_network, BAD, "nothing is heard from the service network")                                     \
    X(wan_rtt, BAD, "the round trip to another node is too long")                                            \
    X(wan_throughput, BAD, "the throughput to another node is too low")                                      \
    X(users_full, BAD, "the user table of the dataplane is full; raise dataplane.users_max and restart it")  \
    X(config_restart, ADVICE, "the configuration file changed items that only a restart applies")            \
    X(config_differs, ADVICE, "cluster{} of this node's file is not what the record says")                   \
    X(config_long, ADVICE,                                                                                   \
      "a list of this node's file is too long for the record: keep the same file on every node")             \
    X(config_refused, BAD, "the last reload was refused, the old configuration stays")

enum alarm_id {
#define ALARM_ENUM(id, level, text) ALARM_##id,
    ALARM_LIST(ALARM_ENUM)
#undef ALARM_ENUM
        ALARM_COUNT
};

struct alarm {
    bool standing;
    uint64_t since; /* unix time, s */
    char detail[512];
};

struct alarms {
    struct log *log;
    void (*news)(void *arg,
                 enum alarm_id id); /* it stands now, says something else, or is over; may be NULL */
    void *arg;
    struct alarm a[ALARM_COUNT];
};

extern const char *const alarm_names[ALARM_COUNT];
bool alarm_is_bad(enum alarm_id id);

void alarm_raise(struct alarms *alarms, enum alarm_id id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void alarm_on(struct alarms *alarms, enum alarm_id id); /* with the text of the list */
void alarm_clear(struct alarms *alarms, enum alarm_id id);

#endif
