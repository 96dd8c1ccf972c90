/* SPDX-License-Identifier: BSD-2-Clause */
#include "real_redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static uint16_t free_port(void)
{
    struct sockaddr_in a = loopback(0);
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || getsockname(fd, (struct sockaddr *)&a, &len))
        abort();
    close(fd);
    return ntohs(a.sin_port);
}

/* With TLS: takes connections. */
static bool answers(const struct real_redis *r)
{
    struct sockaddr_in a = loopback(r->port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char answer[8] = "";
    bool ok = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
              (r->tls || (write(fd, "PING\r\n", 6) == 6 && read(fd, answer, 7) > 0 && answer[0] == '+'));

    close(fd);
    return ok;
}

static void run(const struct real_redis *r, const char *const *extra)
{
    char port[16], *argv[48] = {"redis-server",
                                "--port",
                                r->tls ? "0" : port,
                                "--bind",
                                "127.0.0.1",
                                "--dir",
                                (char *)r->dir,
                                "--save",
                                "",
                                "--appendonly",
                                "no",
                                "--maxmemory-policy",
                                "noeviction",
                                r->tls ? "--tls-port" : "--port",
                                port};
    int n = 15, null = open("/dev/null", O_WRONLY);

    snprintf(port, sizeof(port), "%u", r->port);
    for (; extra && *extra && n < 47; extra++)
        argv[n++] = (char *)(uintptr_t)*extra;
    dup2(null, 1);
    dup2(null, 2);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* not longer than the test */
    execvp(argv[0], argv);
    _exit(127);
}

static void start(struct real_redis *r, const char *const *extra)
{
    snprintf(r->dir, sizeof(r->dir), "/tmp/hg-redis-XXXXXX");
    if (!mkdtemp(r->dir))
        abort();
    for (unsigned attempt = 0; attempt < 5; attempt++) { /* the port may be taken before the server has it */
        r->port = free_port();
        r->pid = fork();
        if (r->pid == 0)
            run(r, extra);
        for (unsigned i = 0; i < 2000 && waitpid(r->pid, NULL, WNOHANG) == 0; i++) {
            if (answers(r))
                return;
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
    }
    fprintf(stderr, "redis-server does not start\n");
    abort();
}

void real_redis_start(struct real_redis *r, const char *const *extra)
{
    r->tls = false;
    start(r, extra);
}

void real_redis_start_tls(struct real_redis *r, const char *const *extra)
{
    r->tls = true;
    start(r, extra);
}

void real_redis_stop(struct real_redis *r)
{
    char command[128];

    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
    snprintf(command, sizeof(command), "rm -rf '%s'", r->dir);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", r->dir);
}
