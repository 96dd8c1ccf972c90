/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_redis.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <hiredis/hiredis.h>

struct fake_client {
    uv_tcp_t tcp;
    struct fake_redis *f;
    struct fake_client *next;
    redisReader *reader; /* a command has the form of an answer */
    bool known;          /* the password was right */
    bool reads_log;      /* XREAD without an answer yet */
    char in[65536];
};

static void free_client(uv_handle_t *handle)
{
    struct fake_client *c = handle->data;

    redisReaderFree(c->reader);
    free(c);
}

static void drop(struct fake_client *c)
{
    struct fake_client **p = &c->f->clients;

    while (*p && *p != c)
        p = &(*p)->next;
    if (!*p)
        return;
    *p = c->next;
    uv_close((uv_handle_t *)&c->tcp, free_client);
}

static void say(struct fake_client *c, const char *text)
{
    size_t len = strlen(text), step = c->f->byte_by_byte ? 1 : len;

    for (size_t at = 0; at < len; at += step) {
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)(text + at), (unsigned)step);
        uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
    }
}

static void say_number(struct fake_client *c, long long n)
{
    char text[32];

    snprintf(text, sizeof(text), ":%lld\r\n", n);
    say(c, text);
}

static void say_pair(struct fake_client *c, const char *a, const char *b)
{
    char text[256];

    snprintf(text, sizeof(text), "*2\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n", strlen(a), a, strlen(b), b);
    say(c, text);
}

static void role(struct fake_client *c)
{
    char text[4096];
    size_t at = (size_t)snprintf(text, sizeof(text), "*3\r\n$%zu\r\n%s\r\n:1\r\n*%u\r\n", strlen(c->f->role),
                                 c->f->role, c->f->replicas);

    for (unsigned i = 0; i < c->f->replicas; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "*3\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\n1\r\n");
    say(c, text);
}

static size_t bulk(char *to, size_t size, const char *text)
{
    return (size_t)snprintf(to, size, "$%zu\r\n%s\r\n", strlen(text), text);
}

static void tell_log(struct fake_redis *f)
{
    for (struct fake_client *c = f->clients; c; c = c->next) {
        if (c->reads_log)
            say(c, f->entry);
        c->reads_log = false;
    }
}

/* EVALSHA hash 8 KEYS term run entries TABLE CODE FIELD VALUE VERSION: one item. */
static void change(struct fake_client *c, const redisReply *r)
{
    static const char *const table[] = {"nodes", "subclusters", "ha", "settings", "routes", "users"};
    struct fake_redis *f = c->f;
    char text[256], id[32], key[512];

    if (f->refusal) {
        snprintf(text, sizeof(text), "*2\r\n$%zu\r\n%s\r\n:0\r\n", strlen(f->refusal), f->refusal);
        say(c, text);
        return;
    }
    snprintf(id, sizeof(id), "1-%u", ++f->changes);
    snprintf(key, sizeof(key), "%s %s %s", table[atoi(r->element[14]->str) - 1],
             r->element[15]->str[0] == 's' ? "set" : "del", r->element[16]->str);
    size_t at = (size_t)snprintf(f->entry, sizeof(f->entry), "*1\r\n*2\r\n$3\r\nlog\r\n*1\r\n*2\r\n");
    at += bulk(f->entry + at, sizeof(f->entry) - at, id);
    at += (size_t)snprintf(f->entry + at, sizeof(f->entry) - at, "*2\r\n");
    at += bulk(f->entry + at, sizeof(f->entry) - at, key);
    bulk(f->entry + at, sizeof(f->entry) - at, r->element[17]->str);
    at = (size_t)snprintf(text, sizeof(text), "*2\r\n$2\r\nok\r\n");
    bulk(text + at, sizeof(text) - at, id);
    say(c, text);
    tell_log(f);
}

/* EVALSHA hash 3 ... is the hello */
static void script(struct fake_client *c, const redisReply *r)
{
    char text[128];

    if (strcmp(r->element[2]->str, "3") != 0) {
        change(c, r);
        return;
    }
    c->f->hellos++;
    snprintf(text, sizeof(text), "*5\r\n$1\r\n1\r\n$2\r\nid\r\n$%u\r\n%u\r\n$6\r\nfollow\r\n$0\r\n\r\n",
             c->f->changes > 9 ? 2 : 1, c->f->changes);
    say(c, text);
}

static void obey(struct fake_client *c, const redisReply *r)
{
    struct fake_redis *f = c->f;
    const char *cmd = r->element[0]->str;
    size_t at = 0;

    f->commands++;
    f->last[0] = '\0';
    for (size_t i = 0; i < r->elements && at < sizeof(f->last) - 1; i++)
        at += (size_t)snprintf(f->last + at, sizeof(f->last) - at, "%s%s", i ? " " : "", r->element[i]->str);
    if (f->silent)
        return;
    if (f->garbage) {
        say(c, "HTTP/1.0 400 no\r\n");
    } else if (strcasecmp(cmd, "AUTH") == 0) {
        c->known = f->password && strcmp(r->element[1]->str, f->password) == 0;
        say(c, c->known ? "+OK\r\n" : "-WRONGPASS no\r\n");
    } else if (f->password && !c->known) {
        say(c, "-NOAUTH Authentication required.\r\n");
    } else if (strcasecmp(cmd, "ROLE") == 0) {
        role(c);
    } else if (strcasecmp(cmd, "CONFIG") == 0) {
        const char *name = r->element[2]->str;
        say_pair(c, name,
                 strcmp(name, "maxmemory-policy") == 0 ? f->policy
                 : strcmp(name, "appendonly") == 0     ? "no"
                                                       : "everysec");
    } else if (strcasecmp(cmd, "EVALSHA") == 0) {
        f->evalshas++;
        if (f->no_script)
            say(c, "-NOSCRIPT No matching script.\r\n");
        else
            script(c, r);
    } else if (strcasecmp(cmd, "EVAL") == 0) {
        f->evals++;
        f->no_script = false;
        script(c, r);
    } else if (strcasecmp(cmd, "INFO") == 0) {
        say(c, "$23\r\n# Server\r\nrun_id:abc123\r\n");
    } else if (strcasecmp(cmd, "PING") == 0) {
        say(c, "+PONG\r\n");
    } else if (strcasecmp(cmd, "XREAD") == 0) {
        c->reads_log = true;
    } else if (strcasecmp(cmd, "HMGET") == 0) {
        char text[64];
        snprintf(text, sizeof(text), "*2\r\n$1\r\n1\r\n$%u\r\n%u\r\n", f->changes > 9 ? 2 : 1, f->changes);
        say(c, text);
    } else if (strcasecmp(cmd, "WAIT") == 0) {
        f->waits++;
        say_number(c, f->wait_answer);
    } else if (strcasecmp(cmd, "HSCAN") == 0) {
        say(c, "*2\r\n$1\r\n0\r\n*0\r\n");
    } else if (strcasecmp(cmd, "GET") == 0) {
        say(c, "$2\r\nid\r\n");
    } else {
        say_number(c, 1);
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct fake_client *c = stream->data;
    void *reply;

    if (n < 0) {
        drop(c);
        return;
    }
    redisReaderFeed(c->reader, buf->base, (size_t)n);
    while (redisReaderGetReply(c->reader, &reply) == REDIS_OK && reply) {
        obey(c, reply);
        freeReplyObject(reply);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct fake_client *c = handle->data;

    (void)suggested;
    *buf = uv_buf_init(c->in, sizeof(c->in));
}

static void on_connection(uv_stream_t *server, int status)
{
    struct fake_redis *f = server->data;
    struct fake_client *c = calloc(1, sizeof(*c));

    (void)status;
    c->f = f;
    c->reader = redisReaderCreate();
    uv_tcp_init(f->loop, &c->tcp);
    c->tcp.data = c;
    c->next = f->clients;
    f->clients = c;
    f->connections++;
    uv_accept(server, (uv_stream_t *)&c->tcp);
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

void fake_redis_start(struct fake_redis *f, uv_loop_t *loop)
{
    struct sockaddr_in addr;
    int len = sizeof(addr);

    memset(f, 0, sizeof(*f));
    f->loop = loop;
    f->role = "master";
    f->policy = "noeviction";
    uv_ip4_addr("127.0.0.1", 0, &addr);
    uv_tcp_init(loop, &f->server);
    f->server.data = f;
    uv_tcp_bind(&f->server, (struct sockaddr *)&addr, 0);
    uv_listen((uv_stream_t *)&f->server, 8, on_connection);
    uv_tcp_getsockname(&f->server, (struct sockaddr *)&addr, &len);
    f->port = ntohs(addr.sin_port);
}

void fake_redis_drop(struct fake_redis *f)
{
    while (f->clients)
        drop(f->clients);
}

void fake_redis_stop(struct fake_redis *f)
{
    fake_redis_drop(f);
    uv_close((uv_handle_t *)&f->server, NULL);
}

static void wake(uv_timer_t *timer)
{
    (void)timer;
}

bool turn_until(uv_loop_t *loop, const bool *flag, unsigned ms)
{
    uv_timer_t timer;
    uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;

    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, wake, 1, 5);
    while (!*flag && uv_hrtime() < end)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return *flag;
}

void turn_for(uv_loop_t *loop, unsigned ms)
{
    bool never = false;

    turn_until(loop, &never, ms);
}
