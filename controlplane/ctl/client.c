/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket: requests out, lines in, each within its time. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl/show.h"

#define LINE_MAX_ (64u * 1024 * 1024) /* of a reply: a list of 100,000 routes is some 40 MB */

static int unreachable(struct ctl *ctl, const char *what)
{
    fprintf(ctl->err, "hgctl: %s: %s\n", ctl->socket, what);
    fprintf(ctl->err,
            "Is hg-controlplane running, and may you open its socket? (--socket PATH names another one)\n");
    return CTL_UNREACHABLE;
}

int ctl_connect(struct ctl *ctl)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (ctl->fd >= 0)
        return CTL_DONE;
    if (strlen(ctl->socket) >= sizeof(addr.sun_path))
        return unreachable(ctl, "the path is too long for a socket");
    strcpy(addr.sun_path, ctl->socket);
    ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ctl->fd < 0 || connect(ctl->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        int status = unreachable(ctl, strerror(errno));
        ctl_close(ctl);
        return status;
    }
    return CTL_DONE;
}

void ctl_close(struct ctl *ctl)
{
    if (ctl->fd >= 0)
        close(ctl->fd);
    ctl->fd = -1;
    free(ctl->line);
    ctl->line = NULL;
    ctl->fill = ctl->size = 0;
}

static long now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* false: not within the time */
static bool wait_for(struct ctl *ctl, short events, long deadline)
{
    for (;;) {
        struct pollfd p = {.fd = ctl->fd, .events = events};
        long left = deadline - now_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

int ctl_send(struct ctl *ctl, const char *cmd, json_t *args)
{
    json_t *request = json_pack("{s:i, s:s, s:O}", "v", CTL_VERSION, "cmd", cmd, "args", args);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (text == NULL) {
        fprintf(ctl->err, "hgctl: the arguments are not valid UTF-8\n");
        return CTL_USAGE;
    }
    size_t len = strlen(text), sent = 0;
    long deadline = now_ms() + ctl->timeout_ms;
    text[len++] = '\n'; /* in the place of the NUL */
    while (sent < len) {
        ssize_t n = send(ctl->fd, text + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            sent += (size_t)n;
        } else if (errno != EINTR && (errno != EAGAIN || !wait_for(ctl, POLLOUT, deadline))) {
            int status =
                unreachable(ctl, errno == EAGAIN ? "the control plane does not read" : strerror(errno));
            free(text);
            return status;
        }
    }
    free(text);
    return CTL_DONE;
}

/* The next line without its end, as JSON. */
static int next_line(struct ctl *ctl, json_t **reply)
{
    long deadline = now_ms() + ctl->timeout_ms;
    size_t scanned = 0;
    for (;;) {
        char *end = ctl->fill > scanned ? memchr(ctl->line + scanned, '\n', ctl->fill - scanned) : NULL;
        if (end != NULL) {
            json_error_t error;
            *reply = json_loadb(ctl->line, (size_t)(end - ctl->line), 0, &error);
            size_t used = (size_t)(end - ctl->line) + 1;
            memmove(ctl->line, ctl->line + used, ctl->fill - used);
            ctl->fill -= used;
            if (json_is_object(*reply))
                return CTL_DONE;
            json_decref(*reply);
            return unreachable(ctl, "it does not speak the protocol of hgctl");
        }
        scanned = ctl->fill;
        if (ctl->fill == ctl->size) {
            size_t size = ctl->size ? ctl->size * 2 : 65536;
            char *more = size <= LINE_MAX_ ? realloc(ctl->line, size) : NULL;
            if (more == NULL)
                return unreachable(ctl, "the reply is too long");
            ctl->line = more;
            ctl->size = size;
        }
        if (!wait_for(ctl, POLLIN, deadline))
            return unreachable(ctl, "no answer in time (--timeout SECONDS waits longer)");
        ssize_t n = recv(ctl->fd, ctl->line + ctl->fill, ctl->size - ctl->fill, 0);
        if (n == 0)
            return unreachable(ctl, "the control plane closed the connection");
        if (n < 0 && errno != EINTR)
            return unreachable(ctl, strerror(errno));
        ctl->fill += n > 0 ? (size_t)n : 0;
    }
}

static void show_progress(struct ctl *ctl, json_t *p)
{
    if (!show_terminal(ctl))
        return;
    const char *what = json_string_value(json_object_get(p, "what"));
    fprintf(ctl->err, "\r%lld of %lld %s ", (long long)json_integer_value(json_object_get(p, "done")),
            (long long)json_integer_value(json_object_get(p, "total")), what ? what : "");
    fflush(ctl->err);
    ctl->progress = true;
}

static void end_progress(struct ctl *ctl)
{
    if (ctl->progress)
        fputc('\n', ctl->err);
    ctl->progress = false;
}

/* What else forbids it: whoever mends the first one should not learn of the next by trying again. */
static void other_refusals(struct ctl *ctl, json_t *reply)
{
    const char *said = json_string_value(json_object_get(reply, "error"));
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(reply, "findings"), i, one)
    {
        const char *text = json_string_value(json_object_get(one, "text"));
        const char *allow = json_string_value(json_object_get(one, "allow"));
        if (text && said && strcmp(text, said) != 0 && !json_is_true(json_object_get(one, "warning")))
            fprintf(ctl->err, "hgctl: also: %s\n  hint: %s\n", text, allow ? allow : "");
    }
}

static int refused(struct ctl *ctl, json_t *reply)
{
    const char *error = json_string_value(json_object_get(reply, "error"));
    const char *hint = json_string_value(json_object_get(reply, "hint"));
    json_t *errors = json_object_get(reply, "errors"), *one;
    size_t i;
    if (ctl->json) {
        json_dumpf(reply, ctl->out, JSON_COMPACT);
        fputc('\n', ctl->out);
    }
    fprintf(ctl->err, "hgctl: %s\n", error ? error : "refused");
    json_array_foreach(errors, i, one) if (json_is_string(one))
        fprintf(ctl->err, "  %s\n", json_string_value(one));
    if (hint != NULL)
        fprintf(ctl->err, "  hint: %s\n", hint);
    other_refusals(ctl, reply);
    const char *code = json_string_value(json_object_get(reply, "code"));
    return code && strcmp(code, "late") == 0 ? CTL_LATE : CTL_REFUSED;
}

int ctl_reply(struct ctl *ctl, ctl_event_fn *event, void *arg, json_t **result)
{
    for (;;) {
        json_t *reply;
        int status = next_line(ctl, &reply);
        if (status != CTL_DONE)
            return status;
        json_t *progress = json_object_get(reply, "progress"), *news = json_object_get(reply, "event");
        if (progress != NULL) {
            show_progress(ctl, progress);
        } else if (news != NULL) {
            status = event ? event(ctl, arg, news) : 0;
        } else {
            end_progress(ctl);
            if (json_is_true(json_object_get(reply, "ok")))
                *result = json_incref(json_object_get(reply, "result"));
            else
                status = refused(ctl, reply);
            json_decref(reply);
            return status;
        }
        json_decref(reply);
        if (status != 0)
            return status;
    }
}

int ctl_request(struct ctl *ctl, const char *cmd, json_t *args, json_t **result)
{
    *result = NULL;
    int status = ctl_connect(ctl);
    if (status == CTL_DONE)
        status = ctl_send(ctl, cmd, args);
    if (status == CTL_DONE)
        status = ctl_reply(ctl, NULL, NULL, result);
    return status;
}

int ctl_run(struct ctl *ctl)
{
    json_t *result;
    if (ctl->command->run != NULL)
        return ctl->command->run(ctl);
    int status = ctl_request(ctl, ctl->command->cmd, ctl->args, &result);
    if (status != CTL_DONE)
        return status;
    if (ctl->json) {
        json_dumpf(result ? result : json_null(), ctl->out, JSON_COMPACT | JSON_ENCODE_ANY);
        fputc('\n', ctl->out);
    }
    status = ctl->command->show(ctl, result);
    json_decref(result);
    return status;
}
