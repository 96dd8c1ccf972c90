/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONTROLPLANE_OPTIONS_H
#define CONTROLPLANE_OPTIONS_H

#include <stdbool.h>

struct options {
    const char *file;
    bool check; /* read the configuration, say what is wrong, stop */
};

/* false: stop with *code, everything was said. */
bool options_parse(int argc, char **argv, struct options *out, int *code);

#endif
