/* SPDX-License-Identifier: BSD-2-Clause */
/* AUTH, ROLE and the settings that the record needs, when connecting; ROLE and the settings again each
 * second. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/redis_impl.h"

static bool send_words(struct redis *r, redis_answer answer, const char *a, const char *b, const char *c)
{
    const char *argv[3] = {a, b, c};
    int argc = c ? 3 : b ? 2 : 1;
    size_t len[3] = {strlen(a), b ? strlen(b) : 0, c ? strlen(c) : 0};

    return redis_queue_send(r, argc, argv, len, 0, answer, r);
}

/* 0 false, 1 true, -1 unknown (CONFIG may be forbidden) */
static int config_value(const redisReply *reply, const char *wanted)
{
    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
        reply->element[1]->type != REDIS_REPLY_STRING)
        return -1;
    return strcasecmp(reply->element[1]->str, wanted) == 0;
}

static void on_fsync(void *arg, const redisReply *reply, const char *error)
{
    struct redis *r = arg;

    (void)error;
    if (!reply)
        return;
    r->fsync_always = config_value(reply, "always");
    r->durable = r->appendonly < 0 || r->fsync_always < 0 ? -1 : r->appendonly && r->fsync_always;
    r->health_pending = false;
    if (r->phase == REDIS_HELLO)
        redis_hello_done(r);
    if (r->phase == REDIS_UP && r->ev.health)
        r->ev.health(r->ev.arg, r->replicas, r->eviction, r->durable);
}

static void on_appendonly(void *arg, const redisReply *reply, const char *error)
{
    struct redis *r = arg;

    (void)error;
    if (reply)
        r->appendonly = config_value(reply, "yes");
}

static void on_policy(void *arg, const redisReply *reply, const char *error)
{
    struct redis *r = arg;

    (void)error;
    if (!reply)
        return;
    int noeviction = config_value(reply, "noeviction");
    r->eviction = noeviction < 0 ? -1 : !noeviction;
}

static void refused(struct redis *r, const char *command, const char *error)
{
    if (strncmp(error, "NOAUTH", 6) == 0)
        redis_lost(r, "Redis wants a password: set node.redis.password");
    else
        redis_lost(r, "%s: %s", command, error);
}

static void on_role(void *arg, const redisReply *reply, const char *error)
{
    struct redis *r = arg;

    if (!reply)
        return;
    if (error) {
        refused(r, "ROLE", error);
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 1 ||
        reply->element[0]->type != REDIS_REPLY_STRING) {
        redis_lost(r, "ROLE: an answer of another form; is this Redis?");
        return;
    }
    if (strcmp(reply->element[0]->str, "master") != 0) {
        redis_lost(r, "this Redis is a %.20s, not the master", reply->element[0]->str);
        return;
    }
    bool list = reply->elements >= 3 && reply->element[2]->type == REDIS_REPLY_ARRAY;
    r->replicas = list ? (unsigned)reply->element[2]->elements : 0;
}

/* "run_id:<40 hexadecimal digits>\r\n" among other lines. */
static void on_info(void *arg, const redisReply *reply, const char *error)
{
    struct redis *r = arg;

    if (!reply)
        return;
    const char *at = !error && reply->type == REDIS_REPLY_STRING ? strstr(reply->str, "run_id:") : NULL;
    size_t len = at ? strspn(at + 7, "0123456789abcdefghijklmnopqrstuvwxyz") : 0;
    if (len == 0 || len >= sizeof(r->run_id)) {
        refused(r, "INFO", error ? error : "it does not tell its run id");
        return;
    }
    memcpy(r->run_id, at + 7, len);
    r->run_id[len] = '\0';
}

static void on_hello_end(void *arg, const redisReply *reply, const char *error)
{
    struct redis *r = arg;

    if (reply && error && r->phase == REDIS_HELLO)
        redis_lost(r, "PING: %s", error);
    else if (reply && r->phase == REDIS_HELLO)
        redis_hello_done(r);
}

static void on_auth(void *arg, const redisReply *reply, const char *error)
{
    struct redis *r = arg;

    if (reply && error) /* the text of Redis names no password */
        redis_lost(r, "AUTH: %s", error);
}

void redis_health(struct redis *r)
{
    if (r->health_pending)
        return;
    if (send_words(r, on_role, "ROLE", NULL, NULL) &&
        send_words(r, on_policy, "CONFIG", "GET", "maxmemory-policy") &&
        send_words(r, on_appendonly, "CONFIG", "GET", "appendonly") &&
        send_words(r, on_fsync, "CONFIG", "GET", "appendfsync"))
        r->health_pending = true;
}

void redis_hello(struct redis *r)
{
    r->health_pending = false;
    if (r->o.password[0] && !send_words(r, on_auth, "AUTH", r->o.password, NULL)) {
        redis_lost(r, "out of memory");
        return;
    }
    bool sent = true;
    if (r->o.kind != REDIS_SENTINEL)
        sent = send_words(r, on_info, "INFO", "server", NULL);
    if (sent && r->o.kind == REDIS_MASTER)
        redis_health(r);
    else if (sent)
        sent = (r->o.kind == REDIS_SENTINEL || send_words(r, on_role, "ROLE", NULL, NULL)) &&
               send_words(r, on_hello_end, "PING", NULL, NULL);
    if (!sent)
        redis_lost(r, "out of memory");
}
