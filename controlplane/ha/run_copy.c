/* SPDX-License-Identifier: BSD-2-Clause */
/* The copy of the record in this node's file, beside its admin socket. It says whom to send heartbeats to and
 * whose to believe while Redis is away at a start, and nothing else: what this node acts for stands in the
 * segment, what extends it is the peer's grant, and nothing is claimed without the record. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane.h"
#include "ha/copy.h"
#include "ha/run_impl.h"

static bool path_of(const struct ha *ha, const char *suffix, char out[HA_COPY_PATH])
{
    const char *socket = ha->cp->config->admin_socket, *slash = strrchr(socket, '/');
    int n = snprintf(out, HA_COPY_PATH, "%.*s%s.cluster%s", slash ? (int)(slash + 1 - socket) : 0, socket,
                     ha->cp->config->node_name, suffix);

    return n > 0 && n < HA_COPY_PATH;
}

static char *read_file(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *text = fd < 0 ? NULL : malloc(COPY_MAX);

    *len = 0;
    for (ssize_t n = 1; text && n > 0 && *len < COPY_MAX; *len += (size_t)(n > 0 ? n : 0))
        n = read(fd, text + *len, COPY_MAX - *len);
    if (fd >= 0)
        close(fd);
    return text;
}

void ha_copy_load(struct ha *ha)
{
    char path[HA_COPY_PATH];
    size_t len;

    if (!ha->beats || !path_of(ha, "", path))
        return;
    char *text = read_file(path, &len);
    if (!text)
        return;
    const char *why = copy_read(text, len, ha->cp->config->cluster_id, ha->cp->config->node_name,
                                &ha->cp->topology, &ha->entries);
    free(text);
    ha->copied = !why;
    if (why)
        ha_copy_forget(ha);
    log_printf(&ha->cp->log, why ? HG_LOG_WARNING : HG_LOG_INFO, "ha_copy", "%s: %s", path,
               why ? why : "the cluster as this node knew it, until the record can be read");
}

/* The record is being read: what was only remembered must not stand beside it. */
void ha_copy_forget(struct ha *ha)
{
    uint64_t generation = ha->cp->topology.generation;

    topology_init(&ha->cp->topology);
    ha->cp->topology.generation = generation + 1;
    ha->entries.n = 0;
    ha->copied = false;
}

static bool write_file(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd < 0)
        return false;
    bool good = write(fd, text, len) == (ssize_t)len;
    return close(fd) == 0 && good;
}

/* Some kilobytes into the page cache. They are not flushed: after a loss of power the sum says what the file
 * is worth, and nothing serves then. */
void ha_copy_second(struct ha *ha)
{
    char path[HA_COPY_PATH], fresh[HA_COPY_PATH];

    if (!ha->beats || !ha->tables_loaded || ha->loading || !ha->record_up || !path_of(ha, "", path) ||
        !path_of(ha, ".new", fresh))
        return;
    char *text =
        copy_text(ha->cp->config->cluster_id, ha->cp->config->node_name, &ha->cp->topology, &ha->entries);
    size_t len = text ? strlen(text) : 0;
    if (!text || (ha->copy_text && strcmp(text, ha->copy_text) == 0)) {
        free(text);
        return;
    }
    if ((!write_file(fresh, text, len) || rename(fresh, path) != 0) && !ha->copy_text)
        log_printf(&ha->cp->log, HG_LOG_WARNING, "ha_copy",
                   "%s cannot be written: a control plane that starts without Redis will not know its peer",
                   path);
    free(ha->copy_text);
    ha->copy_text = text;
}
