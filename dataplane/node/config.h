/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of hg-dataplane, and what its part of the configuration means for EAL. */
#ifndef DATAPLANE_NODE_CONFIG_H
#define DATAPLANE_NODE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "hg/config.h"
#include "hg/limits.h"

#define HG_CONFIG_FILE "/etc/heliograph/heliograph.cfg"

struct options {
    const char *config_file;
    bool check; /* read the configuration, say what is wrong, end */
    bool done;  /* --help or --version was answered */
};

/* false: wrong usage, said on stderr. */
bool options_parse(struct options *o, int argc, char **argv);

/* CPUs of a list such as "2-5,8", in its order. Returns how many; 0 with a message in error (256 bytes). */
unsigned cpu_list_parse(const char *text, uint16_t *cpu, unsigned max, char *error);

#define EAL_ARGS_MAX 96

struct eal_args {
    int n;
    char *v[EAL_ARGS_MAX + 1];
    char text[8192]; /* where v points to */
    unsigned used;
    bool overflow;
    bool huge;
};

/* Worker i is lcore i + 1, pinned to cpu[i]; the main thread is lcore 0 and floats over the other CPUs.
 * false: message on errors. */
bool eal_args_build(struct eal_args *a, const struct hg_config *config, const uint16_t *cpu, unsigned cores,
                    FILE *errors);
/* Megabytes in free hugepages of any size. */
uint64_t hugepages_free_mb(void);

#endif
