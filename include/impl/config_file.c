/* SPDX-License-Identifier: BSD-2-Clause */
/* The file around the configuration, and the messages about it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hg/config.h"
#include "impl/config_load.h"
#include "impl/config_table.h"

#define FILE_MAX   (1024l * 1024 * 1024)
#define ERRORS_MAX 1000 /* messages; the count goes on */

void config_error(struct config_errors *errors, uint32_t line, const char *path, const char *what,
                  const char *expected)
{
    errors->n++;
    if (errors->out == NULL || errors->n > ERRORS_MAX + 1)
        return;
    if (errors->n == ERRORS_MAX + 1) {
        fprintf(errors->out, "%s: further errors are not shown\n", errors->file);
        return;
    }
    fprintf(errors->out, "%s:", errors->file);
    if (line > 0)
        fprintf(errors->out, "%u:", line);
    fprintf(errors->out, " %s%s%s%s%s\n", path ? path : "", path ? ": " : "", what,
            expected ? "; expected " : "", expected ? expected : "");
}

void config_error_at(struct config_errors *errors, const char *item, const char *what, const char *expected)
{
    uint32_t line = 0;
    for (unsigned i = 0; i < config_items_n; i++)
        if (strcmp(config_items[i].name, item) == 0)
            line = errors->source->item_line[i];
    config_error(errors, line, item, what, expected);
}

void config_error_in(struct config_errors *errors, unsigned list, uint32_t index, const char *member,
                     const char *what, const char *expected)
{
    char path[200];
    const uint32_t *lines = errors->source->list_line[list];
    snprintf(path, sizeof(path), "%s[%u]%s%s", config_lists[list].name, index, member ? "." : "",
             member ? member : "");
    config_error(errors, lines ? lines[index] : 0, path, what, expected);
}

void config_quote(const char *text, char *out, size_t size)
{
    size_t n = 0;
    out[n++] = '"';
    for (; *text && n + 6 < size && n < 60; text++)
        out[n++] = (*text >= ' ' && *text <= '~') ? *text : '?';
    snprintf(out + n, size - n, "%s\"", *text ? "..." : "");
}

/* Edit distance (Levenshtein), for names of ordinary length. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[129];
    size_t na = strlen(a), nb = strlen(b);
    if (na > 128 || nb > 128)
        return UINT32_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            unsigned skip = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < skip ? change : skip;
        }
    }
    return row[nb];
}

void config_nearest(const char *name, const char *candidate, const char **nearest, unsigned *best)
{
    const char *dot = strrchr(name, '.'), *candidate_dot = strrchr(candidate, '.');
    unsigned d = distance(name, candidate);
    /* the right name in the wrong group is nearer than it looks */
    if (dot && candidate_dot && d > 2 && strcmp(dot, candidate_dot) == 0)
        d = 2;
    size_t len = strlen(dot ? dot + 1 : name);
    if (d < *best && d <= (len < 4 ? 1 : len < 9 ? 2 : len / 3)) {
        *best = d;
        *nearest = candidate;
    }
}

static char *read_whole(const char *file, size_t *len)
{
    struct stat st;
    char *text = NULL;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0)
        goto out;
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISREG(st.st_mode) ? EFBIG : EINVAL;
        goto out;
    }
    text = malloc((size_t)st.st_size + 1);
    *len = 0;
    while (text != NULL && *len < (size_t)st.st_size) {
        ssize_t n = read(fd, text + *len, (size_t)st.st_size - *len);
        if (n < 0) {
            free(text);
            text = NULL;
        } else if (n == 0) {
            break;
        } else {
            *len += (size_t)n;
        }
    }
out:
    if (fd >= 0) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return text;
}

struct hg_config *hg_config_load(const char *file, FILE *errors)
{
    size_t len;
    char *text = read_whole(file, &len);
    if (text == NULL) {
        struct config_errors e = {.out = errors, .file = file};
        config_error(&e, 0, NULL, strerror(errno), "a readable file");
        return NULL;
    }
    struct hg_config *config = hg_config_parse(text, len, file, errors);
    explicit_bzero(text, len); /* it may hold passwords */
    free(text);
    return config;
}
