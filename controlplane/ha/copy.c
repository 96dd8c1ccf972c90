/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST "heliograph copy 1\n"
#define SUM   (sizeof("end 0123456789abcdef\n") - 1)
#define LINE  "end %016" PRIx64 "\n"

/* FNV-1a, 64 bits: against torn and foreign files, not against anybody. */
static uint64_t sum_of(const char *text, size_t len)
{
    uint64_t h = 14695981039346656037ull;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211ull;
    return h;
}

static void put(FILE *out, const char *table, const char *field, char *value)
{
    if (value && !strchr(value, '\n'))
        fprintf(out, "%s 0-0 %s %s\n", table, field, value);
    free(value);
}

static void put_entries(FILE *out, const struct entries *entries)
{
    char text[SRM_ENTRY_TEXT];

    for (unsigned i = 0; i < entries->n; i++) {
        const struct srm_entry *e = &entries->e[i].entry;
        if (entries->e[i].readable && srm_entry_text(e, text) > 0)
            fprintf(out, "ha %" PRIu64 "-%" PRIu64 " %s %s\n", e->version.term, e->version.seq,
                    entries->e[i].name, text);
    }
}

char *copy_text(const char *cluster, const char *node, const struct topology *t,
                const struct entries *entries)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return NULL;
    fprintf(out, FIRST "of %s %s\n", cluster, node);
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (topology_node(t, i))
            put(out, "nodes", t->node[i].name, topology_node_text(&t->node[i]));
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++)
        if (topology_subcluster(t, i))
            put(out, "subclusters", t->subcluster[i].name, topology_subcluster_text(&t->subcluster[i]));
    put_entries(out, entries);
    fflush(out);
    fprintf(out, LINE, sum_of(text, len));
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* Up to the next `stop`; false: there is none. */
static bool cut(struct slice *rest, char stop, struct slice *out)
{
    const char *end = memchr(rest->p, stop, rest->len);

    if (!end)
        return false;
    *out = slice_of(rest->p, (uint32_t)(end - rest->p));
    rest->len -= out->len + 1;
    rest->p = end + 1;
    return true;
}

static bool take(struct slice line, struct topology *topology, struct entries *entries)
{
    struct slice table, version, field;
    struct record_version v;
    char why[256];

    if (!cut(&line, ' ', &table) || !cut(&line, ' ', &version) || !cut(&line, ' ', &field) ||
        !record_version_parse(version, &v))
        return false;
    if (slice_eq(table, SLICE_LIT("nodes")))
        return topology_set_node(topology, field, line, why, sizeof(why));
    if (slice_eq(table, SLICE_LIT("subclusters")))
        return topology_set_subcluster(topology, field, line, why, sizeof(why));
    return slice_eq(table, SLICE_LIT("ha")) && entries_set(entries, field, line, v);
}

static bool whole(const char *text, size_t len)
{
    char line[SUM + 1];

    if (len < SUM)
        return false;
    snprintf(line, sizeof(line), LINE, sum_of(text, len - SUM));
    return memcmp(text + len - SUM, line, SUM) == 0;
}

const char *copy_read(const char *text, size_t len, const char *cluster, const char *node,
                      struct topology *topology, struct entries *entries)
{
    struct slice rest, line;
    char of[HG_NODE_NAME_MAX + 512];

    if (len > COPY_MAX || !whole(text, len))
        return "it is not whole";
    rest = slice_of(text, (uint32_t)(len - SUM));
    if (rest.len < sizeof(FIRST) - 1 || memcmp(rest.p, FIRST, sizeof(FIRST) - 1) != 0)
        return "it is of another version";
    cut(&rest, '\n', &line);
    snprintf(of, sizeof(of), "of %s %s", cluster, node);
    if (!cut(&rest, '\n', &line) || !slice_eq(line, slice_str(of)))
        return "it is of another node or cluster";
    while (rest.len > 0)
        if (!cut(&rest, '\n', &line) || !take(line, topology, entries))
            return "it has a line that cannot be understood";
    return NULL;
}
