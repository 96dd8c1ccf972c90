/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "controlplane.h"
#include "life/life.h"
#include "life/notify.h"
#include "options.h"

int main(int argc, char **argv)
{
    struct options options;
    int code = 1;

    if (!options_parse(argc, argv, &options, &code))
        return code;
    struct hg_config *config = hg_config_load(options.file, stderr);
    if (!config)
        return 1;
    if (options.check) {
        hg_config_warn(config, stderr);
        printf("%s: no errors\n", options.file);
        hg_config_free(config);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    struct controlplane *cp = calloc(1, sizeof(*cp));
    if (!cp) {
        hg_config_free(config);
        return 1;
    }
    cp->config = config;
    cp->config_file = options.file;
    if (life_start(cp)) {
        notify("READY=1");
        uv_run(&cp->loop, UV_RUN_DEFAULT);
        notify("STOPPING=1");
        code = 0;
    }
    life_stop(cp);
    return code;
}
