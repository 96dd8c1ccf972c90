/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/srm.h"
#include "hg/config.h"

struct list {
    struct srm_warning *out;
    unsigned n, max;
};

static void add(void *arg, const char *item, const char *text)
{
    struct list *list = arg;

    if (list->n < list->max)
        list->out[list->n++] = (struct srm_warning){item, text};
}

unsigned srm_params_check(const struct srm_params *p, struct srm_warning *out, unsigned max)
{
    struct list list = {.out = out, .max = max};

    hg_ha_times_check(&(struct hg_ha_times){p->interval, p->timeout, p->init_timeout, p->lease, p->guard},
                      add, &list);
    return list.n;
}
