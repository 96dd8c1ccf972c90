/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for the control plane of a node that a test leads: compiles the routes of the file once, and tells
 * the dataplane what it is told on its standard input, line by line; each line is answered. node INDEX
 * IP:PORT [self] [pair]     user NAME@DOMAIN INDEX        serving HOME INDEX contacts NAME@DOMAIN [IP:PORT Q
 * URI]...                            service HOME [ADDRESS/BITS]... lease MS    so long from now; 0 = over,
 * -1 = no end renew MS    so long from now, again and again, for as long as this process runs; 0 = no more
 *   send IP:PORT TEXT      counter NAME      sync     (sync: answered when every core has it all)
 * A datagram that came is told as "datagram IP:PORT TEXT". */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "feed/feed.h"
#include "hg/config.h"
#include "hg/contacts.h"
#include "routes/routes.h"

#define WORDS 64

struct feeder {
    struct hg_config *config;
    struct routes *routes;
    struct feed *feed;
    bool attached;
    uint16_t serving[HG_NODES_MAX];
    uint64_t epoch, renew_ms;
    char line[65536];
    size_t have;
};

static struct feeder f;

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void say(const char *text)
{
    printf("%s\n", text);
    fflush(stdout);
}

static void on_attached(void *ctx, const struct hg_segment *segment)
{
    (void)ctx, (void)segment;
    f.attached = true;
}

static void on_datagram(void *ctx, const struct hg_endpoint *src, uint64_t tsc, const void *data,
                        uint32_t length)
{
    char from[HG_ENDPOINT_STRLEN], text[HG_ENDPOINT_STRLEN + HG_DATAGRAM_MAX + 16];
    (void)ctx, (void)tsc;
    hg_endpoint_format(src, from);
    snprintf(text, sizeof(text), "datagram %s %.*s", from, (int)length, (const char *)data);
    say(text);
}

static void on_message(void *ctx, enum hg_log_level level, const char *text)
{
    (void)ctx, (void)level;
    fprintf(stderr, "feeder: %s\n", text);
}

static bool start(const char *file)
{
    static const struct feed_handlers handlers = {
        .on_attached = on_attached, .on_datagram = on_datagram, .on_message = on_message};
    char name[64], why[256] = "no memory";
    f.config = hg_config_load(file, stderr);
    if (!f.config)
        return false;
    f.routes = routes_create(f.config->node_name, 4096, (uint64_t)time(NULL) * 1000000);
    f.feed = feed_create(f.config->node_name, &handlers, NULL);
    struct routes_input in = {.config = f.config};
    const struct routes_result *r = f.routes && f.feed ? routes_compile(f.routes, &in) : NULL;
    if (!r || !routes_publish(f.routes, name, why, sizeof(why)) ||
        !feed_image_set(f.feed, r->generation, r->size, name)) {
        fprintf(stderr, "feeder: %s\n", why);
        return false;
    }
    for (uint16_t i = 0; i < HG_NODES_MAX; i++)
        f.serving[i] = i;
    return true;
}

static struct hg_user_key key_of(const char *name)
{
    const char *at = strchr(name, '@');
    return hg_user_key(&feed_segment(f.feed)->header->secret, slice_of(name, (uint32_t)(at - name)),
                       slice_str(at + 1));
}

static void lease(int64_t ms)
{
    struct hg_segment_header *h = feed_segment(f.feed)->header;
    uint64_t until = ms < 0 ? UINT64_MAX : ms == 0 ? 1 : __rdtsc() + (uint64_t)ms * h->tsc_hz / 1000;
    atomic_store_explicit(&h->serve_until, until, memory_order_release);
}

/* ---- commands ---- */

static bool set_node(char **w, int n)
{
    struct hg_endpoint ep;
    bool self = false, pair = false;
    if (n < 3 || !hg_endpoint_parse(slice_str(w[2]), 5060, &ep))
        return false;
    for (int i = 3; i < n; i++) {
        self |= strcmp(w[i], "self") == 0;
        pair |= strcmp(w[i], "pair") == 0;
    }
    uint16_t node = (uint16_t)atoi(w[1]);
    return feed_node_set(f.feed, node, w[1], &ep, self) && feed_node_pair(f.feed, node, pair);
}

static bool set_contacts(char **w, int n)
{
    char bytes[HG_CONTACTS_BYTES];
    uint32_t length = 0;
    struct hg_endpoint ep;
    struct hg_user_key key = key_of(w[1]);
    for (int i = 2; i + 2 < n; i += 3)
        if (!hg_endpoint_parse(slice_str(w[i]), 5060, &ep) ||
            !(length = hg_contact_put(bytes, sizeof(bytes), length, &ep, (uint16_t)atoi(w[i + 1]),
                                      slice_str(w[i + 2]))))
            return false;
    return feed_contacts_set(f.feed, &key, bytes, length, (unsigned)(n - 2) / 3);
}

static bool set_service(char **w, int n)
{
    struct hg_net net[HG_SERVICE_MAX];
    for (int i = 2; i < n; i++) {
        const char *slash = strchr(w[i], '/');
        if (i - 2 >= HG_SERVICE_MAX || !slash || !hg_net_parse(slice_str(w[i]), &net[i - 2]) ||
            !hg_ip_parse(slice_of(w[i], (uint32_t)(slash - w[i])), &net[i - 2].ip))
            return false;
    }
    return feed_service_addresses(f.feed, (uint16_t)atoi(w[1]), net, (unsigned)(n - 2));
}

static bool wait_applied(void)
{
    struct feed_token token;
    uint64_t end = now_ms() + 60000;
    feed_users_loaded(f.feed);
    feed_mark(f.feed, &token);
    while (feed_applied(f.feed, &token, NULL) != FEED_APPLIED) {
        if (now_ms() > end)
            return false;
        if (!feed_poll(f.feed, now_ms()))
            usleep(1000);
    }
    return true;
}

static void tell_counter(const char *name)
{
    const struct hg_segment *s = feed_segment(f.feed);
    uint64_t sum = 0;
    for (unsigned id = 0; id < HG_COUNTERS_MAX; id++)
        for (unsigned i = 0; i < s->cores && strcmp(hg_counter_info[id].name, name) == 0; i++)
            sum += __atomic_load_n(&s->core[i].area->counters[id], __ATOMIC_RELAXED);
    printf("counter %s %llu\n", name, (unsigned long long)sum);
    fflush(stdout);
}

static bool send_text(char **w, int n)
{
    struct hg_endpoint ep;
    return n == 3 && hg_endpoint_parse(slice_str(w[1]), 5060, &ep) &&
           feed_datagram_send(f.feed, &ep, w[2], (uint32_t)strlen(w[2]));
}

static bool command(char **w, int n)
{
    if (!strcmp(w[0], "sync"))
        return wait_applied();
    if (n < 2)
        return false;
    if (!strcmp(w[0], "node"))
        return set_node(w, n);
    if (!strcmp(w[0], "contacts"))
        return set_contacts(w, n);
    if (!strcmp(w[0], "service"))
        return set_service(w, n);
    if (!strcmp(w[0], "send"))
        return send_text(w, n);
    if (!strcmp(w[0], "lease") || !strcmp(w[0], "renew")) {
        f.renew_ms = w[0][0] == 'r' ? (uint64_t)atoll(w[1]) : 0;
        lease(atoll(w[1]));
        return true;
    }
    if (n < 3)
        return false;
    if (!strcmp(w[0], "user")) {
        struct hg_user_key key = key_of(w[1]);
        return feed_user_set(f.feed, &key, (uint16_t)atoi(w[2]));
    }
    if (!strcmp(w[0], "serving")) {
        f.serving[atoi(w[1]) % HG_NODES_MAX] = (uint16_t)atoi(w[2]);
        return feed_serving_set(f.feed, f.serving, ++f.epoch);
    }
    return false;
}

static void take_line(char *line)
{
    char *word[WORDS], *save = NULL;
    int n = 0;
    for (char *p = strtok_r(line, " ", &save); p && n < WORDS; p = strtok_r(NULL, " ", &save))
        word[n++] = p;
    if (n == 2 && !strcmp(word[0], "counter"))
        tell_counter(word[1]);
    else if (n)
        say(command(word, n) ? "ok" : "refused");
}

/* false: the end of the input. */
static bool take_input(void)
{
    ssize_t got = read(STDIN_FILENO, f.line + f.have, sizeof(f.line) - 1 - f.have);
    char *end;
    if (got <= 0)
        return false;
    f.have += (size_t)got;
    f.line[f.have] = '\0';
    while ((end = strchr(f.line, '\n'))) {
        *end = '\0';
        take_line(f.line);
        f.have -= (size_t)(end + 1 - f.line);
        memmove(f.line, end + 1, f.have + 1);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (argc != 2 || !start(argv[1]))
        return 1;
    while (!f.attached) {
        feed_poll(f.feed, now_ms());
        usleep(10000);
    }
    say("attached");
    for (;;) {
        bool more = feed_poll(f.feed, now_ms());
        if (f.renew_ms)
            lease((int64_t)f.renew_ms);
        if (poll(&input, 1, more ? 0 : 10) > 0 && !take_input())
            break;
    }
    feed_destroy(f.feed);
    routes_retire(f.routes, UINT64_MAX);
    routes_destroy(f.routes);
    hg_config_free(f.config);
    return 0;
}
