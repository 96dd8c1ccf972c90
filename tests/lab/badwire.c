/* SPDX-License-Identifier: BSD-2-Clause */
/* A bad cable: carries frames between two interfaces of this namespace and spoils them as told. The kernels
 * of laboratories often have no netem; this needs nothing but packet sockets. Commands on standard input, a
 * line each, change it while it runs: ab loss=0.01 delay_ms=40 jitter_ms=2 duplicate=0.001 corrupt=0.001
 * rate_mbit=5 ba cut            nothing passes from B to A; "ba" alone: a perfect cable again Frames keep
 * their order where only the delay is set. Ends when its input ends. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 9216
#define HELD_MAX  8192 /* frames under way; more are lost, as in a real queue */

struct frame {
    struct frame *next;
    double due;
    uint32_t len;
    uint8_t bytes[];
};

struct way { /* one direction */
    int from, to;
    bool cut;
    double loss, delay_ms, jitter_ms, duplicate, corrupt, rate_mbit;
    double free_at;     /* when the last frame has left a cable of rate_mbit */
    struct frame *held; /* by due time */
    uint32_t nheld;
};

static uint64_t seed = 1;

static double chance(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) / (double)(1ull << 53);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_end(const char *name)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int one = 1, room = 8 << 20, fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));

    at.sll_ifindex = (int)if_nametoindex(name);
    if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at))) {
        fprintf(stderr, "badwire: interface %s: %s\n", name, strerror(errno));
        exit(2);
    }
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    return fd;
}

static void hold(struct way *w, const uint8_t *bytes, uint32_t len, double due)
{
    struct frame *f = w->nheld < HELD_MAX ? malloc(sizeof(*f) + len) : NULL;
    struct frame **at = &w->held;

    if (!f)
        return;
    f->due = due;
    f->len = len;
    memcpy(f->bytes, bytes, len);
    while (*at && (*at)->due <= due)
        at = &(*at)->next;
    f->next = *at;
    *at = f;
    w->nheld++;
}

static void take(struct way *w, double now)
{
    uint8_t bytes[FRAME_MAX];
    ssize_t len;

    for (unsigned i = 0; i < 256 && (len = recv(w->from, bytes, sizeof(bytes), 0)) > 0; i++) {
        double due = now;
        if (w->cut || chance() < w->loss)
            continue;
        if (w->rate_mbit > 0) {
            w->free_at = (w->free_at > now ? w->free_at : now) + (double)len * 8 / (w->rate_mbit * 1e6);
            due = w->free_at;
        }
        due += (w->delay_ms + chance() * w->jitter_ms) / 1e3;
        if (len > ETH_HLEN && chance() < w->corrupt)
            bytes[ETH_HLEN + (size_t)(chance() * (double)(len - ETH_HLEN))] ^= (uint8_t)(1u << (seed & 7));
        hold(w, bytes, (uint32_t)len, due);
        if (chance() < w->duplicate)
            hold(w, bytes, (uint32_t)len, due);
    }
}

static void give(struct way *w, double now)
{
    while (w->held && w->held->due <= now) {
        struct frame *f = w->held;
        if (!w->cut && send(w->to, f->bytes, f->len, 0) < 0 && errno != ENOBUFS && errno != EAGAIN &&
            errno != ENETDOWN && errno != EMSGSIZE)
            fprintf(stderr, "badwire: send: %s\n", strerror(errno));
        w->held = f->next;
        w->nheld--;
        free(f);
    }
}

static void command(struct way ways[2], char *line)
{
    char *word = strtok(line, " \n");
    struct way *w = word && !strcmp(word, "ab") ? &ways[0] : word && !strcmp(word, "ba") ? &ways[1] : NULL;

    if (!w) {
        fprintf(stderr, "badwire: a line begins with ab or ba\n");
        return;
    }
    struct {
        const char *name;
        double *value;
    } items[] = {{"loss", &w->loss},           {"delay_ms", &w->delay_ms}, {"jitter_ms", &w->jitter_ms},
                 {"duplicate", &w->duplicate}, {"corrupt", &w->corrupt},   {"rate_mbit", &w->rate_mbit}};
    w->cut = false;
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        *items[i].value = 0;
    while ((word = strtok(NULL, " \n"))) {
        char *value = strchr(word, '=');
        bool known = !strcmp(word, "cut");
        w->cut |= known;
        for (size_t i = 0; value && i < sizeof(items) / sizeof(items[0]); i++)
            if (!strncmp(word, items[i].name, (size_t)(value - word)) &&
                items[i].name[value - word] == '\0') {
                *items[i].value = atof(value + 1);
                known = true;
            }
        if (!known)
            fprintf(stderr, "badwire: unknown word %s\n", word);
    }
    printf("ok\n");
    fflush(stdout);
}

static int wait_ms(const struct way ways[2], double now)
{
    double due = now + 1;

    for (unsigned i = 0; i < 2; i++)
        if (ways[i].held && ways[i].held->due < due)
            due = ways[i].held->due;
    return due <= now ? 0 : (int)((due - now) * 1e3) + 1;
}

int main(int argc, char **argv)
{
    char line[512];
    struct pollfd fds[3];

    if (argc < 3) {
        fprintf(stderr, "usage: badwire IF_A IF_B [SEED]\n");
        return 2;
    }
    int a = open_end(argv[1]), b = open_end(argv[2]);
    struct way ways[2] = {{.from = a, .to = b}, {.from = b, .to = a}};
    if (argc > 3 && strtoull(argv[3], NULL, 10))
        seed = strtoull(argv[3], NULL, 10);
    setvbuf(stdin, NULL, _IONBF, 0);
    for (;;) {
        fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = a, .events = POLLIN};
        fds[2] = (struct pollfd){.fd = b, .events = POLLIN};
        poll(fds, 3, wait_ms(ways, now_s()));
        if (fds[0].revents) {
            if (!fgets(line, sizeof(line), stdin))
                return 0;
            command(ways, line);
        }
        for (unsigned i = 0; i < 2; i++) {
            take(&ways[i], now_s());
            give(&ways[i], now_s());
        }
    }
}
