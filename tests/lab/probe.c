/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks for users of a cluster all the time and is their only device: sends MESSAGEs for user000000@DOMAIN ...
 * to the entry nodes in turn, answers what reaches the contact with 200, and keeps account from outside:
 * which request was answered, which node delivered it, when each class of users was last not served. Nothing
 * is sent again, so a request that the cluster loses is lost here. The class of a user is its number modulo
 * the number of classes.
 *
 *   probe ADDRESS USERS CLASSES DOMAIN     callers at ADDRESS:5070, the contact of all users at ADDRESS:5080
 * Commands on standard input, a line each; every command is answered with one line:
 *   entry IP:PORT [IP:PORT ...]    where requests go, in turn
 *   rate N                         requests a second; 0 rests
 *   reset                          forgets the account
 *   report                         the account as one line of JSON; times are CLOCK_MONOTONIC in ns */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW     (1u << 18) /* requests that are remembered, by number */
#define LOST_NS    2000000000ull
#define ENTRIES    16
#define CLASSES    16
#define NODES      16
#define STATUS_MAX 700
#define LATENCIES  2048 /* buckets of 1 ms */

struct asked {
    uint64_t number; /* 0: none, or closed */
    uint64_t sent_ns;
    uint8_t class;
};

struct server { /* a node as the contact saw it */
    struct in_addr ip;
    uint64_t n, first_ns, last_ns;
};

struct account {
    uint64_t sent, ok, lost, late;
    uint64_t first_bad_ns, last_bad_ns; /* by the time of sending */
    uint64_t first_ok_ns, last_ok_ns;   /* by the time of the answer */
    uint32_t status[STATUS_MAX];
    uint32_t latency[LATENCIES];
    struct server server[NODES];
    uint32_t back_and_forth; /* deliveries by a node after another one had followed it */
    int last_server;
    bool left[NODES];
};

static struct asked asked[WINDOW];
static struct account account[CLASSES];
static struct sockaddr_in entry[ENTRIES];
static unsigned nentries, users, classes;
static const char *address, *domain;
static uint64_t number, oldest = 1, seed = 88172645463325252ull;
static int caller, callee;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static int open_port(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int room = 16 << 20, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1 || bind(fd, (struct sockaddr *)&at, sizeof(at))) {
        fprintf(stderr, "probe: %s:%u: %s\n", address, port, strerror(errno));
        exit(2);
    }
    return fd;
}

static void bad(struct account *a, uint64_t sent_ns)
{
    if (!a->first_bad_ns)
        a->first_bad_ns = sent_ns;
    if (sent_ns > a->last_bad_ns)
        a->last_bad_ns = sent_ns;
}

static void ask(void)
{
    char text[1024];
    uint64_t n = ++number;
    struct asked *q = &asked[n % WINDOW];
    unsigned user = (unsigned)(draw() % users);

    if (q->number) { /* still open, and its place is needed */
        account[q->class].lost++;
        bad(&account[q->class], q->sent_ns);
    }
    int len = snprintf(text, sizeof(text),
                       "MESSAGE sip:user%06u@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5070;branch=z9hG4bKp%llu\r\n"
                       "Max-Forwards: 20\r\nFrom: <sip:probe@%s>;tag=p%llu\r\nTo: <sip:user%06u@%s>\r\n"
                       "Call-ID: p%llu@%s\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
                       user, domain, address, (unsigned long long)n, domain, (unsigned long long)n, user,
                       domain, (unsigned long long)n, address);
    *q = (struct asked){.number = n, .sent_ns = now_ns(), .class = (uint8_t)(user % classes)};
    account[q->class].sent++;
    if (sendto(caller, text, (size_t)len, 0, (struct sockaddr *)&entry[n % nentries], sizeof(entry[0])) < 0) {
        account[q->class].sent--; /* our own machine, not the cluster */
        q->number = 0;
    }
}

static void lose(uint64_t now)
{
    for (; oldest <= number; oldest++) {
        struct asked *q = &asked[oldest % WINDOW];
        if (q->number != oldest)
            continue;
        if (now - q->sent_ns < LOST_NS)
            return;
        account[q->class].lost++;
        bad(&account[q->class], q->sent_ns);
        q->number = 0;
    }
}

static void on_answer(const char *text, uint64_t now)
{
    const char *id = strstr(text, "Call-ID: p");
    unsigned status = (unsigned)strtoul(text + 8, NULL, 10);
    uint64_t n = id ? strtoull(id + 10, NULL, 10) : 0;
    struct asked *q = &asked[n % WINDOW];

    if (strncmp(text, "SIP/2.0 ", 8) != 0 || status < 200 || status >= STATUS_MAX || !n || q->number != n)
        return;
    struct account *a = &account[q->class];
    uint64_t ms = (now - q->sent_ns) / 1000000;
    a->status[status]++;
    a->latency[ms < LATENCIES ? ms : LATENCIES - 1]++;
    if (status < 300) {
        a->ok++;
        if (!a->first_ok_ns)
            a->first_ok_ns = now;
        a->last_ok_ns = now;
    } else {
        bad(a, q->sent_ns);
    }
    q->number = 0;
}

static void served(struct account *a, struct in_addr by, uint64_t now)
{
    for (int i = 0; i < NODES; i++) {
        struct server *s = &a->server[i];
        if (s->n && s->ip.s_addr != by.s_addr)
            continue;
        if (!s->n) {
            s->ip = by;
            s->first_ns = now;
        }
        s->n++;
        s->last_ns = now;
        if (a->last_server >= 0 && a->last_server != i) {
            a->left[a->last_server] = true;
            a->back_and_forth += a->left[i];
        }
        a->last_server = i;
        return;
    }
}

static void on_request(char *text, const struct sockaddr_in *from, uint64_t now)
{
    static const char *const kept[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:"};
    char out[4096] = "SIP/2.0 200 OK\r\n", *save = NULL;
    size_t len = strlen(out);
    const char *user = strstr(text, "\r\nTo: <sip:user");

    if (strncmp(text, "MESSAGE ", 8) != 0) {
        if (strncmp(text, "OPTIONS ", 8) != 0)
            return;
        user = NULL;
    }
    if (user)
        served(&account[strtoul(user + 15, NULL, 10) % classes], from->sin_addr, now);
    for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save))
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
            if (strncmp(line, kept[i], strlen(kept[i])) == 0 && len + strlen(line) + 64 < sizeof(out))
                len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%s\r\n", line,
                                        i == 2 && !strstr(line, ";tag=") ? ";tag=c" : "");
    len += (size_t)snprintf(out + len, sizeof(out) - len, "Content-Length: 0\r\n\r\n");
    sendto(callee, out, len, 0, (const struct sockaddr *)from, sizeof(*from));
}

static void take(int fd)
{
    char text[8192];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t len;

    for (unsigned i = 0; i < 128; i++, from_len = sizeof(from)) {
        len = recvfrom(fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&from, &from_len);
        if (len <= 0)
            return;
        text[len] = '\0';
        if (fd == caller)
            on_answer(text, now_ns());
        else
            on_request(text, &from, now_ns());
    }
}

static double quantile(const struct account *a, double q)
{
    uint64_t n = 0, want, seen = 0;

    for (unsigned i = 0; i < LATENCIES; i++)
        n += a->latency[i];
    want = (uint64_t)(q * (double)n);
    for (unsigned i = 0; i < LATENCIES; i++)
        if ((seen += a->latency[i]) > want)
            return i;
    return 0;
}

static void report(void)
{
    printf("{\"now_ns\": %llu, \"classes\": [", (unsigned long long)now_ns());
    for (unsigned c = 0; c < classes; c++) {
        const struct account *a = &account[c];
        uint64_t open = 0;
        for (uint64_t n = oldest; n <= number; n++)
            open += asked[n % WINDOW].number == n && asked[n % WINDOW].class == c;
        printf("%s{\"sent\": %llu, \"ok\": %llu, \"lost\": %llu, \"open\": %llu, \"first_bad_ns\": %llu, "
               "\"last_bad_ns\": %llu, \"first_ok_ns\": %llu, \"last_ok_ns\": %llu, \"back_and_forth\": %u, "
               "\"p99_ms\": %.0f, \"status\": {",
               c ? ", " : "", (unsigned long long)a->sent, (unsigned long long)a->ok,
               (unsigned long long)a->lost, (unsigned long long)open, (unsigned long long)a->first_bad_ns,
               (unsigned long long)a->last_bad_ns, (unsigned long long)a->first_ok_ns,
               (unsigned long long)a->last_ok_ns, a->back_and_forth, quantile(a, 0.99));
        const char *comma = "";
        for (unsigned s = 0; s < STATUS_MAX; s++)
            if (a->status[s]) {
                printf("%s\"%u\": %u", comma, s, a->status[s]);
                comma = ", ";
            }
        printf("}, \"servers\": [");
        for (unsigned i = 0; i < NODES && a->server[i].n; i++)
            printf("%s{\"ip\": \"%s\", \"n\": %llu, \"first_ns\": %llu, \"last_ns\": %llu}", i ? ", " : "",
                   inet_ntoa(a->server[i].ip), (unsigned long long)a->server[i].n,
                   (unsigned long long)a->server[i].first_ns, (unsigned long long)a->server[i].last_ns);
        printf("]}");
    }
    printf("]}\n");
}

static void reset(void)
{
    memset(account, 0, sizeof(account));
    memset(asked, 0, sizeof(asked));
    oldest = number + 1;
    for (unsigned i = 0; i < CLASSES; i++)
        account[i].last_server = -1;
}

static void command(char *line, double *rate)
{
    char *word = strtok(line, " \n"), *colon;

    if (word && !strcmp(word, "report")) {
        report();
    } else if (word && !strcmp(word, "reset")) {
        reset();
        printf("ok\n");
    } else if (word && !strcmp(word, "rate")) {
        word = strtok(NULL, " \n");
        *rate = word ? atof(word) : 0;
        printf("ok\n");
    } else if (word && !strcmp(word, "entry")) {
        for (nentries = 0; nentries < ENTRIES && (word = strtok(NULL, " \n"));) {
            struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(5060)};
            if ((colon = strchr(word, ':'))) {
                *colon = '\0';
                at.sin_port = htons((uint16_t)atoi(colon + 1));
            }
            if (inet_pton(AF_INET, word, &at.sin_addr) == 1)
                entry[nentries++] = at;
        }
        printf("ok %u\n", nentries);
    } else {
        printf("unknown command\n");
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[1024];
    double rate = 0, owed = 0;
    uint64_t before;

    if (argc != 5) {
        fprintf(stderr, "usage: probe ADDRESS USERS CLASSES DOMAIN\n");
        return 2;
    }
    address = argv[1];
    users = (unsigned)atoi(argv[2]);
    classes = (unsigned)atoi(argv[3]);
    domain = argv[4];
    if (!users || !classes || classes > CLASSES) {
        fprintf(stderr, "probe: users from 1, classes from 1 to %u\n", CLASSES);
        return 2;
    }
    caller = open_port(5070);
    callee = open_port(5080);
    reset();
    setvbuf(stdin, NULL, _IONBF, 0);
    before = now_ns();
    for (;;) {
        struct pollfd fds[3] = {{STDIN_FILENO, POLLIN, 0}, {caller, POLLIN, 0}, {callee, POLLIN, 0}};
        poll(fds, 3, 1);
        if (fds[0].revents) {
            if (!fgets(line, sizeof(line), stdin))
                return 0;
            command(line, &rate);
        }
        take(callee);
        take(caller);
        uint64_t now = now_ns();
        owed += rate * (double)(now - before) / 1e9;
        before = now;
        if (owed > rate / 20) /* after a stall not all at once: at most 50 ms of it */
            owed = rate / 20;
        for (; owed >= 1 && nentries; owed--)
            ask();
        lose(now_ns());
    }
}
