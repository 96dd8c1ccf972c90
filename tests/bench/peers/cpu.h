/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU time of processes with their children, from the kernel's accounting. */
#ifndef BENCH_CPU_H
#define BENCH_CPU_H

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CPU_PIDS_MAX 64

struct cpu_pids {
    int pid[CPU_PIDS_MAX];
    int n;
};

static inline double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline int cpu_parent_of(const char *pid)
{
    char path[300], line[1024];
    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    FILE *f = fopen(path, "r");
    int parent = -1;
    if (f && fgets(line, sizeof(line), f)) {
        char *end = strrchr(line, ')');
        if (end && sscanf(end + 2, "%*c %d", &parent) != 1)
            parent = -1;
    }
    if (f)
        fclose(f);
    return parent;
}

/* "12,34+": pid 12, pid 34 and the direct children of 34 */
static inline void cpu_pids_parse(struct cpu_pids *out, const char *spec)
{
    out->n = 0;
    while (spec && *spec && out->n < CPU_PIDS_MAX) {
        char *end;
        int pid = (int)strtol(spec, &end, 10);
        out->pid[out->n++] = pid;
        if (*end == '+') {
            DIR *proc = opendir("/proc");
            for (struct dirent *e; proc && (e = readdir(proc));)
                if (isdigit((unsigned char)e->d_name[0]) && cpu_parent_of(e->d_name) == pid &&
                    out->n < CPU_PIDS_MAX)
                    out->pid[out->n++] = atoi(e->d_name);
            if (proc)
                closedir(proc);
            end++;
        }
        spec = *end == ',' ? end + 1 : NULL;
    }
}

/* user + system seconds of all of them, every thread counted */
static inline double cpu_seconds(const struct cpu_pids *pids)
{
    double ticks = 0;
    for (int i = 0; i < pids->n; i++) {
        char path[64], line[1024];
        snprintf(path, sizeof(path), "/proc/%d/stat", pids->pid[i]);
        FILE *f = fopen(path, "r");
        unsigned long user, system;
        if (f && fgets(line, sizeof(line), f)) {
            char *end = strrchr(line, ')');
            if (end &&
                sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2)
                ticks += (double)(user + system);
        }
        if (f)
            fclose(f);
    }
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

#endif
