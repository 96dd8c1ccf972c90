/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of the admin socket. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/request.h"

/* A socket file that nobody listens on is a leftover of a process that died. */
static bool stale(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused =
        fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return refused;
}

static void make_folder(const char *path)
{
    char folder[108];

    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = '\0';
        mkdir(folder, 0755); /* /run/heliograph on a first start; if it fails, bind says why */
    }
}

int admin_socket_bind(uv_pipe_t *server, const char *path)
{
    if (stale(path))
        unlink(path);
    make_folder(path);
    mode_t mask = umask(0117); /* 0660 from the first moment */
    int rc = uv_pipe_bind(server, path);
    umask(mask);
    return rc;
}
