/* SPDX-License-Identifier: BSD-2-Clause */
#include "counters/hset.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIELD_MAX 400 /* a route or endpoint name and a suffix, a value: never more */

static void send_command(struct hset *h, int argc, const char **argv, const size_t *len)
{
    if (!h->failed && redis_send(h->redis, argc, argv, len, 0, h->answer, h->arg))
        h->sent++;
    else
        h->failed = true;
}

void hset_flush(struct hset *h)
{
    const char *argv[2 + HSET_FIELDS * 2] = {"HSET", h->key};
    size_t len[2 + HSET_FIELDS * 2] = {4, h->key ? strlen(h->key) : 0};

    if (h->n == 0)
        return;
    for (unsigned i = 0; i < h->n * 2; i++) {
        argv[2 + i] = h->bytes + h->at[i];
        len[2 + i] = h->len[i];
    }
    send_command(h, (int)(2 + h->n * 2), argv, len);
    h->fields += h->n;
    h->n = 0;
    h->used = 0;
}

void hset_begin(struct hset *h, const char *key)
{
    hset_flush(h);
    h->key = key;
}

static bool field(struct hset *h, const char *fmt, va_list ap)
{
    if (h->n == HSET_FIELDS || h->used + FIELD_MAX > HSET_BYTES)
        hset_flush(h);
    int n = vsnprintf(h->bytes + h->used, FIELD_MAX / 2, fmt, ap);
    if (n < 0 || n >= FIELD_MAX / 2)
        return false;
    h->at[h->n * 2] = h->used;
    h->len[h->n * 2] = (uint32_t)n;
    h->used += (uint32_t)n;
    return true;
}

static void value(struct hset *h, const char *text, uint32_t len)
{
    memcpy(h->bytes + h->used, text, len);
    h->at[h->n * 2 + 1] = h->used;
    h->len[h->n * 2 + 1] = len;
    h->used += len;
    h->n++;
}

void hset_u64(struct hset *h, uint64_t v, const char *fmt, ...)
{
    char text[24];
    va_list ap;

    va_start(ap, fmt);
    if (field(h, fmt, ap))
        value(h, text, (uint32_t)snprintf(text, sizeof(text), "%" PRIu64, v));
    va_end(ap);
}

void hset_text(struct hset *h, const char *text, const char *fmt, ...)
{
    size_t len = strnlen(text, FIELD_MAX / 2 - 1);
    va_list ap;

    va_start(ap, fmt);
    if (field(h, fmt, ap))
        value(h, text, (uint32_t)len);
    va_end(ap);
}

void hset_delete_key(struct hset *h, const char *key)
{
    const char *argv[2] = {"DEL", key};
    size_t len[2] = {3, strlen(key)};

    hset_flush(h);
    send_command(h, 2, argv, len);
}

void hset_delete_fields(struct hset *h, const char *const *fields, unsigned n)
{
    const char *argv[10] = {"HDEL", h->key};
    size_t len[10] = {4, strlen(h->key)};

    hset_flush(h);
    for (unsigned i = 0; i < n && i < 8; i++) {
        argv[2 + i] = fields[i];
        len[2 + i] = strlen(fields[i]);
    }
    send_command(h, (int)(2 + n), argv, len);
}
