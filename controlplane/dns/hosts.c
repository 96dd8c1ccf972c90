/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "hg/limits.h"

#define TTL_MIN_S 5

struct host {
    struct hosts *all;
    uint64_t due; /* when to ask (again), ms; 0 = now */
    bool running;
    uint8_t state;
    struct hg_ip ip;
    uint32_t len;
    char name[]; /* lower case */
};

struct hosts {
    struct dns *dns;
    void (*changed)(void *arg);
    void *arg;
    uint64_t now_ms;
    struct host **slot; /* open addressing */
    uint32_t size, n, running, next;
};

static uint64_t hash_of(struct slice name)
{
    uint64_t h = 14695981039346656037ull;

    for (uint32_t i = 0; i < name.len; i++)
        h = (h ^ (uint8_t)ascii_lower(name.p[i])) * 1099511628211ull;
    return h ^ h >> 32;
}

struct hosts *hosts_create(struct dns *dns, void (*changed)(void *arg), void *arg)
{
    struct hosts *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    *h = (struct hosts){.dns = dns, .changed = changed, .arg = arg, .size = 64};
    h->slot = calloc(h->size, sizeof(h->slot[0]));
    if (h->slot)
        return h;
    free(h);
    return NULL;
}

void hosts_close(struct hosts *h)
{
    if (!h)
        return;
    for (uint32_t i = 0; i < h->size; i++) {
        if (h->slot[i] && h->slot[i]->running)
            dns_forget(h->dns, h->slot[i]);
        free(h->slot[i]);
    }
    free(h->slot);
    free(h);
}

uint32_t hosts_count(const struct hosts *h)
{
    return h->n;
}

static struct host **locate(const struct hosts *h, struct slice name)
{
    uint32_t i = (uint32_t)hash_of(name) & (h->size - 1);

    while (h->slot[i] && !slice_ieq(slice_of(h->slot[i]->name, h->slot[i]->len), name))
        i = (i + 1) & (h->size - 1);
    return &h->slot[i];
}

static bool grow(struct hosts *h)
{
    struct hosts bigger = *h;

    bigger.size = h->size * 2;
    bigger.slot = calloc(bigger.size, sizeof(bigger.slot[0]));
    if (!bigger.slot)
        return false;
    for (uint32_t i = 0; i < h->size; i++)
        if (h->slot[i])
            *locate(&bigger, slice_of(h->slot[i]->name, h->slot[i]->len)) = h->slot[i];
    free(h->slot);
    *h = bigger;
    return true;
}

static void on_answer(void *arg, const struct dns_answer *answer)
{
    struct host *host = arg;
    struct hosts *h = host->all;
    uint8_t was = host->state;
    struct hg_ip ip = host->ip;
    uint32_t ttl = answer->ttl < TTL_MIN_S ? TTL_MIN_S : answer->ttl;

    host->running = false;
    h->running--;
    host->due = h->now_ms + ttl * 1000ull;
    if (answer->n) {
        host->state = HOST_FOUND;
        host->ip = answer->rr[0].ip;
        for (unsigned i = 0; i < answer->n; i++) /* one of several stays as long as it is among them */
            if (was == HOST_FOUND && hg_ip_eq(&answer->rr[i].ip, &ip))
                host->ip = ip;
    } else if (was != HOST_FOUND || !answer->no_server) {
        host->state = HOST_FAILED;
    }
    if (host->state != was || (was == HOST_FOUND && !hg_ip_eq(&ip, &host->ip)))
        h->changed(h->arg);
}

static void ask(struct hosts *h, struct host *host)
{
    host->running = true;
    h->running++;
    dns_addresses(h->dns, host->name, on_answer, host);
}

enum host_state hosts_find(struct hosts *h, struct slice name, struct hg_ip *ip)
{
    struct host *host = *locate(h, name);

    if (host) {
        if (host->state == HOST_FOUND)
            *ip = host->ip;
        return host->state;
    }
    if (h->n >= HOSTS_MAX || name.len > HG_HOST_MAX || (h->n >= h->size / 2 && !grow(h)))
        return HOST_FAILED;
    host = calloc(1, sizeof(*host) + name.len + 1);
    if (!host)
        return HOST_FAILED;
    host->all = h;
    host->len = name.len;
    for (uint32_t i = 0; i < name.len; i++)
        host->name[i] = ascii_lower(name.p[i]);
    *locate(h, name) = host;
    h->n++;
    return HOST_ASKED; /* on the next turn: an answer must not come while its user is looked at */
}

void hosts_turn(struct hosts *h, uint64_t now_ms)
{
    h->now_ms = now_ms;
    for (uint32_t looked = 0; looked < h->size && looked < 4096 && h->running < HOSTS_RUNNING; looked++) {
        struct host *host = h->slot[h->next++ & (h->size - 1)];
        if (host && !host->running && now_ms >= host->due)
            ask(h, host);
    }
}
