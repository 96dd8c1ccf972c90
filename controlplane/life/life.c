/* SPDX-License-Identifier: BSD-2-Clause */
#include "life/life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin.h"
#include "controlplane.h"
#include "counters/export.h"
#include "counters/http.h"
#include "dns/dns.h"
#include "life/events.h"
#include "feed/feed.h"
#include "ha/run.h"
#include "node/join.h"
#include "node/nodes.h"
#include "push/push.h"
#include "settings/reload.h"
#include "routes/book.h"
#include "settings/settings.h"
#include "store/events.h"
#include "store/record.h"
#include "store/sentinel.h"
#include "topology/change.h"

#define TURN_MS 10

static void on_busy(uv_idle_t *idle);

static void turn(struct controlplane *cp)
{
    uint64_t now = uv_now(&cp->loop);
    bool more = feed_poll(cp->feed, now);

    more |= push_users_turn(cp);
    more |= push_record_turn(cp);
    nodes_turn(cp);
    settings_turn(cp);
    join_turn(cp);
    push_contacts_turn(cp, now);
    push_routes_turn(cp, now);
    ha_turn(cp->ha);
    topology_change_turn(cp, now);
    applied_turn(cp);
    admin_poll(cp->admin, now);
    if (more)
        uv_idle_start(&cp->busy, on_busy);
    else
        uv_idle_stop(&cp->busy);
}

static void on_busy(uv_idle_t *idle)
{
    turn(idle->data);
}

static void on_turn(uv_timer_t *timer)
{
    turn(timer->data);
}

static void on_second(uv_timer_t *timer)
{
    struct controlplane *cp = timer->data;

    events_second(cp);
    settings_second(cp);
    ha_second(cp->ha);
    export_second(cp->export);
}

static void on_stop(uv_signal_t *handle, int signum)
{
    struct controlplane *cp = handle->data;

    log_printf(&cp->log, HG_LOG_INFO, "stopping", "stopped by signal %d", signum);
    uv_stop(&cp->loop);
}

static void on_hup(uv_signal_t *handle, int signum)
{
    (void)signum;
    reload_logged(handle->data);
}

static void on_master(void *arg, const char *host, uint16_t port)
{
    struct controlplane *cp = arg;

    record_set_master(cp->record, host, port);
    redis_set_endpoint(cp->exports, host, port);
}

/* Both have it as long as they need it. */
static bool make_tls(struct controlplane *cp, struct redis_tls **tls)
{
    const struct hg_config *c = cp->config;
    struct redis_tls_options o = {.ca = c->redis_tls_ca,
                                  .cert = c->redis_tls_cert,
                                  .key = c->redis_tls_key,
                                  .server_name = c->redis_tls_server_name};
    char why[REDIS_TLS_WHY];

    *tls = NULL;
    if (!c->redis_tls)
        return true;
    *tls = redis_tls_create(&o, why);
    if (!*tls)
        log_printf(&cp->log, HG_LOG_ERROR, "redis_tls", "%s", why);
    return *tls != NULL;
}

static bool start_sentinels(struct controlplane *cp, struct redis_tls *tls)
{
    const struct hg_config *c = cp->config;
    struct sentinels_options o = {.loop = &cp->loop,
                                  .address = (const char(*)[HG_SENTINEL_MAX + 1]) c->sentinels,
                                  .n = c->nsentinels,
                                  .master_name = c->redis_master_name,
                                  .password = c->redis_sentinel_password,
                                  .tls = tls,
                                  .timeout_ms = (unsigned)c->redis_timeout_ms,
                                  .on_master = on_master,
                                  .arg = cp,
                                  .log = &cp->log,
                                  .alarms = &cp->alarms};

    if (c->nsentinels)
        cp->sentinels = sentinels_create(&o);
    record_set_durability(cp->record, (unsigned)c->redis_replicas_min, cp->sentinels);
    return !c->nsentinels || cp->sentinels;
}

static bool start_redis(struct controlplane *cp, struct redis_tls *tls)
{
    const struct hg_config *c = cp->config;
    struct redis_options o = {.loop = &cp->loop,
                              .dns = cp->dns,
                              .tls = tls,
                              .port = (uint16_t)c->redis_port,
                              .timeout_ms = (unsigned)c->redis_timeout_ms};
    struct redis_events none = {0};
    struct record_events events = push_record_events(cp);

    if (c->nsentinels)
        o.backoff_max_ms = 500; /* a promotion takes moments */
    else
        snprintf(o.host, sizeof(o.host), "%s", c->redis_host);
    snprintf(o.password, sizeof(o.password), "%s", c->redis_password);
    cp->record = record_create(&o, c->cluster_id, &events, &cp->log, &cp->alarms);
    cp->exports = redis_create(&o, &none);
    explicit_bzero(o.password, sizeof(o.password));
    if (cp->record && cp->exports && start_sentinels(cp, tls))
        cp->export = export_create(cp);
    if (cp->export)
        cp->event_stream = event_stream_create(cp->exports, c->cluster_id, c->node_name, &cp->own);
    return cp->event_stream != NULL;
}

static void start_handles(struct controlplane *cp)
{
    uv_timer_start(&cp->turn, on_turn, 0, TURN_MS);
    uv_timer_start(&cp->second, on_second, 1000, 1000);
    uv_signal_start(&cp->sigterm, on_stop, SIGTERM);
    uv_signal_start(&cp->sigint, on_stop, SIGINT);
    uv_signal_start(&cp->sighup, on_hup, SIGHUP);
}

static void init_handles(struct controlplane *cp)
{
    uv_loop_init(&cp->loop);
    loop_time_start(&cp->loop_time, &cp->loop, &cp->own);
    uv_timer_init(&cp->loop, &cp->turn);
    uv_timer_init(&cp->loop, &cp->second);
    uv_idle_init(&cp->loop, &cp->busy);
    uv_signal_init(&cp->loop, &cp->sigterm);
    uv_signal_init(&cp->loop, &cp->sigint);
    uv_signal_init(&cp->loop, &cp->sighup);
    cp->turn.data = cp->second.data = cp->busy.data = cp;
    cp->sigterm.data = cp->sigint.data = cp->sighup.data = cp;
}

bool life_start(struct controlplane *cp)
{
    struct redis_tls *tls;
    char why[HG_SEGMENT_ERROR];

    log_init(&cp->log, STDERR_FILENO, cp->config->node_name);
    cp->alarms = (struct alarms){.log = &cp->log, .news = events_alarm, .arg = cp};
    init_handles(cp);
    cp->claim = hg_segment_claim(cp->config->node_name, why);
    if (cp->claim < 0) {
        log_printf(&cp->log, HG_LOG_ERROR, "start", "%s", why);
        return false;
    }
    reload_own(cp);
    cp->started_ms = uv_now(&cp->loop);
    cp->retry_after_s = (uint32_t)cp->config->sip_retry_after_s;
    cp->admin = admin_create(cp, cp->config->admin_socket, why, sizeof(why));
    if (!cp->admin) {
        log_printf(&cp->log, HG_LOG_ERROR, "admin_socket", "%s", why);
        return false;
    }
    if (!make_tls(cp, &tls))
        return false;
    join_file(cp);
    cp->users = users_create();
    cp->routes = book_create(HG_ROUTES_MAX);
    cp->dns = dns_create(&cp->loop, NULL);
    cp->feed = feed_create(cp->config->node_name, &events_handlers, cp);
    bool made = cp->users && cp->routes && cp->dns && cp->feed && settings_create(cp) &&
                push_contacts_create(cp) && push_routes_create(cp) && start_redis(cp, tls);
    redis_tls_unref(tls);
    if (!made) {
        log_printf(&cp->log, HG_LOG_ERROR, "start", "out of memory");
        return false;
    }
    if (cp->config->metrics_port) {
        cp->http = http_create(cp, why, sizeof(why));
        if (!cp->http) {
            log_printf(&cp->log, HG_LOG_ERROR, "metrics", "%s", why);
            return false;
        }
    }
    cp->ha = ha_create(cp, why, sizeof(why));
    if (!cp->ha) {
        log_printf(&cp->log, HG_LOG_ERROR, "ha", "%s", why);
        return false;
    }
    push_nodes(cp);
    push_settings(cp);
    start_handles(cp);
    log_printf(&cp->log, HG_LOG_INFO, "started", "hg-controlplane %s, node %s of cluster %s", HG_VERSION,
               cp->config->node_name, cp->config->cluster_id);
    return true;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void life_stop(struct controlplane *cp)
{
    cp->stopping = true;
    topology_change_stop(cp);
    http_close(cp->http);
    sentinels_close(cp->sentinels);
    ha_stop(cp->ha);
    record_close(cp->record);
    admin_close(cp->admin); /* after the record: it answers the requests whose changes are under way */
    redis_close(cp->exports);
    if (cp->feed) {
        push_routes_stop(cp);
        push_contacts_stop(cp);
    }
    dns_close(cp->dns);
    uv_close((uv_handle_t *)&cp->turn, NULL);
    uv_close((uv_handle_t *)&cp->second, NULL);
    loop_time_stop(&cp->loop_time);
    uv_close((uv_handle_t *)&cp->busy, NULL);
    uv_close((uv_handle_t *)&cp->sigterm, NULL);
    uv_close((uv_handle_t *)&cp->sigint, NULL);
    uv_close((uv_handle_t *)&cp->sighup, NULL);
    uv_run(&cp->loop, UV_RUN_DEFAULT); /* closes what is closing, waits for a compilation */
    push_routes_free(cp);
    export_free(cp->export);
    event_stream_free(cp->event_stream);
    cp->event_stream = NULL;
    ha_free(cp->ha);
    if (cp->feed)
        feed_destroy(cp->feed);
    book_free(cp->routes);
    users_free(cp->users);
    settings_free(cp);
    uv_walk(&cp->loop, close_handle, NULL);
    uv_run(&cp->loop, UV_RUN_DEFAULT);
    uv_loop_close(&cp->loop);
    hg_segment_release(cp->config->node_name, cp->claim);
    free(cp->give_text);
    hg_config_free(cp->config);
    log_close(&cp->log);
    free(cp);
}
