/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/ready.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controlplane.h"
#include "feed/feed.h"
#include "impl/segment.h"
#include "push/push.h"

static unsigned say(char *out, size_t size, unsigned n, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static unsigned say(char *out, size_t size, unsigned n, const char *fmt, ...)
{
    size_t at = strlen(out);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(out + at, size - at, fmt, ap);
    va_end(ap);
    return n + 1;
}

unsigned ready_reasons(struct controlplane *cp, char *out, size_t size)
{
    const struct hg_segment *s = feed_segment(cp->feed);
    unsigned n = 0;

    out[0] = '\0';
    if (!s) {
        n = say(out, size, n, "%s\n",
                cp->alarms.a[ALARM_dataplane_mismatch].standing
                    ? cp->alarms.a[ALARM_dataplane_mismatch].detail
                    : "no dataplane is attached");
        return n;
    }
    if (!hg_segment_dp_lives(s))
        return say(out, size, n, "the dataplane is not running\n");
    if (cp->draining)
        n = say(out, size, n, "the node is drained; hgctl undrain ends that\n");
    if (cp->joined && cp->alarms.a[ALARM_node_not_joined].standing)
        n = say(out, size, n, "%s\n", cp->alarms.a[ALARM_node_not_joined].detail);
    for (unsigned c = 0; c < s->cores; c++) {
        struct feed_core_status st;
        if (feed_core_status(cp->feed, c, &st) && !st.alive) {
            n = say(out, size, n, "core %u does not turn\n", c);
            break;
        }
    }
    if (n > 0 || feed_dp_ready(cp->feed))
        return n;
    if (push_routes_version(cp) == 0)
        n = say(out, size, n, "the routes are not compiled yet\n");
    else
        n = say(out, size, n, "the dataplane is still loading its tables\n");
    return n;
}
