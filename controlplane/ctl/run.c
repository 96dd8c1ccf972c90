/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

static int set_timeout(struct ctl *ctl, const char *value)
{
    char *end;
    double seconds = strtod(value, &end);
    if (end == value || *end || !(seconds > 0 && seconds <= 86400)) {
        fprintf(ctl->err, "hgctl: --timeout takes seconds, more than 0 and at most 86400, not %s\n", value);
        return CTL_USAGE;
    }
    ctl->timeout_ms = (int)ceil(seconds * 1000);
    return CTL_DONE;
}

int ctl_global_option(struct ctl *ctl, int argc, char **argv, int *at)
{
    const char *arg = argv[*at];
    size_t len = strcspn(arg, "=");
    bool socket = len == 8 && memcmp(arg, "--socket", len) == 0;
    bool timeout = len == 9 && memcmp(arg, "--timeout", len) == 0;
    if (strcmp(arg, "--json") == 0) {
        ctl->json = true;
    } else if (strcmp(arg, "--quiet") == 0) {
        ctl->quiet = true;
    } else if (socket || timeout) {
        const char *value = arg[len] ? arg + len + 1 : *at + 1 < argc ? argv[++*at] : NULL;
        if (value == NULL) {
            fprintf(ctl->err, "hgctl: a value is missing after %s\n", arg);
            return CTL_USAGE;
        }
        if (timeout)
            return set_timeout(ctl, value);
        ctl->socket = value;
    } else {
        return -1;
    }
    return CTL_DONE;
}

/* -1: go on with the command; otherwise the exit status. *at: the first word that is no option. */
static int leading_options(struct ctl *ctl, int argc, char **argv, int *at)
{
    for (; *at < argc && argv[*at][0] == '-'; ++*at) {
        if (strcmp(argv[*at], "--help") == 0 || strcmp(argv[*at], "-h") == 0) {
            ctl_help(ctl->out);
            return CTL_DONE;
        }
        if (strcmp(argv[*at], "--version") == 0) {
            fprintf(ctl->out, "hgctl %s\n", HG_VERSION);
            return CTL_DONE;
        }
        int status = ctl_global_option(ctl, argc, argv, at);
        if (status < 0)
            fprintf(ctl->err, "hgctl: unknown option %s; `hgctl --help` lists the options\n", argv[*at]);
        if (status != CTL_DONE)
            return CTL_USAGE;
    }
    return -1;
}

static int dispatch(struct ctl *ctl, int argc, char **argv)
{
    int at = 1, used = 0;
    bool help = false;
    int status = leading_options(ctl, argc, argv, &at);
    if (status >= 0)
        return status;
    if (at == argc) {
        ctl_help(ctl->err);
        return CTL_USAGE;
    }
    ctl->command = ctl_find(argc - at, argv + at, &used);
    bool asked = at + 1 < argc && (strcmp(argv[at + 1], "--help") == 0 || strcmp(argv[at + 1], "-h") == 0);
    if (ctl->command == NULL && ctl_help_group(argv[at], asked ? ctl->out : ctl->err))
        return asked ? CTL_DONE : CTL_USAGE;
    if (ctl->command == NULL) {
        fprintf(ctl->err, "hgctl: no command %s%s%s; `hgctl --help` lists them\n", argv[at],
                at + 1 < argc ? " " : "", at + 1 < argc ? argv[at + 1] : "");
        return CTL_USAGE;
    }
    status = ctl_parse(ctl, argc - at - used, argv + at + used, &help);
    if (help) {
        ctl_help_command(ctl->command, ctl->out);
        return CTL_DONE;
    }
    return status == CTL_DONE ? ctl_run(ctl) : status;
}

int ctl_main(int argc, char **argv, FILE *out, FILE *err)
{
    const char *socket = getenv("HGCTL_SOCKET");
    struct ctl ctl = {
        .socket = socket && *socket ? socket : CTL_SOCKET,
        .timeout_ms = 10000,
        .args = json_object(),
        .local = json_object(),
        .out = out,
        .err = err,
        .fd = -1,
    };
    int status = ctl.args && ctl.local ? dispatch(&ctl, argc, argv) : CTL_REFUSED;
    ctl_close(&ctl);
    json_decref(ctl.args);
    json_decref(ctl.local);
    if (fflush(out) != 0 && status == CTL_DONE)
        status = CTL_REFUSED;
    return status;
}
