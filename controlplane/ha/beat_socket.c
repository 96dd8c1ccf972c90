/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/beat_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_MAX 64   /* datagrams in one turn of the loop */
#define BUFFER   2048 /* larger than any heartbeat: a longer datagram is refused by its length */
#define DSCP_CS6 (48 << 2)

struct beat_socket {
    uv_poll_t poll;
    int fd;
    bool v6;
    beat_socket_read read;
    void *arg;
};

static socklen_t address_of(const struct hg_endpoint *ep, bool v6, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (v6) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;
        a->sin6_family = AF_INET6;
        a->sin6_port = htons(ep->port);
        memcpy(&a->sin6_addr, ep->ip.b, 16);
        return sizeof(*a);
    }
    struct sockaddr_in *a = (struct sockaddr_in *)out;
    a->sin_family = AF_INET;
    a->sin_port = htons(ep->port);
    a->sin_addr.s_addr = hg_ip_to4(&ep->ip);
    return sizeof(*a);
}

/* SO_TIMESTAMPNS is the kernel's time of day; a jump spoils one train. */
static uint64_t stamp(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        struct timespec ts;
        memcpy(&ts, CMSG_DATA(c), sizeof(ts));
        return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
    }
    return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct beat_socket *s = poll->data;
    uint8_t data[BUFFER];
    union {
        char room[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } control;

    (void)status;
    (void)events;
    for (unsigned i = 0; i < READ_MAX; i++) {
        struct iovec iov = {data, sizeof(data)};
        struct msghdr msg = {
            .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(s->fd, &msg, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == ECONNREFUSED || errno == EHOSTUNREACH))
            continue; /* what an earlier send met */
        if (n < 0)
            return;
        s->read(s->arg, data, (uint32_t)n, stamp(&msg));
    }
}

static bool open_fd(struct beat_socket *s, const struct hg_endpoint *ep)
{
    struct sockaddr_storage addr;
    int on = 1, tos = DSCP_CS6;

    s->v6 = !hg_ip_is4(&ep->ip);
    socklen_t len = address_of(ep, s->v6, &addr);
    s->fd = socket(s->v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return false;
    setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    setsockopt(s->fd, s->v6 ? IPPROTO_IPV6 : IPPROTO_IP, s->v6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof(tos));
    return bind(s->fd, (struct sockaddr *)&addr, len) == 0;
}

struct beat_socket *beat_socket_open(uv_loop_t *loop, const char *address, beat_socket_read read, void *arg,
                                     char *why, unsigned size)
{
    struct beat_socket *s = calloc(1, sizeof(*s));
    struct hg_endpoint ep;

    if (!s || !hg_endpoint_parse(slice_str(address), 0, &ep)) {
        snprintf(why, size, "node.address \"%s\" is not an address with a port", address);
        free(s);
        return NULL;
    }
    s->read = read;
    s->arg = arg;
    if (!open_fd(s, &ep)) {
        snprintf(why, size, "node.address %s: %s", address, strerror(errno));
        if (s->fd >= 0)
            close(s->fd);
        free(s);
        return NULL;
    }
    uv_poll_init(loop, &s->poll, s->fd);
    s->poll.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_readable);
    return s;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void beat_socket_close(struct beat_socket *s)
{
    if (!s)
        return;
    uv_poll_stop(&s->poll);
    close(s->fd);
    uv_close((uv_handle_t *)&s->poll, on_closed);
}

bool beat_socket_send(struct beat_socket *s, const struct hg_endpoint *to, const void *data, uint32_t len)
{
    struct sockaddr_storage addr;

    if (hg_ip_is4(&to->ip) == s->v6)
        return false;
    socklen_t n = address_of(to, s->v6, &addr);
    return sendto(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&addr, n) == (ssize_t)len;
}
