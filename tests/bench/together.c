/* SPDX-License-Identifier: BSD-2-Clause */
#include "together.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct together *create(unsigned nodes)
{
    struct together *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_t attr;

    if (t == MAP_FAILED)
        return NULL;
    t->nodes = nodes;
    pthread_barrierattr_init(&attr);
    pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&t->barrier, &attr, nodes);
    return t;
}

/* One that fails would leave the others at the barrier. */
static bool wait_for_all(pid_t *pid, unsigned nodes)
{
    bool good = true;

    for (unsigned left = nodes; left > 0; left--) {
        int status = 0;
        pid_t ended = wait(&status);
        for (unsigned i = 0; i < nodes; i++)
            if (pid[i] == ended)
                pid[i] = 0;
        if (status == 0)
            continue;
        good = false;
        for (unsigned i = 0; i < nodes; i++)
            if (pid[i] > 0)
                kill(pid[i], SIGKILL);
    }
    return good;
}

const struct together *together_run(unsigned nodes,
                                    void (*one)(void *arg, struct together *t, struct together_node *node),
                                    void *arg)
{
    struct together *t = create(nodes);
    pid_t pid[TOGETHER_MAX], first = getpid();

    if (t == NULL)
        return NULL;
    fflush(NULL);
    for (unsigned i = 0; i < nodes; i++) {
        pid[i] = fork();
        if (pid[i] != 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != first)
            _exit(1);
        one(arg, t, &t->node[i]);
        fflush(NULL);
        _exit(0);
    }
    return wait_for_all(pid, nodes) ? t : NULL;
}

void together_wait(struct together *t)
{
    pthread_barrier_wait(&t->barrier);
}
