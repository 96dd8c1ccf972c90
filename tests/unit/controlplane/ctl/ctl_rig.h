/* SPDX-License-Identifier: BSD-2-Clause */
/* hgctl as a function, against a server that says what the case wants. */
#ifndef TESTS_CTL_RIG_H
#define TESTS_CTL_RIG_H

#include <pthread.h>

#include "ctl/ctl.h"

struct server {
    char path[64];
    int listener;
    pthread_t thread;
    const char *const *replies; /* to the first request, to the second, ...; NULL: closes */
    char requests[4096];        /* what was asked, line by line */
};

extern char *out_text, *err_text; /* what the last run wrote */
extern struct server server;

/* Runs hgctl with the words of the line; returns its exit status. */
int run(const char *line);
int ask(const char *line, const char *const *replies);
#define ASK(line, ...) ask(line, (const char *const[]){__VA_ARGS__, NULL})
void has(const char *text, const char *part);
int ctl_rig_forget(void **state);

#endif
