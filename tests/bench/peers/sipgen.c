/* SPDX-License-Identifier: BSD-2-Clause */
/* Closed-loop SIP load and sink in one polling thread: sends requests to a server, counts what arrives at the
 * sink, and divides the server's CPU time by it. A bounded window keeps the server busy without loss. sipgen
 * -d SERVER:PORT -s SOURCE:PORT -k SINK:PORT [-m message|invite] [-w WINDOW] [-t SECONDS] [-W WARM-UP]
 *          [-u USERS] [-p PID+,PID] [-c CPU] [-r] [-G] [-l LABEL]
 *   -r  the sink answers 200: a unit is a transaction        -G  register each user once, then end
 * Prints one line: label=.. units=.. seconds=.. us_per_unit=.. lost=.. */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "../messages.h"
#include "cpu.h"

#define BURST 32
#define ROOM  2048

struct gen {
    struct sockaddr_in server, source, sink;
    const char *source_text, *sink_text;
    const char *label, *template;
    struct cpu_pids pids;
    unsigned users, window, cpu;
    double seconds, warm_up;
    bool answers, registers;
    int out_fd, sink_fd;
    uint64_t seed, seq;
    long outstanding;
    uint64_t sent, arrived, completed, lost;
};

static struct sockaddr_in address(const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char host[64];
    int port;
    if (sscanf(text, "%63[^:]:%d", host, &port) != 2 || inet_pton(AF_INET, host, &a.sin_addr) != 1) {
        fprintf(stderr, "sipgen: '%s' is not ADDRESS:PORT\n", text);
        exit(2);
    }
    a.sin_port = htons((uint16_t)port);
    return a;
}

static int udp_socket(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 1 << 26;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0) {
        perror("sipgen: bind");
        exit(1);
    }
    return fd;
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdull;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ull;
    return x ^ x >> 33;
}

static void send_burst(struct gen *g)
{
    static char room[BURST][ROOM];
    struct iovec iov[BURST];
    struct mmsghdr m[BURST];
    memset(m, 0, sizeof(m));
    unsigned n = BURST;
    if (g->registers && g->users - g->seq < n)
        n = (unsigned)(g->users - g->seq);
    for (unsigned i = 0; i < n; i++) {
        uint64_t r = mix(g->seq + i + g->seed);
        struct bench_vary v = {.call_id = r, .tag = (uint32_t)(r >> 13)};
        v.user = g->registers ? (uint32_t)(g->seq + i) : (uint32_t)(r % g->users);
        iov[i].iov_base = room[i];
        iov[i].iov_len = bench_build(room[i], g->template, &v, g->source_text);
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
        m[i].msg_hdr.msg_name = &g->server;
        m[i].msg_hdr.msg_namelen = sizeof(g->server);
    }
    int done = sendmmsg(g->out_fd, m, n, 0);
    if (done > 0) {
        g->seq += (unsigned)done;
        g->sent += (unsigned)done;
        g->outstanding += done;
    }
}

/* 200 OK with the headers that a response mirrors */
static size_t build_answer(const char *in, size_t n, char *out)
{
    static uint32_t tag;
    char *o = stpcpy(out, "SIP/2.0 200 OK\r\n");
    const char *p = memchr(in, '\n', n), *end = in + n;
    for (p = p ? p + 1 : end; p < end;) {
        const char *q = memchr(p, '\n', (size_t)(end - p));
        if (!q || q - p < 2)
            break;
        size_t len = (size_t)(++q - p);
        bool to = strncasecmp(p, "To:", 3) == 0;
        if (to || strncasecmp(p, "Via:", 4) == 0 || strncasecmp(p, "From:", 5) == 0 ||
            strncasecmp(p, "Call-ID:", 8) == 0 || strncasecmp(p, "CSeq:", 5) == 0 ||
            strncasecmp(p, "Record-Route:", 13) == 0) {
            memcpy(o, p, len - (to ? 2 : 0));
            o += len - (to ? 2 : 0);
            if (to)
                o = stpcpy(bench_hex(stpcpy(o, ";tag=a6"), ++tag, 8), "\r\n");
        }
        p = q;
    }
    o = stpcpy(o, "Contact: <sip:bob@127.0.0.1:5090>\r\nContent-Length: 0\r\n\r\n");
    return (size_t)(o - out);
}

static int drain(int fd, char room[][ROOM * 2], struct mmsghdr *m, struct iovec *iov,
                 struct sockaddr_in *from)
{
    memset(m, 0, 64 * sizeof(*m));
    for (int i = 0; i < 64; i++) {
        iov[i] = (struct iovec){room[i], ROOM * 2};
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
        m[i].msg_hdr.msg_name = &from[i];
        m[i].msg_hdr.msg_namelen = sizeof(from[i]);
    }
    int n = recvmmsg(fd, m, 64, MSG_DONTWAIT, NULL);
    return n < 0 ? 0 : n;
}

static void sink_turn(struct gen *g)
{
    static char room[64][ROOM * 2], back[64][ROOM * 2];
    struct mmsghdr m[64];
    struct iovec iov[64];
    struct sockaddr_in from[64];
    int n = drain(g->sink_fd, room, m, iov, from);
    g->arrived += (unsigned)n;
    if (!g->answers) {
        g->outstanding -= n;
        return;
    }
    for (int i = 0; i < n; i++) {
        iov[i].iov_len = build_answer(room[i], m[i].msg_len, back[i]);
        iov[i].iov_base = back[i];
    }
    for (int sent = 0; sent < n;) {
        int k = sendmmsg(g->sink_fd, m + sent, (unsigned)(n - sent), 0);
        if (k > 0)
            sent += k;
    }
}

static void answers_turn(struct gen *g)
{
    static char room[64][ROOM * 2];
    struct mmsghdr m[64];
    struct iovec iov[64];
    struct sockaddr_in from[64];
    int n = drain(g->out_fd, room, m, iov, from);
    for (int i = 0; i < n; i++) {
        if (m[i].msg_len > 9 && memcmp(room[i], "SIP/2.0 2", 9) == 0) {
            g->completed++;
            if (g->answers || g->registers)
                g->outstanding--;
        }
    }
}

static uint64_t units(const struct gen *g)
{
    return g->answers || g->registers ? g->completed : g->arrived;
}

static void run(struct gen *g)
{
    double start = now_seconds(), measured = 0, last_move = start, cpu0 = 0;
    uint64_t units0 = 0, seen = 0, lost0 = 0;
    bool counting = false;
    for (;;) {
        double now = now_seconds();
        if (!counting && (now - start > g->warm_up || g->registers)) {
            counting = true;
            measured = now;
            cpu0 = cpu_seconds(&g->pids);
            units0 = units(g);
            lost0 = g->lost;
        }
        if (g->registers ? units(g) >= g->users || now - start > 120
                         : counting && now - measured > g->seconds)
            break;
        if (units(g) != seen) {
            seen = units(g);
            last_move = now;
        } else if (now - last_move > 0.3 && g->outstanding > 0) { /* what is missing will not come */
            g->lost += (uint64_t)g->outstanding;
            if (g->registers)
                g->seq = g->completed;
            g->outstanding = 0;
            last_move = now;
        }
        if (g->outstanding + BURST <= (long)g->window && !(g->registers && g->seq >= g->users))
            send_burst(g);
        sink_turn(g);
        answers_turn(g);
        if (g->outstanding < 0)
            g->outstanding = 0;
    }
    double seconds = now_seconds() - measured, cpu = cpu_seconds(&g->pids) - cpu0;
    uint64_t n = units(g) - units0;
    printf("label=%s units=%lu seconds=%.3f per_s=%.0f us_per_unit=%.3f utilisation=%.2f lost=%lu\n",
           g->label, (unsigned long)n, seconds, (double)n / seconds, n ? cpu / (double)n * 1e6 : 0,
           cpu / seconds, (unsigned long)(g->lost - lost0));
}

int main(int argc, char **argv)
{
    struct gen g = {.label = "run",
                    .template = bench_message,
                    .users = 100000,
                    .window = 256,
                    .seconds = 3,
                    .warm_up = 0.7,
                    .source_text = "127.0.0.1:5080",
                    .sink_text = "127.0.0.1:5090"};
    const char *server = "127.0.0.1:5060", *pids = "";
    static char with_contact[sizeof(BENCH_REGISTER) + 64];
    int cpu = -1;
    for (int o; (o = getopt(argc, argv, "d:s:k:m:w:t:W:u:p:c:rGl:")) != -1;) {
        switch (o) {
        case 'd':
            server = optarg;
            break;
        case 's':
            g.source_text = optarg;
            break;
        case 'k':
            g.sink_text = optarg;
            break;
        case 'm':
            g.template = strcmp(optarg, "invite") == 0 ? bench_invite : bench_message;
            break;
        case 'w':
            g.window = (unsigned)atoi(optarg);
            break;
        case 't':
            g.seconds = atof(optarg);
            break;
        case 'W':
            g.warm_up = atof(optarg);
            break;
        case 'u':
            g.users = (unsigned)atoi(optarg);
            break;
        case 'p':
            pids = optarg;
            break;
        case 'c':
            cpu = atoi(optarg);
            break;
        case 'r':
            g.answers = true;
            break;
        case 'G':
            g.registers = true;
            break;
        case 'l':
            g.label = optarg;
            break;
        default:
            fprintf(stderr, "sipgen: see the comment at the top of sipgen.c\n");
            return 2;
        }
    }
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
    if (g.registers) {
        snprintf(with_contact, sizeof(with_contact), BENCH_REGISTER, g.sink_text);
        g.template = with_contact;
    }
    g.server = address(server);
    g.source = address(g.source_text);
    g.sink = address(g.sink_text);
    g.out_fd = udp_socket(&g.source);
    g.sink_fd = udp_socket(&g.sink);
    cpu_pids_parse(&g.pids, pids);
    g.seed = (uint64_t)(now_seconds() * 1e9);
    run(&g);
    return 0;
}
