/* SPDX-License-Identifier: BSD-2-Clause */
/* One request from its line to its final reply. A handler answers at once, or keeps the request and answers
 * later; the client may be gone by then, which changes nothing for the handler. */
#ifndef CONTROLPLANE_ADMIN_REQUEST_H
#define CONTROLPLANE_ADMIN_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

#include "feed/feed.h"
#include "store/version.h"

#define ADMIN_CLIENTS_MAX 32
#define ADMIN_LINE_MAX    (4 * 1024 * 1024) /* of a request: the longest value of the record, escaped */
#define ADMIN_PAGE_MAX    (1024 * 1024)     /* of a reply that comes in pages */
#define ADMIN_QUEUE_MAX   (8 * 1024 * 1024) /* bytes that a client has not read */
#define ADMIN_APPLY_MS    8000 /* a core that takes longer is named, before hgctl gives us up after 10 s */
#define ADMIN_EVENT_ROOM  (1024 * 1024) /* a stream holds events back above that */

struct admin;
struct admin_client;
struct controlplane;

/* LATE: the change is made, and was not seen in force everywhere within the time. */
enum admin_code {
    ADMIN_BAD_REQUEST,
    ADMIN_NOT_FOUND,
    ADMIN_CONFLICT,
    ADMIN_UNAVAILABLE,
    ADMIN_LATE,
    ADMIN_INTERNAL
};

struct admin_request {
    struct controlplane *cp;
    struct admin *admin;
    struct admin_client *client; /* NULL: gone */
    json_t *args;                /* an object, perhaps empty */
    struct admin_request *next, **prev;
    /* called about every 10 ms while the request is kept; may answer it */
    void (*poll)(struct admin_request *req, uint64_t now_ms);
    /* the client is gone: give up what only it wanted (streams); may answer the request. NULL: goes on */
    void (*gone)(struct admin_request *req);
    uint64_t deadline, next_at; /* of the handler */
    struct feed_token token;
    bool marked;
    struct record_version wanted;              /* every node is to have applied it (cluster_wait.c) */
    uint64_t routes_version;                   /* compiled routes to wait for */
    bool rehomes;                              /* users are told to the cores anew, piece by piece */
    void (*finish)(struct admin_request *req); /* the last word on result, before it is sent */
    json_t *result;                            /* prepared, for when the cores are through */
    void (*drop)(
        struct admin_request *req); /* the request ends: nobody may call with it any more; may be NULL */
    void *state;                    /* the handler's, freed by free() with the request */
};

struct admin_command {
    const char *name;
    void (*handle)(struct admin_request *req);
};

extern const struct admin_command admin_commands[];

/* Each ends the request; it must not be touched afterwards. result and errors are stolen. */
void admin_ok(struct admin_request *req, json_t *result);
void admin_fail(struct admin_request *req, enum admin_code code, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void admin_fail_list(struct admin_request *req, enum admin_code code, const char *error, json_t *errors);
/* Lines before the end. admin_event returns false when the client does not read fast enough, or is gone. */
bool admin_event(struct admin_request *req, json_t *event);
void admin_progress(struct admin_request *req, uint64_t done, uint64_t total, const char *what);

/* Answers with result once every local core has applied what was set until now. routes_version: what must be
 * compiled first, 0 = nothing. */
void admin_ok_when_applied(struct admin_request *req, json_t *result, uint64_t routes_version);

/* cluster_wait.c: as above once every node, this one among them, has applied what this one has now. */
bool admin_wants_cluster(const struct admin_request *req);
void admin_ok_when_cluster_applied(struct admin_request *req, json_t *result);

/* Refused by rules of topology: the error and the hint are those of the first that forbids, all of them stand
 * in "findings". */
struct findings;
void admin_fail_findings(struct admin_request *req, const struct findings *findings, bool force);
json_t *admin_findings(const struct findings *findings);

/* Arguments. A wrong type answers the request and returns false; a missing one leaves the default. */
bool admin_arg_string(struct admin_request *req, const char *name, const char **out);
bool admin_arg_int(struct admin_request *req, const char *name, int64_t min, int64_t max, int64_t *out);
bool admin_arg_bool(struct admin_request *req, const char *name, bool *out);

/* socket.c, for server.c: takes the place of a file that nobody listens on; an error of libuv */
int admin_socket_bind(uv_pipe_t *server, const char *path);
/* server.c, for request.c */
bool admin_client_line(struct admin_client *client, json_t *line);
void admin_client_done(struct admin_client *client);
void admin_request_start(struct admin *admin, struct admin_client *client, struct controlplane *cp,
                         const char *line, size_t len, struct admin_request **list);

/* noun by noun */
void admin_version(struct admin_request *req);
void admin_status(struct admin_request *req);
void admin_drain(struct admin_request *req);
void admin_undrain(struct admin_request *req);
void admin_counters(struct admin_request *req);
void admin_config_show(struct admin_request *req);
void admin_config_diff(struct admin_request *req);
void admin_config_set(struct admin_request *req);
void admin_config_save(struct admin_request *req);
void admin_config_reload(struct admin_request *req);
void admin_route_list(struct admin_request *req);
void admin_route_add(struct admin_request *req);
void admin_route_set(struct admin_request *req);
void admin_route_remove(struct admin_request *req);
void admin_route_explain(struct admin_request *req);
void admin_user_list(struct admin_request *req);
void admin_user_find(struct admin_request *req);
void admin_user_set(struct admin_request *req);
void admin_user_add(struct admin_request *req);
void admin_user_assign(struct admin_request *req);
void admin_user_rebalance(struct admin_request *req);
void admin_user_import(struct admin_request *req);
void admin_whatif_fail(struct admin_request *req);
void admin_user_remove(struct admin_request *req);
void admin_record_page(struct admin_request *req);
void admin_record_write(struct admin_request *req);
void admin_record_finish(struct admin_request *req);
void admin_node_list(struct admin_request *req);
void admin_node_show(struct admin_request *req);
void admin_node_add(struct admin_request *req);
void admin_node_set(struct admin_request *req);
void admin_node_remove(struct admin_request *req);
void admin_node_assign(struct admin_request *req);
void admin_node_unassign(struct admin_request *req);
void admin_node_move(struct admin_request *req);
void admin_subcluster_list(struct admin_request *req);
void admin_subcluster_show(struct admin_request *req);
void admin_subcluster_add(struct admin_request *req);
void admin_subcluster_set(struct admin_request *req);
void admin_subcluster_remove(struct admin_request *req);
void admin_node_ping(struct admin_request *req);
void admin_ha_status(struct admin_request *req);
void admin_ha_failover(struct admin_request *req);
void admin_ha_fallback(struct admin_request *req);
void admin_ha_recover(struct admin_request *req);
void admin_alarm_list(struct admin_request *req);
void admin_event_list(struct admin_request *req);
void admin_troubleshoot(struct admin_request *req);
void admin_tls_show(struct admin_request *req);
void admin_tls_reload(struct admin_request *req);
void admin_core_list(struct admin_request *req);
void admin_connection_list(struct admin_request *req);
void admin_connection_close(struct admin_request *req);
void admin_hop_list(struct admin_request *req);
void admin_trace_start(struct admin_request *req);

#endif
