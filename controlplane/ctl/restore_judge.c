/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the file belongs to this cluster. It is asked about, and not refused: after a disaster the record
 * may well be another one, and its nodes new machines. */
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "ctl/restore.h"
#include "ctl/show.h"
#include "ctl/table.h"

static void warn(struct restore *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct restore *r, const char *fmt, ...)
{
    char text[1000];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    table_clean(text);
    json_array_append_new(r->warnings, json_string(text));
}

/* "n1, n2 and 3 more": the names of one object that the other does not have, all of them without one. Returns
 * how many. */
static unsigned names(json_t *of, json_t *without, char out[400])
{
    const char *name;
    json_t *value;
    unsigned n = 0, more = 0;

    out[0] = '\0';
    json_object_foreach(of, name, value)
    {
        size_t at = strlen(out);
        if (without && json_object_get(without, name))
            continue;
        n++;
        if (at + strlen(name) < 350)
            snprintf(out + at, 400 - at, "%s%s", at ? ", " : "", name);
        else
            more++;
    }
    if (more)
        snprintf(out + strlen(out), 400 - strlen(out), " and %u more", more);
    return n;
}

void restore_judge(struct restore *r)
{
    char list[400];
    unsigned gone = names(r->nodes_here, r->nodes, list);
    bool strangers = gone == json_object_size(r->nodes_here);

    if (strcmp(r->cluster, r->cluster_here) != 0)
        warn(r, "the backup is of the cluster \"%s\", this is \"%s\" (cluster.id)", r->cluster,
             r->cluster_here);
    else if (strcmp(r->record, r->record_here) != 0 && (r->force || strangers))
        warn(r, "the backup is of another record than the one that it would %s (%s, here %s)",
             r->force ? "replace" : "fill", r->record, r->record_here);
    if (gone && r->force)
        warn(r, "the backup does not have %s: no more of this cluster afterwards, and not ready", list);
    else if (gone && strangers)
        warn(r, "the backup does not have %s, nor any other node of this cluster", list);
    if (names(r->nodes, r->nodes_here, list) && json_object_size(r->nodes_here))
        warn(r,
             "the backup has %s: not of this cluster now; users and pairs may wait there for a node that "
             "never comes",
             list);
    if (names(r->ha_here, NULL, list))
        warn(r,
             "high availability is on in %s: entries are replaced one after the other, so its nodes may see "
             "half a pair "
             "meanwhile, fail over or stop serving, and users whose home changes lose their sessions; hgctl "
             "ha disable "
             "first spares them that",
             list);
    if (r->extra && r->force)
        warn(r, "%lld entr%s of the record that the backup does not have: removed", (long long)r->extra,
             r->extra == 1 ? "y" : "ies");
}

int restore_agreed(struct restore *r)
{
    struct ctl *ctl = r->ctl;
    size_t n = json_array_size(r->warnings);

    bool can_ask = !ctl->json && isatty(STDIN_FILENO);

    for (size_t i = 0; i < n; i++)
        fprintf(ctl->err, "warning: %s\n", json_string_value(json_array_get(r->warnings, i)));
    if (n == 0 || r->dry || r->yes)
        return CTL_DONE;
    if (can_ask)
        return show_agreed(ctl) ? CTL_DONE : CTL_REFUSED;
    return restore_refuse(r,
                          "not restored unasked: say --yes where nobody can be asked (--dry-run only looks)");
}
