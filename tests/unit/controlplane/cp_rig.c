/* SPDX-License-Identifier: BSD-2-Clause */
#include "cp_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "life/life.h"

void cp_rig_config(const struct cp_rig *rig, const char *more)
{
    FILE *f = fopen(rig->file, "w");

    assert_non_null(f);
    fprintf(f,
            "node: { name = \"%s\"; admin_socket = \"%s/s\"; metrics: { port = 0; };\n"
            "  redis: { port = %u; }; log: { level = \"error\"; }; };\n%s",
            rig->name, rig->dir, rig->redis_port, more);
    fclose(f);
}

void cp_rig_start(struct cp_rig *rig, const char *what, unsigned redis_port, const char *more)
{
    snprintf(rig->dir, sizeof(rig->dir), "/tmp/hg-%s-XXXXXX", what);
    assert_non_null(mkdtemp(rig->dir));
    snprintf(rig->file, sizeof(rig->file), "%s/c.cfg", rig->dir);
    snprintf(rig->name, sizeof(rig->name), "%stest%d", what, (int)getpid());
    rig->redis_port = redis_port;
    cp_rig_config(rig, more);
    rig->cp = calloc(1, sizeof(*rig->cp));
    rig->cp->config_file = rig->file;
    rig->cp->config = hg_config_load(rig->file, stderr);
    assert_non_null(rig->cp->config);
    assert_true(life_start(rig->cp));
}

void cp_rig_clear(struct cp_rig *rig)
{
    unlink(rig->file);
    assert_int_equal(rmdir(rig->dir), 0); /* the socket went with its server */
}

int cp_rig_dial(struct cp_rig *rig, int flags)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | flags, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", rig->dir);
    while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) { /* the server's queue is short */
        assert_int_equal(errno, EAGAIN);
        uv_run(&rig->cp->loop, UV_RUN_NOWAIT);
    }
    return fd;
}
