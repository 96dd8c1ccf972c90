/* SPDX-License-Identifier: BSD-2-Clause */
/* A control plane without Redis and without a dataplane, asked over its socket. */
#ifndef TESTS_ADMIN_RIG_H
#define TESTS_ADMIN_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "../cp_rig.h"

struct rig {
    struct cp_rig own;
    struct controlplane *cp; /* of own */
};

int start(void **state);
int stop(void **state);
void admin_rig_config(const struct rig *rig, const char *more); /* behind what the file has at the start */
int dial(struct rig *rig);
/* One line, or NULL when the server closed; the loop turns meanwhile. */
char *get_line(struct rig *rig, int fd);
json_t *ask(struct rig *rig, const char *request);
void refused(struct rig *rig, const char *request, const char *code, const char *part);
json_t *done(struct rig *rig, const char *request); /* its result */
void wait_compiled(struct rig *rig);

#endif
