/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "store/redis_impl.h"

bool redis_queue_send(struct redis *r, int argc, const char **argv, const size_t *argvlen,
                      unsigned deadline_ms, redis_answer answer, void *arg)
{
    if (!r->link || r->count == r->ring_size || r->link->queued > r->o.queue_bytes)
        return false;
    char *bytes;
    int len = redisFormatCommandArgv(&bytes, argc, argv, argvlen);
    if (len < 0 || !redis_link_write(r->link, bytes, (size_t)len))
        return false;
    if (deadline_ms == 0)
        deadline_ms = r->o.timeout_ms;
    r->ring[(r->head + r->count) % r->ring_size] =
        (struct redis_command){.answer = answer, .arg = arg, .deadline = uv_now(r->o.loop) + deadline_ms};
    r->count++;
    return true;
}

bool redis_send(struct redis *r, int argc, const char **argv, const size_t *argvlen, unsigned deadline_ms,
                redis_answer answer, void *arg)
{
    return r->phase == REDIS_UP && redis_queue_send(r, argc, argv, argvlen, deadline_ms, answer, arg);
}

bool redis_words(struct redis *r, redis_answer answer, void *arg, const char *word, ...)
{
    const char *argv[16];
    size_t len[16];
    int argc = 0;
    va_list ap;

    va_start(ap, word);
    for (const char *w = word; w && argc < 16; w = va_arg(ap, const char *)) {
        argv[argc] = w;
        len[argc++] = strlen(w);
    }
    va_end(ap);
    return redis_send(r, argc, argv, len, 0, answer, arg);
}

/* An answer function may send new commands, or end the connection: only the commands of now are failed. */
void redis_queue_fail(struct redis *r, const char *why)
{
    for (unsigned n = r->count; n > 0 && r->count > 0; n--) {
        struct redis_command c = r->ring[r->head];
        r->head = (r->head + 1) % r->ring_size;
        r->count--;
        c.answer(c.arg, NULL, why);
    }
}

/* Of a subscription: comes between the answers. */
static bool is_message(const redisReply *reply)
{
    const redisReply *kind = reply->type == REDIS_REPLY_ARRAY && reply->elements ? reply->element[0] : NULL;

    return kind && kind->type == REDIS_REPLY_STRING &&
           (strcmp(kind->str, "pmessage") == 0 || strcmp(kind->str, "message") == 0);
}

void redis_queue_answer(struct redis *r, const redisReply *reply)
{
    if (r->message && (r->count == 0 || is_message(reply))) {
        r->message(r->message_arg, reply, NULL);
        return;
    }
    if (r->count == 0) {
        redis_lost(r, "an answer that nobody asked for");
        return;
    }
    struct redis_command c = r->ring[r->head];
    r->head = (r->head + 1) % r->ring_size;
    r->count--;
    c.answer(c.arg, reply, reply->type == REDIS_REPLY_ERROR ? reply->str : NULL);
}

/* Redis answers in order, but deadlines differ by command: look at the oldest only, it holds up the others.
 */
bool redis_queue_late(const struct redis *r, uint64_t now)
{
    return r->count > 0 && now > r->ring[r->head].deadline;
}

unsigned redis_pending(const struct redis *r)
{
    return r->count;
}
