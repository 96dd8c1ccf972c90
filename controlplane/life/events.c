/* SPDX-License-Identifier: BSD-2-Clause */
#include "life/events.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin/admin.h"
#include "controlplane.h"
#include "counters/export.h"
#include "counters/view.h"
#include "ha/run.h"
#include "node/certificates.h"
#include "node/nodes.h"
#include "store/events.h"
#include "push/push.h"

#define LOAD_SECONDS 60 /* that the load is smoothed over */

/* A control plane that was restarted does not know that its node is drained; the dataplane does. The other
 * way round, what an administrator says while there is none reaches the next one. */
static void learn_drain(struct controlplane *cp, const struct hg_segment *segment)
{
    if (cp->drain_said || cp->draining ||
        !atomic_load_explicit(&segment->header->dp_draining, memory_order_relaxed))
        return;
    cp->retry_after_s = (uint32_t)cp->config->sip_retry_after_s;
    cp->draining = feed_drain(cp->feed, true, cp->retry_after_s);
    log_write(&cp->log, HG_LOG_INFO, -1, "drain", "the node is drained, as it was before this start", 0);
}

static void on_attached(void *ctx, const struct hg_segment *segment)
{
    struct controlplane *cp = ctx;

    log_printf(&cp->log, HG_LOG_INFO, "attached", "dataplane %.40s attached, pid %u, %u cores",
               segment->header->build, segment->header->dp_pid, segment->cores);
    alarm_clear(&cp->alarms, ALARM_dataplane_away);
    alarm_clear(&cp->alarms, ALARM_dataplane_mismatch);
    export_reset(cp->export);
    learn_drain(cp, segment);
    ha_attached(cp->ha, segment);
    nodes_changed(cp); /* it may be one that has nothing yet */
    push_users_begin(cp);
}

static void on_detached(void *ctx)
{
    struct controlplane *cp = ctx;

    cp->push_users.walking = false;
    ha_detached(cp->ha);
    log_printf(&cp->log, HG_LOG_WARNING, "detached", "the dataplane is gone, waiting for the next one");
}

static void on_ready(void *ctx, unsigned core)
{
    struct controlplane *cp = ctx;

    log_write(&cp->log, HG_LOG_INFO, (int)core, "ready", "tables are whole, listeners open", 0);
}

static void on_drained(void *ctx, unsigned core)
{
    struct controlplane *cp = ctx;

    log_write(&cp->log, HG_LOG_INFO, (int)core, "drained", "no transaction is left", 0);
}

static void on_log(void *ctx, const struct feed_log *l)
{
    struct controlplane *cp = ctx;
    const struct hg_log_info *info = &hg_log_info[l->id];
    char text[1200];

    log_render(text, sizeof(text), info->text, l->arg, l->nargs);
    log_write(&cp->log, info->level, (int)l->core, info->name, text, l->suppressed);
}

static void on_trace(void *ctx, unsigned core, const struct hg_up_trace *trace, struct slice message)
{
    struct controlplane *cp = ctx;

    admin_trace(cp->admin, core, trace, message);
}

static void on_connections(void *ctx, unsigned core, const struct hg_up_connections *page)
{
    struct controlplane *cp = ctx;

    admin_connections(cp->admin, core, page);
}

static void on_datagram(void *ctx, const struct hg_endpoint *src, uint64_t tsc, const void *data,
                        uint32_t length)
{
    struct controlplane *cp = ctx;

    (void)src;
    (void)tsc;
    ha_datagram(cp->ha, data, length);
}

static void on_message(void *ctx, enum hg_log_level level, const char *text)
{
    struct controlplane *cp = ctx;

    if (level == HG_LOG_ERROR && !feed_segment(cp->feed))
        alarm_raise(&cp->alarms, ALARM_dataplane_mismatch, "%s", text);
    else
        log_printf(&cp->log, level, "feed", "%s", text);
}

const struct feed_handlers events_handlers = {
    .on_attached = on_attached,
    .on_detached = on_detached,
    .on_ready = on_ready,
    .on_drained = on_drained,
    .on_log = on_log,
    .on_trace = on_trace,
    .on_connections = on_connections,
    .on_datagram = on_datagram,
    .on_message = on_message,
};

/* Alarms also go to the stream of events. */
void events_alarm(void *arg, enum alarm_id id)
{
    struct controlplane *cp = arg;
    const struct alarm *a = &cp->alarms.a[id];

    event_write(cp->event_stream, a->standing ? EVENT_ALARM : EVENT_ALARM_OVER,
                a->standing ? "warning" : "info", alarm_names[id], "%s", a->detail);
}

static void busy_shares(struct controlplane *cp, const struct hg_segment *s)
{
    uint64_t now = uv_now(&cp->loop), ms = now - cp->busy_ms;
    double sum = 0;

    for (unsigned c = 0; c < s->cores; c++) {
        uint64_t cycles = view_counter(s, c, HG_C_core_busy_cycles);
        double share =
            (double)(cycles - cp->busy_cycles[c]) * 1000 / ((double)s->tsc_hz * (double)(ms ? ms : 1));
        cp->busy_share[c] = cycles < cp->busy_cycles[c] ? 0 : share > 1 ? 1 : share;
        cp->busy_cycles[c] = cycles;
        sum += cp->busy_share[c];
    }
    cp->busy_ms = now;
    cp->load += (sum / (s->cores ? s->cores : 1) - cp->load) / LOAD_SECONDS;
    cp->load_percent = (uint8_t)(cp->load * 100 + 0.5);
}

/* No core is busy for a dataplane that is not there; the next one counts from nothing. */
static void idle(struct controlplane *cp)
{
    memset(cp->busy_share, 0, sizeof(cp->busy_share));
    memset(cp->busy_cycles, 0, sizeof(cp->busy_cycles));
    cp->load = 0;
    cp->load_percent = 0;
    cp->busy_ms = uv_now(&cp->loop);
}

/* Users of the record that a core had to refuse stay missing there until the next resynchronisation. */
static void user_room(struct controlplane *cp, const struct hg_segment *s)
{
    uint32_t users = users_count(cp->users);

    for (unsigned c = 0; c < s->cores; c++) {
        uint64_t has = view_counter(s, c, HG_C_users);
        if (has >= users || !view_counter(s, c, HG_C_user_no_room))
            continue;
        alarm_on(&cp->alarms, ALARM_users_full);
        return;
    }
    alarm_clear(&cp->alarms, ALARM_users_full);
}

void events_second(struct controlplane *cp)
{
    const struct hg_segment *s = feed_segment(cp->feed);
    bool stuck = false;

    if (!s || !hg_segment_dp_lives(s)) {
        if (s)
            alarm_raise(&cp->alarms, ALARM_dataplane_away, "the dataplane is not running, pid %u has ended",
                        s->header->dp_pid);
        else
            alarm_on(&cp->alarms, ALARM_dataplane_away);
        alarm_clear(&cp->alarms, ALARM_core_stuck);
        idle(cp);
        return;
    }
    alarm_clear(&cp->alarms, ALARM_dataplane_away);
    busy_shares(cp, s);
    user_room(cp, s);
    certificates_watch(&cp->alarms, s, (int64_t)time(NULL));
    for (unsigned c = 0; c < s->cores && !stuck; c++) {
        struct feed_core_status st;
        if (!feed_core_status(cp->feed, c, &st) || st.alive)
            continue;
        stuck = true;
        alarm_raise(&cp->alarms, ALARM_core_stuck, "core %u has not turned for some seconds", c);
    }
    if (!stuck)
        alarm_clear(&cp->alarms, ALARM_core_stuck);
}
