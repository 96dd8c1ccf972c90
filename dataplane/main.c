/* SPDX-License-Identifier: BSD-2-Clause */
/* hg-dataplane: a table of contents. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "node/config.h"
#include "node/node.h"

/* Before EAL makes threads: only the main thread takes signals, when it asks for them. */
static void block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* EAL leaves its folder behind, and unlinks the socket of telemetry only when the process exits. */
static void remove_runtime_dir(const char *dir)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", dir) < sizeof(path))
        unlink(path);
    rmdir(dir);
}

static bool start_eal(struct node *node)
{
    static struct eal_args args;
    char error[HG_SEGMENT_ERROR];

    if (!hg_segment_vacant(node->config->node_name, error)) {
        fprintf(stderr, "hg-dataplane: %s\n", error);
        return false;
    }
    node->cores = cpu_list_parse(node->config->dp_cores, node->cpu, HG_CORES_MAX, error);
    if (node->cores == 0) {
        fprintf(stderr, "hg-dataplane: %s\n", error);
        return false;
    }
    if (!eal_args_build(&args, node->config, node->cpu, node->cores, stderr))
        return false;
    if (rte_eal_init(args.n, args.v) < 0) {
        fprintf(stderr, "hg-dataplane: EAL: %s\n", rte_strerror(rte_errno));
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct node node;
    struct options options;
    int code = 1;

    if (!options_parse(&options, argc, argv))
        return 2;
    if (options.done)
        return 0;
    struct hg_config *config = hg_config_load(options.config_file, stderr);
    if (config == NULL)
        return 1;
    if (options.check) {
        hg_config_warn(config, stderr);
        if (!certificates_check(config)) {
            hg_config_free(config);
            return 1;
        }
        hg_config_free(config);
        puts("the configuration is good");
        return 0;
    }
    node.config = config;
    block_signals();
    if (start_eal(&node)) {
        if (node_open(&node))
            code = node_run(&node);
        node_close(&node);
        char dir[PATH_MAX];
        snprintf(dir, sizeof(dir), "%s", rte_eal_get_runtime_dir());
        rte_eal_cleanup();
        remove_runtime_dir(dir);
    }
    hg_config_free(config);
    return code;
}
