/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MAX 86400

struct name {
    struct resolver *r;
    char name[HG_HOST_MAX + 1];
    uint8_t kind;
    bool asked, answered, no_server, orphan;
    uint64_t due;
    uint32_t n;
    struct routes_address *address; /* last good, sorted */
    char error[200];
};

struct resolver {
    struct dns *dns;
    uv_loop_t *loop;
    void (*changed)(void *arg);
    void *arg;
    struct name **name; /* sorted */
    uint32_t n;
    unsigned running;
};

static int name_order(const char *a, uint8_t akind, const struct name *b)
{
    return akind != b->kind ? (int)akind - (int)b->kind : strcmp(a, b->name);
}

static int sort_order(const void *a, const void *b)
{
    const struct name *x = *(struct name *const *)a, *y = *(struct name *const *)b;

    return name_order(x->name, x->kind, y);
}

static struct name *find(const struct resolver *r, const char *text, uint8_t kind)
{
    uint32_t lo = 0, hi = r->n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = name_order(text, kind, r->name[mid]);
        if (c == 0)
            return r->name[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

struct resolver *resolver_create(struct dns *dns, uv_loop_t *loop, void (*changed)(void *arg), void *arg)
{
    struct resolver *r = calloc(1, sizeof(*r));

    if (r) {
        r->dns = dns;
        r->loop = loop;
        r->changed = changed;
        r->arg = arg;
    }
    return r;
}

static void name_free(struct name *n)
{
    dns_forget(n->r->dns, n);
    if (n->asked)
        n->r->running--;
    free(n->address);
    free(n);
}

void resolver_close(struct resolver *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->n; i++)
        name_free(r->name[i]);
    free(r->name);
    free(r);
}

bool resolver_want(struct resolver *r, const struct routes_name *names, uint32_t n)
{
    struct name **list = calloc(n ? n : 1, sizeof(list[0]));

    if (!list)
        return false;
    for (uint32_t i = 0; i < r->n; i++)
        r->name[i]->orphan = true;
    bool whole = true;
    for (uint32_t i = 0; i < n && whole; i++) {
        list[i] = find(r, names[i].name, names[i].kind);
        if (list[i]) {
            list[i]->orphan = false;
            continue;
        }
        list[i] = calloc(1, sizeof(*list[i]));
        whole = list[i] != NULL;
        if (whole) {
            list[i]->r = r;
            list[i]->kind = names[i].kind;
            snprintf(list[i]->name, sizeof(list[i]->name), "%s", names[i].name);
        }
    }
    if (!whole) { /* the names of before stay */
        for (uint32_t i = 0; i < n && list[i]; i++)
            if (!find(r, list[i]->name, list[i]->kind))
                free(list[i]);
        free(list);
        return false;
    }
    for (uint32_t i = 0; i < r->n; i++)
        if (r->name[i]->orphan)
            name_free(r->name[i]);
    free(r->name);
    r->name = list;
    r->n = n;
    qsort(r->name, r->n, sizeof(r->name[0]), sort_order);
    return true;
}

static int address_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct routes_address));
}

static void on_answer(void *arg, const struct dns_answer *answer)
{
    struct name *n = arg;
    struct resolver *r = n->r;
    bool first = !n->answered, news = false;
    uint32_t ttl = answer->ttl < 1 ? 1 : answer->ttl > TTL_MAX ? TTL_MAX : answer->ttl;

    n->asked = false;
    n->answered = true;
    n->no_server = answer->n == 0 && answer->no_server;
    n->due = uv_now(r->loop) + (uint64_t)ttl * 1000;
    r->running--;
    snprintf(n->error, sizeof(n->error), "%s", answer->n ? "" : answer->error);
    if (answer->n) {
        struct routes_address *list = calloc(answer->n, sizeof(list[0]));
        for (unsigned i = 0; list && i < answer->n; i++) {
            bool srv = n->kind != ROUTES_ADDRESSES;
            list[i].ip = answer->rr[i].ip;
            list[i].port = answer->rr[i].port;
            list[i].priority = answer->rr[i].priority;
            list[i].weight = srv ? answer->rr[i].weight : 1;
        }
        if (list) {
            qsort(list, answer->n, sizeof(list[0]), address_order); /* servers rotate their answers */
            news = n->n != answer->n || memcmp(list, n->address, answer->n * sizeof(list[0])) != 0;
            free(n->address);
            n->address = list;
            n->n = answer->n;
        }
    }
    if (first || news)
        r->changed(r->arg);
}

static void ask(struct resolver *r, struct name *n)
{
    char question[HG_HOST_MAX + 16];

    n->asked = true;
    r->running++;
    if (n->kind == ROUTES_ADDRESSES) {
        dns_addresses(r->dns, n->name, on_answer, n);
        return;
    }
    bool labelled = n->name[0] == '_'; /* L11: the SRV name itself */
    snprintf(question, sizeof(question), "%s%s", labelled ? "" : routes_srv_labels(n->kind), n->name);
    dns_service(r->dns, question, on_answer, n);
}

void resolver_turn(struct resolver *r, uint64_t now_ms)
{
    for (uint32_t i = 0; i < r->n && r->running < RESOLVER_RUNNING; i++) {
        struct name *n = r->name[i];
        if (!n->asked && now_ms >= n->due)
            ask(r, n);
    }
}

int64_t resolver_results(const struct resolver *r, struct routes_resolved **out)
{
    size_t addresses = 0;

    for (uint32_t i = 0; i < r->n; i++)
        addresses += r->name[i]->n;
    *out = malloc(r->n * sizeof(**out) + addresses * sizeof(struct routes_address) + 1);
    if (!*out)
        return -1;
    struct routes_address *at = (struct routes_address *)(void *)(*out + r->n);
    for (uint32_t i = 0; i < r->n; i++) {
        const struct name *n = r->name[i];
        struct routes_resolved *x = &(*out)[i];
        memset(x, 0, sizeof(*x));
        memcpy(x->name, n->name, sizeof(x->name));
        x->kind = n->kind;
        x->pending = !n->answered;
        x->n = n->n;
        x->address = at;
        if (n->n)
            memcpy(at, n->address, n->n * sizeof(*at));
        at += n->n;
    }
    return r->n;
}

const char *resolver_error(const struct resolver *r, const char *name, uint8_t kind)
{
    const struct name *n = find(r, name, kind);

    return n ? n->error : NULL;
}

uint32_t resolver_failed(const struct resolver *r, bool *no_server, const char **example)
{
    uint32_t failed = 0;

    *no_server = false;
    *example = "";
    for (uint32_t i = 0; i < r->n; i++) {
        const struct name *n = r->name[i];
        if (n->n || !n->answered)
            continue;
        if (failed++ == 0)
            *example = n->name;
        *no_server |= n->no_server;
    }
    return failed;
}
