/* SPDX-License-Identifier: BSD-2-Clause */
/* hgctl: one command line, one request to the admin socket (docs/admin-protocol.md). The commands are data:
 * help, manual page and completion are made from the same table that runs them. */
#ifndef HG_CTL_H
#define HG_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CTL_SOCKET  "/run/heliograph/admin.sock"
#define CTL_CONFIG  "/etc/heliograph/heliograph.cfg"
#define CTL_VERSION 1 /* of the protocol */

/* X(name, status, what it means) */
#define CTL_EXITS(X)                                                                                         \
    X(DONE, 0, "done")                                                                                       \
    X(REFUSED, 1, "refused, or not confirmed by the record: the message says what was changed, if anything") \
    X(USAGE, 2, "wrong usage")                                                                               \
    X(UNREACHABLE, 3, "the control plane cannot be reached, or did not answer in time")                      \
    X(NOT_READY, 4, "not as it should be: the node is not ready (status), something is BAD (troubleshoot)")  \
    X(LATE, 5, "the change is made and kept, and was not in force everywhere within the time")
enum ctl_exit {
#define CTL_EXIT(name, status, text) CTL_##name = status,
    CTL_EXITS(CTL_EXIT)
#undef CTL_EXIT
};

enum ctl_kind {
    CTL_TEXT,
    CTL_NUMBER,
    CTL_REAL,
    CTL_TRUTH,
    CTL_SET,
    CTL_CLEAR,
    CTL_NONE /* an empty list */
};           /* the last three take no value */

/* "--port" is an option, "NAME" an operand. member is its place in the request's args: "name", "route/port";
; "contacts+" is a list that grows each time;
 * what begins with a dash ("-pcap") stays here. */
struct ctl_param {
    const char *name;
    const char *member;
    enum ctl_kind kind;
    bool required;     /* operands only */
    const char *value; /* what an option's value is called, or its words "a|b" */
    const char *doc;
};

struct ctl;
struct ctl_command {
    const char *name; /* "route add" */
    const char *cmd;  /* of the protocol; NULL = done here */
    const struct ctl_param *params;
    const char *summary;
    const char *text; /* more of it, for help and manual; may be NULL */
    /* The reply for people; returns the exit status. */
    int (*show)(struct ctl *ctl, json_t *result);
    /* Instead of one request and its reply, if not NULL. */
    int (*run)(struct ctl *ctl);
};

extern const struct ctl_command ctl_commands[];
extern const unsigned ctl_commands_n;
extern const struct ctl_param ctl_global_params[];

struct ctl {
    const char *socket;
    int timeout_ms; /* between two lines of the server */
    bool json;
    bool quiet;
    const struct ctl_command *command;
    json_t *args;  /* for the request */
    json_t *local; /* what stays here */
    FILE *out, *err;
    int fd;
    char *line; /* read so far */
    size_t fill, size;
    bool progress; /* a progress line stands on the terminal */
};

/* args.c */
int ctl_parse(struct ctl *ctl, int argc, char **argv, bool *help);
/* client.c: done here means that the reply's result (a new reference) is in *result, or CTL_REFUSED etc. with
 * the error told. */
int ctl_connect(struct ctl *ctl);
int ctl_send(struct ctl *ctl, const char *cmd, json_t *args);
typedef int ctl_event_fn(struct ctl *ctl, void *arg, json_t *event); /* not 0 ends the stream */
int ctl_reply(struct ctl *ctl, ctl_event_fn *event, void *arg, json_t **result);
int ctl_request(struct ctl *ctl, const char *cmd, json_t *args, json_t **result);
void ctl_close(struct ctl *ctl);
int ctl_run(struct ctl *ctl);
/* run.c: CTL_DONE when argv[*at] was one (and its value), -1 when it is none */
int ctl_global_option(struct ctl *ctl, int argc, char **argv, int *at);
/* help.c */
void ctl_help(FILE *out);
void ctl_help_command(const struct ctl_command *command, FILE *out);
void ctl_usage(const struct ctl_command *command, FILE *out);
/* The commands that begin with this word; false: there are none. */
bool ctl_help_group(const char *word, FILE *out);
const struct ctl_command *ctl_find(int argc, char **argv, int *used);
/* hgctl's own main, for tests. */
int ctl_main(int argc, char **argv, FILE *out, FILE *err);

#endif
