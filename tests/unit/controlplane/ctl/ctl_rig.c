/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void *serve(void *arg)
{
    struct server *s = arg;
    size_t fill = 0;
    int fd = accept(s->listener, NULL, NULL);
    if (fd < 0)
        return NULL;
    for (const char *const *reply = s->replies; *reply; reply++) {
        char c = 0;
        while (c != '\n' && recv(fd, &c, 1, 0) == 1 && fill + 1 < sizeof(s->requests))
            s->requests[fill++] = c;
        if (send(fd, *reply, strlen(*reply), MSG_NOSIGNAL) < 0)
            break;
    }
    /* "wait": says nothing and stays, until the client has had enough */
    char c;
    if (s->replies[0] && s->replies[0][0] == 0)
        while (recv(fd, &c, 1, 0) == 1)
            ;
    close(fd);
    return NULL;
}

char *out_text, *err_text;
struct server server;

static void start(const char *const *replies)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memset(&server, 0, sizeof(server));
    server.replies = replies;
    snprintf(server.path, sizeof(server.path), "/tmp/hg-ctl-test.%d", (int)getpid());
    unlink(server.path);
    strcpy(addr.sun_path, server.path);
    server.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(server.listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(server.listener, 1), 0);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
}

int run(const char *line)
{
    char copy[1024], *argv[64], *save = NULL;
    int argc = 0;
    size_t n;
    free(out_text);
    free(err_text);
    FILE *out = open_memstream(&out_text, &n), *err = open_memstream(&err_text, &n);
    snprintf(copy, sizeof(copy), "%s", line);
    argv[argc++] = "hgctl";
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    int status = ctl_main(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return status;
}

int ask(const char *line, const char *const *replies)
{
    start(replies);
    setenv("HGCTL_SOCKET", server.path, 1);
    int status = run(line);
    shutdown(server.listener, SHUT_RDWR); /* if nobody came */
    pthread_join(server.thread, NULL);
    close(server.listener);
    unlink(server.path);
    return status;
}

void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in\n%s", part, text);
}

int ctl_rig_forget(void **state)
{
    (void)state;
    free(out_text);
    free(err_text);
    return 0;
}
