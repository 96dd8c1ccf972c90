/* SPDX-License-Identifier: BSD-2-Clause */
/* hgctl backup: the record as lines of JSON. The first names cluster and record, each further one is an
 * entry, the last counts them and has the SHA-256 of all bytes before it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/backup_file.h"
#include "ctl/show.h"
#include "ctl/table.h"

struct backup {
    struct ctl *ctl;
    FILE *file;
    EVP_MD_CTX *digest;
    json_int_t entries, left_out;
};

static bool put_line(struct backup *b, json_t *line)
{
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    bool ok = text && fputs(text, b->file) >= 0 && fputc('\n', b->file) == '\n';

    if (text) {
        EVP_DigestUpdate(b->digest, text, strlen(text));
        EVP_DigestUpdate(b->digest, "\n", 1);
    }
    free(text);
    json_decref(line);
    return ok;
}

static int failed(struct backup *b, const char *path)
{
    fprintf(b->ctl->err, "hgctl: %s: %s\n", path, strerror(errno));
    return CTL_REFUSED;
}

static bool put_entries(struct backup *b, const char *table, json_t *page)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(page, "entries"), i, one)
    {
        if (!put_line(b, json_pack("{s:s, s:O, s:O}", "table", table, "field", json_array_get(one, 0),
                                   "value", json_array_get(one, 1))))
            return false;
        b->entries++;
    }
    b->left_out += json_integer_value(json_object_get(page, "left_out"));
    if (show_terminal(b->ctl))
        fprintf(b->ctl->err, "\r%lld entries ", (long long)b->entries);
    return true;
}

static int put_table(struct backup *b, const char *table, const char *path)
{
    json_t *args = json_pack("{s:s}", "table", table), *page;
    int status;
    bool more = true;

    while (more && (status = ctl_request(b->ctl, "record.page", args, &page)) == CTL_DONE) {
        if (b->entries == 0 && ftell(b->file) == 0)
            put_line(b, json_pack("{s:s, s:i, s:O, s:O}", "heliograph", "record", "format", BACKUP_FORMAT,
                                  "cluster", json_object_get(page, "cluster"), "record",
                                  json_object_get(page, "record")));
        bool ok = put_entries(b, table, page);
        json_t *next = json_object_get(page, "next");
        more = json_is_string(next);
        if (more)
            json_object_set(args, "cursor", next);
        json_decref(page);
        if (!ok) {
            json_decref(args);
            return failed(b, path);
        }
    }
    json_decref(args);
    return status;
}

static int put_all(struct backup *b, const char *path)
{
    char hex[BACKUP_DIGEST_MAX];
    int status = CTL_DONE;

    for (unsigned i = 0; backup_tables[i] && status == CTL_DONE; i++)
        status = put_table(b, backup_tables[i], path);
    if (status != CTL_DONE)
        return status;
    backup_digest_text(b->digest, hex);
    if (!put_line(b, json_pack("{s:b, s:I, s:I, s:s}", "end", true, "entries", b->entries, "left_out",
                               b->left_out, "sha256", hex)) ||
        fflush(b->file) != 0 || fsync(fileno(b->file)) != 0)
        return failed(b, path);
    return CTL_DONE;
}

static void tell(struct backup *b, const char *path)
{
    struct ctl *ctl = b->ctl;

    if (show_terminal(ctl))
        fputc('\n', ctl->err);
    if (b->left_out)
        fprintf(ctl->err, "hgctl: %lld entries are no text and were left out\n", (long long)b->left_out);
    if (ctl->json)
        fprintf(ctl->out, "{\"entries\":%lld,\"left_out\":%lld}\n", (long long)b->entries,
                (long long)b->left_out);
    else
        fprintf(ctl->out, "%lld entries are in %s\n", (long long)b->entries, path);
}

/* A device, a pipe or a link such as /dev/stdout would be replaced by a file of its name. */
static bool replaceable(struct ctl *ctl, const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
        return true;
    fprintf(ctl->err, "hgctl: %s is %s; a backup is a file of its own\n", path,
            S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
    return false;
}

/* The file appears whole, or not at all; a record of which something is not in it is no success. */
int run_backup(struct ctl *ctl)
{
    const char *path = json_string_value(json_object_get(ctl->local, "file"));
    struct backup b = {.ctl = ctl};
    char *unfinished = NULL;
    int status = CTL_REFUSED;

    if (!replaceable(ctl, path) || asprintf(&unfinished, "%s.unfinished", path) < 0)
        return CTL_REFUSED;
    mode_t before = umask(077); /* it may hold what is nobody's business */
    b.file = fopen(unfinished, "w");
    umask(before);
    b.digest = EVP_MD_CTX_new();
    if (!b.file || !b.digest || !EVP_DigestInit_ex(b.digest, EVP_sha256(), NULL))
        status = failed(&b, unfinished);
    else
        status = put_all(&b, unfinished);
    if (b.file && fclose(b.file) != 0 && status == CTL_DONE)
        status = failed(&b, unfinished);
    if (status == CTL_DONE && rename(unfinished, path) != 0)
        status = failed(&b, path);
    if (status == CTL_DONE)
        tell(&b, path);
    else if (b.file)
        unlink(unfinished);
    if (status == CTL_DONE && b.left_out)
        status = CTL_REFUSED;
    EVP_MD_CTX_free(b.digest);
    free(unfinished);
    return status;
}
