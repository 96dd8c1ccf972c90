/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/srm.h"

static unsigned warn(struct srm_warning *out, unsigned n, unsigned max, const char *item, const char *text)
{
    if (n < max)
        out[n] = (struct srm_warning){item, text};
    return n < max ? n + 1 : n;
}

unsigned srm_params_check(const struct srm_params *p, struct srm_warning *out, unsigned max)
{
    unsigned n = 0;
    if (p->timeout < 2 * p->interval)
        n = warn(out, n, max, "cluster.ha.heartbeat_timeout",
                 "D35: should be at least twice cluster.ha.heartbeat_interval");
    if (p->init_timeout < 2 * p->timeout)
        n = warn(out, n, max, "cluster.ha.init_timeout",
                 "D35: should be at least twice cluster.ha.heartbeat_timeout");
    if (p->lease < 3 * p->interval)
        n = warn(out, n, max, "cluster.ha.lease",
                 "should be at least three heartbeat intervals: else two lost heartbeats end it");
    if (p->lease < p->timeout)
        n = warn(out, n, max, "cluster.ha.lease",
                 "should be no shorter than cluster.ha.heartbeat_timeout: else users are without service "
                 "before anybody "
                 "takes them over");
    if (p->guard < p->lease / 1000)
        n = warn(out, n, max, "cluster.ha.guard",
                 "should be at least a thousandth of the lease: clocks of two machines drift apart");
    return n;
}
