/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config.h"

#include <ctype.h>
#include <dirent.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/port.h"

static const char help[] = "usage: hg-dataplane [-c FILE] [--check]\n"
                           "Moves the packets of a Heliograph node: ports, SIP over UDP, routing.\n"
                           "\n"
                           "  -c, --config FILE  configuration, by default " HG_CONFIG_FILE "\n"
                           "      --check        read the configuration, report every error, end\n"
                           "      --version      print the version, end\n"
                           "  -h, --help         print this, end\n"
                           "\n"
                           "SIGTERM and SIGINT stop it; the control plane (hg-controlplane) fills its tables "
                           "and reads its counters.\n";

bool options_parse(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                          {"check", no_argument, NULL, 'k'},
                                          {"version", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    *o = (struct options){.config_file = HG_CONFIG_FILE};
    while ((c = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
        if (c == 'c') {
            o->config_file = optarg;
        } else if (c == 'k') {
            o->check = true;
        } else if (c == 'v') {
            o->done = true;
            puts("hg-dataplane " HG_VERSION);
        } else if (c == 'h') {
            o->done = true;
            fputs(help, stdout);
        } else {
            fputs("hg-dataplane --help says more\n", stderr);
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "hg-dataplane: '%s' was not expected; hg-dataplane --help says more\n", argv[optind]);
        return false;
    }
    return true;
}

static unsigned cpu_error(char *error, const char *text, const char *why)
{
    snprintf(error, 256, "dataplane.cores \"%.64s\": %s", text, why);
    return 0;
}

unsigned cpu_list_parse(const char *text, uint16_t *cpu, unsigned max, char *error)
{
    const char *p = text;
    unsigned n = 0;

    for (;;) {
        char *end;
        while (*p == ' ')
            p++;
        if (!isdigit((unsigned char)*p))
            return cpu_error(error, text, "expected CPU numbers and ranges, such as 2-5,8");
        unsigned long first = strtoul(p, &end, 10), last = first;
        if (*end == '-' && isdigit((unsigned char)end[1]))
            last = strtoul(end + 1, &end, 10);
        if (last < first || last >= CPU_SETSIZE)
            return cpu_error(error, text, "expected rising ranges of CPUs below 1024");
        for (unsigned long i = first; i <= last; i++) {
            if (n == max)
                return cpu_error(error, text, "more CPUs than this program takes (64)");
            cpu[n++] = (uint16_t)i;
        }
        while (*end == ' ')
            end++;
        if (*end == '\0')
            return n;
        if (*end != ',')
            return cpu_error(error, text, "expected CPU numbers and ranges, such as 2-5,8");
        p = end + 1;
    }
}

uint64_t hugepages_free_mb(void)
{
    DIR *dir = opendir("/sys/kernel/mm/hugepages");
    uint64_t kb = 0;
    struct dirent *e;

    if (dir == NULL)
        return 0;
    while ((e = readdir(dir)) != NULL) {
        unsigned long long size, pages;
        char path[512];
        if (sscanf(e->d_name, "hugepages-%llukB", &size) != 1)
            continue;
        snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/free_hugepages", e->d_name);
        FILE *f = fopen(path, "r");
        if (f == NULL)
            continue;
        if (fscanf(f, "%llu", &pages) == 1)
            kb += size * pages;
        fclose(f);
    }
    closedir(dir);
    return kb / 1024;
}

__attribute__((format(printf, 2, 3))) static void add(struct eal_args *a, const char *form, ...)
{
    va_list ap;

    va_start(ap, form);
    int len = vsnprintf(a->text + a->used, sizeof(a->text) - a->used, form, ap);
    va_end(ap);
    if (a->n == EAL_ARGS_MAX || len < 0 || (size_t)len >= sizeof(a->text) - a->used) {
        a->overflow = true;
        return;
    }
    a->v[a->n++] = a->text + a->used;
    a->v[a->n] = NULL;
    a->used += (unsigned)len + 1;
}

/* Isolated CPUs are not in the process's mask and yet may be used: only trying tells. */
static bool cpu_usable(unsigned cpu, const cpu_set_t *mine)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    bool usable = sched_setaffinity(0, sizeof(one), &one) == 0;
    sched_setaffinity(0, sizeof(*mine), mine);
    return usable;
}

static void tell_unusable(const struct hg_config *config, unsigned cpu, FILE *errors)
{
    char where[400];
    long there = sysconf(_SC_NPROCESSORS_CONF);

    hg_config_where(config, "dataplane.cores", where, sizeof(where));
    if ((long)cpu >= there)
        fprintf(errors, "%s: CPU %u is not there: this machine has %ld, from 0 on\n", where, cpu, there);
    else
        fprintf(errors, "%s: CPU %u is offline, or not allowed to this process\n", where, cpu);
}

/* The main thread keeps off the workers' CPUs where it can. */
static bool add_lcores(struct eal_args *a, const struct hg_config *config, const uint16_t *cpu,
                       unsigned cores, FILE *errors)
{
    cpu_set_t allowed, others;
    char map[4096], *p = map, *end = map + sizeof(map);

    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        CPU_ZERO(&allowed);
    others = allowed;
    for (unsigned i = 0; i < cores; i++) {
        if (!cpu_usable(cpu[i], &allowed)) {
            tell_unusable(config, cpu[i], errors);
            return false;
        }
        CPU_CLR(cpu[i], &others);
    }
    if (CPU_COUNT(&others) == 0)
        others = allowed;
    p += snprintf(p, (size_t)(end - p), "0@(");
    for (unsigned i = 0, first = 1; i < CPU_SETSIZE && end - p > 8; i++)
        if (CPU_ISSET(i, &others)) {
            p += snprintf(p, (size_t)(end - p), first ? "%u" : ",%u", i);
            first = 0;
        }
    p += snprintf(p, (size_t)(end - p), ")");
    for (unsigned i = 0; i < cores && end - p > 16; i++)
        p += snprintf(p, (size_t)(end - p), ",%u@%u", i + 1, cpu[i]);
    add(a, "--lcores=%s", map);
    add(a, "--main-lcore=0");
    return true;
}

static bool add_memory(struct eal_args *a, const struct hg_config *config, FILE *errors)
{
    static const char *const words[] = {"auto", "on", "off"};
    uint64_t have = hugepages_free_mb(), want = (uint64_t)config->dp_memory_mb;
    const char *mode = words[config->dp_hugepages];

    a->huge = mode[0] == 'a' ? have >= want : mode[1] == 'n';
    if (a->huge && have < want) {
        fprintf(errors,
                "dataplane.hugepages is on, but only %llu MiB are free in hugepages and dataplane.memory "
                "asks for %llu; "
                "reserve more (deploy/hugepages.sh) or set it to auto\n",
                (unsigned long long)have, (unsigned long long)want);
        return false;
    }
    /* memory without names: a killed process leaves nothing behind that the next one would trip over */
    if (a->huge) {
        add(a, "--in-memory");
    } else {
        add(a, "--no-shconf");
        add(a, "--no-huge");
        add(a, "-m");
        add(a, "%llu", (unsigned long long)want);
    }
    return true;
}

static void add_devices(struct eal_args *a, const struct hg_config *config)
{
    bool pci = false;

    for (unsigned i = 0; i < config->nports; i++) {
        const char *device = config->ports[i].device;
        if (port_is_pci(device)) {
            add(a, "-a");
            add(a, "%s", device);
            pci = true;
        } else {
            port_clean_stale(device);
            add(a, "--vdev=%s", device);
        }
    }
    if (!pci)
        add(a, "--no-pci");
}

bool eal_args_build(struct eal_args *a, const struct hg_config *config, const uint16_t *cpu, unsigned cores,
                    FILE *errors)
{
    char extra[sizeof(config->dp_eal_args)], *save = NULL;

    memset(a, 0, sizeof(*a));
    add(a, "hg-dataplane");
    if (!add_lcores(a, config, cpu, cores, errors) || !add_memory(a, config, errors))
        return false;
    add(a, "--file-prefix=hg-%s", config->node_name);
    add(a, "--log-level=*:warning");
    add(a, "--log-level=lib.telemetry:error");
    add_devices(a, config);
    memcpy(extra, config->dp_eal_args, sizeof(extra));
    for (char *word = strtok_r(extra, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
        add(a, "%s", word);
    if (a->overflow) {
        fputs("dataplane.eal_args: too many or too long arguments for EAL\n", errors);
        return false;
    }
    return true;
}
