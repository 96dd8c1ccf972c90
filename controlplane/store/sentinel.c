/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/sentinel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hg/endpoint.h"
#include "log/alarms.h"
#include "log/log.h"
#include "store/sentinel_news.h"

#define ASK_MS    200
#define FRESH_MS  1000
#define MARGIN_MS 5000 /* Sentinels tell each other every two seconds */

struct sentinel {
    struct sentinels *all;
    char address[HG_SENTINEL_MAX + 1];
    struct redis *ask, *listen;
    bool asked, subscribed;
    uint64_t said_at; /* 0: never */
    uint64_t epoch, failover_timeout;
    bool doubt;     /* it thinks that the master is down, or is promoting another one */
    bool promoting; /* it does that itself: to the end it names the old master by the new epoch */
    uint64_t vote_epoch, voted_at; /* its newest vote, uv_hrtime when we heard of it */
    char host[64];
    uint16_t port;
};

struct sentinels {
    struct sentinels_options o;
    char master_name[65];
    uv_timer_t timer;
    unsigned n;
    char host[64]; /* the master, "" before it is known */
    uint16_t port;
    uint64_t epoch, begun;
    uint64_t agreed_since; /* 0: they do not */
    uint64_t doubt_until;  /* a promotion was begun */
    uint64_t doubt_epoch;  /* the newest that was voted for */
    uint64_t fenced_at;    /* uv_hrtime, 0: not known */
    struct sentinel one[SENTINELS_MAX];
};

static bool is_fresh(const struct sentinel *one, uint64_t now)
{
    return one->said_at && now - one->said_at <= FRESH_MS;
}

unsigned sentinels_answering(const struct sentinels *s)
{
    uint64_t now = uv_now(s->o.loop);
    unsigned n = 0;

    for (unsigned i = 0; i < s->n; i++)
        n += is_fresh(&s->one[i], now);
    return n;
}

static void watch_agreement(struct sentinels *s)
{
    uint64_t now = uv_now(s->o.loop);
    bool doubt = s->host[0] == '\0';
    unsigned n = 0;

    for (unsigned i = 0; i < s->n; i++) {
        const struct sentinel *one = &s->one[i];
        if (!is_fresh(one, now))
            continue;
        doubt |= one->doubt;
        n += one->port == s->port && strcmp(one->host, s->host) == 0;
    }
    if (doubt || 2 * n <= s->n)
        s->agreed_since = 0;
    else if (!s->agreed_since)
        s->agreed_since = now;
}

static uint64_t promotion_ms(const struct sentinels *s)
{
    uint64_t longest = 0;

    for (unsigned i = 0; i < s->n; i++)
        if (s->one[i].failover_timeout > longest)
            longest = s->one[i].failover_timeout;
    return longest + MARGIN_MS;
}

bool sentinels_settled(void *arg, uint64_t alone_ms)
{
    const struct sentinels *s = arg;
    uint64_t longest = promotion_ms(s);

    return s->agreed_since && uv_now(s->o.loop) - s->agreed_since > longest && alone_ms > longest;
}

/* When we had heard of the votes of a majority for this promotion. */
static uint64_t voted_at(const struct sentinels *s, uint64_t epoch)
{
    uint64_t last = 0;
    unsigned votes = 0;

    for (unsigned i = 0; i < s->n; i++) {
        if (s->one[i].vote_epoch != epoch)
            continue;
        votes++;
        if (s->one[i].voted_at > last)
            last = s->one[i].voted_at;
    }
    return 2 * votes > s->n ? last : 0;
}

uint64_t sentinels_take_fence(struct sentinels *s)
{
    uint64_t at = s->fenced_at;

    s->fenced_at = 0;
    return at ? uv_hrtime() - at : 0;
}

/* An older epoch never wins over what was known, whoever is silent now. */
static void decide(struct sentinels *s)
{
    const struct sentinel *best = NULL;
    uint64_t now = uv_now(s->o.loop);

    for (unsigned i = 0; i < s->n; i++) {
        const struct sentinel *one = &s->one[i];
        if (is_fresh(one, now) && !one->promoting && one->epoch >= s->epoch &&
            (!best || one->epoch > best->epoch))
            best = one;
    }
    if (!best)
        return;
    s->epoch = best->epoch;
    if (best->port == s->port && strcmp(best->host, s->host) == 0)
        return;
    if (s->host[0])
        log_printf(s->o.log, HG_LOG_WARNING, "redis_master",
                   "the Sentinels made %s:%u master instead of %s:%u", best->host, best->port, s->host,
                   s->port);
    snprintf(s->host, sizeof(s->host), "%s", best->host);
    s->port = best->port;
    s->agreed_since = 0;
    s->fenced_at = voted_at(s, s->epoch);
    if (s->epoch >= s->doubt_epoch) /* this is the one that was begun */
        s->doubt_until = 0;
    s->o.on_master(s->o.arg, s->host, s->port);
}

static const char *member(const redisReply *list, const char *name)
{
    for (size_t i = 0; i + 1 < list->elements; i += 2)
        if (list->element[i]->type == REDIS_REPLY_STRING && strcmp(list->element[i]->str, name) == 0)
            return list->element[i + 1]->type == REDIS_REPLY_STRING ? list->element[i + 1]->str : NULL;
    return NULL;
}

static void on_answer(void *arg, const redisReply *reply, const char *error)
{
    struct sentinel *one = arg;
    struct sentinels *s = one->all;

    one->asked = false;
    if (error || reply->type != REDIS_REPLY_ARRAY)
        return;
    const char *ip = member(reply, "ip"), *port = member(reply, "port"), *flags = member(reply, "flags");
    const char *epoch = member(reply, "config-epoch"), *longest = member(reply, "failover-timeout");
    unsigned long number = port ? strtoul(port, NULL, 10) : 0;
    if (!ip || !epoch || strlen(ip) >= sizeof(one->host) || number == 0 || number > 65535)
        return;
    snprintf(one->host, sizeof(one->host), "%s", ip);
    one->port = (uint16_t)number;
    one->epoch = strtoull(epoch, NULL, 10);
    one->promoting = flags && strstr(flags, "failover_in_progress");
    one->doubt = !flags || strstr(flags, "down") || strstr(flags, "failover");
    one->failover_timeout = longest ? strtoull(longest, NULL, 10) : 180000;
    one->said_at = uv_now(s->o.loop);
    decide(s);
}

static void ask(struct sentinels *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct sentinel *one = &s->one[i];
        if (!one->asked)
            one->asked = redis_words(one->ask, on_answer, one, "SENTINEL", "MASTER", s->master_name, NULL);
    }
}

/* Channels are named after what happens. From the first word of a promotion on the master of now is in doubt
 * until another one is named. What the Sentinels say of the master is asked for, so that there is one way to
 * believe it. */
static void on_message(void *arg, const redisReply *reply, const char *error)
{
    struct sentinel *one = arg;
    struct sentinels *s = one->all;
    uint64_t epoch;

    (void)error;
    if (reply->elements < 4 || reply->element[2]->type != REDIS_REPLY_STRING ||
        reply->element[3]->type != REDIS_REPLY_STRING)
        return;
    const char *channel = reply->element[2]->str;
    struct sentinel_master now = {.host = s->host, .port = s->port, .epoch = s->epoch};
    if (sentinel_news_doubt(channel, reply->element[3]->str, &now, &epoch)) {
        s->doubt_until = uv_now(s->o.loop) + promotion_ms(s);
        if (epoch > s->doubt_epoch)
            s->doubt_epoch = epoch;
    }
    if (sentinel_news_vote(channel, reply->element[3]->str, &epoch)) {
        one->vote_epoch = epoch;
        one->voted_at = uv_hrtime();
    }
    if (strcmp(channel, "+switch-master") == 0)
        ask(s);
}

/* ---- certainty ---- */
struct round {
    struct sentinels *s;
    sentinels_certain_done answered; /* NULL once it was called */
    void *arg;
    unsigned pongs, left;
};

static void settle(struct round *r)
{
    const struct sentinels *s = r->s;
    bool majority = 2 * r->pongs > s->n;

    if (r->answered && (majority || r->left == 0)) {
        sentinels_certain_done answered = r->answered;
        r->answered = NULL;
        answered(r->arg, majority && uv_now(s->o.loop) >= s->doubt_until);
    }
    if (r->left == 0)
        free(r);
}

/* What this Sentinel published before came before its answer. */
static void on_pong(void *arg, const redisReply *reply, const char *error)
{
    struct round *r = arg;

    (void)reply;
    r->left--;
    r->pongs += error == NULL;
    settle(r);
}

void sentinels_ask_certain(void *arg, sentinels_certain_done answered, void *answered_arg)
{
    struct sentinels *s = arg;
    struct round *r = malloc(sizeof(*r));

    if (!r) {
        answered(answered_arg, false);
        return;
    }
    *r = (struct round){.s = s, .answered = answered, .arg = answered_arg, .left = 1};
    for (unsigned i = 0; i < s->n; i++)
        if (s->one[i].subscribed && redis_words(s->one[i].listen, on_pong, r, "PING", NULL))
            r->left++;
    r->left--;
    settle(r);
}

static void on_subscribed(void *arg, const redisReply *reply, const char *error)
{
    struct sentinel *one = arg;

    (void)reply;
    one->subscribed = error == NULL;
}

static void on_listen_up(void *arg)
{
    struct sentinel *one = arg;

    redis_words(one->listen, on_subscribed, one, "PSUBSCRIBE", "*", NULL);
}

static void on_listen_down(void *arg, const char *why)
{
    struct sentinel *one = arg;

    (void)why;
    one->subscribed = false;
}

static void on_ask_up(void *arg)
{
    struct sentinel *one = arg;

    one->asked = false;
    ask(one->all);
}

static void on_ask_down(void *arg, const char *why)
{
    struct sentinel *one = arg;

    (void)why;
    one->asked = false;
}

/* Why one of those that do not answer does not. */
static void say_missing(struct sentinels *s, unsigned answering)
{
    uint64_t now = uv_now(s->o.loop);
    const struct sentinel *silent = &s->one[0];

    for (unsigned i = 1; i < s->n && is_fresh(silent, now); i++)
        silent = &s->one[i];
    alarm_raise(s->o.alarms, ALARM_redis_sentinels,
                "%u of %u Sentinels answer for the master %s (%s: %.150s): nobody is promoted when it fails",
                answering, s->n, s->master_name, silent->address,
                redis_is_up(silent->ask) ? "it does not know that name" : redis_state(silent->ask));
}

static void on_timer(uv_timer_t *timer)
{
    struct sentinels *s = timer->data;
    unsigned answering = sentinels_answering(s);

    watch_agreement(s);
    ask(s);
    if (uv_now(s->o.loop) - s->begun < 3 * FRESH_MS)
        return;
    if (2 * answering > s->n)
        alarm_clear(s->o.alarms, ALARM_redis_sentinels);
    else
        say_missing(s, answering);
}

static bool start(struct sentinel *one)
{
    const struct sentinels_options *o = &one->all->o;
    struct redis_options r = {.loop = o->loop,
                              .tls = o->tls,
                              .kind = REDIS_SENTINEL,
                              .timeout_ms = o->timeout_ms,
                              .backoff_max_ms = 1000,
                              .pending_max = 1024};
    struct redis_events asking = {.up = on_ask_up, .down = on_ask_down, .arg = one};
    struct redis_events listening = {.up = on_listen_up, .down = on_listen_down, .arg = one};
    struct hg_endpoint ep;

    if (!hg_endpoint_parse(slice_str(one->address), 26379, &ep))
        return false;
    hg_ip_format(&ep.ip, r.host);
    r.port = ep.port;
    snprintf(r.password, sizeof(r.password), "%s", o->password);
    one->ask = redis_create(&r, &asking);
    one->listen = redis_create(&r, &listening);
    explicit_bzero(r.password, sizeof(r.password));
    if (!one->ask || !one->listen)
        return false;
    redis_on_message(one->listen, on_message, one);
    return true;
}

struct sentinels *sentinels_create(const struct sentinels_options *o)
{
    struct sentinels *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->o = *o;
    snprintf(s->master_name, sizeof(s->master_name), "%s", o->master_name);
    s->begun = uv_now(o->loop);
    for (unsigned i = 0; i < o->n && i < SENTINELS_MAX; i++) {
        struct sentinel *one = &s->one[s->n];
        one->all = s;
        snprintf(one->address, sizeof(one->address), "%s", o->address[i]);
        if (start(one))
            s->n++;
        else
            log_printf(o->log, HG_LOG_ERROR, "redis_sentinel", "%s cannot be used", one->address);
    }
    s->o.address = NULL; /* the configuration may be replaced */
    s->o.password = s->o.master_name = NULL;
    s->o.tls = NULL; /* the connections have it */
    uv_timer_init(o->loop, &s->timer);
    s->timer.data = s;
    uv_timer_start(&s->timer, on_timer, ASK_MS, ASK_MS);
    return s;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void sentinels_close(struct sentinels *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n; i++) {
        redis_close(s->one[i].ask);
        redis_close(s->one[i].listen);
    }
    uv_timer_stop(&s->timer);
    uv_close((uv_handle_t *)&s->timer, on_closed);
}
