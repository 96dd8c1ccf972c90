/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>

#define DEFAULT_FILE "/etc/heliograph/heliograph.cfg"

static void usage(FILE *to)
{
    fprintf(to,
            "Usage: hg-controlplane [-c FILE] [--check]\n"
            "The control plane of a Heliograph node: routes, users, names, counters, hgctl's socket.\n"
            "It stays in the foreground and logs to its standard error output.\n\n"
            "  -c, --config FILE  configuration (default %s)\n"
            "      --check        read the configuration, say everything that is wrong with it, and stop\n"
            "  -V, --version      print the version and stop\n"
            "  -h, --help         print this and stop\n\n"
            "Signals: SIGHUP reads the configuration again, SIGTERM and SIGINT stop.\n"
            "See hg-controlplane(8), heliograph.cfg(5), hgctl(1).\n",
            DEFAULT_FILE);
}

bool options_parse(int argc, char **argv, struct options *out, int *code)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"check", no_argument, NULL, 'C'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c;

    *out = (struct options){.file = DEFAULT_FILE};
    while ((c = getopt_long(argc, argv, "c:Vh", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            out->file = optarg;
            break;
        case 'C':
            out->check = true;
            break;
        case 'V':
            printf("hg-controlplane %s\n", HG_VERSION);
            *code = 0;
            return false;
        case 'h':
            usage(stdout);
            *code = 0;
            return false;
        default:
            fprintf(stderr, "Try 'hg-controlplane --help'.\n");
            *code = 2;
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "hg-controlplane: unexpected argument \"%s\"\nTry 'hg-controlplane --help'.\n",
                argv[optind]);
        *code = 2;
        return false;
    }
    return true;
}
