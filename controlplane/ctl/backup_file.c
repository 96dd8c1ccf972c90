/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/backup_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const backup_tables[] = {"nodes", "subclusters", "ha", "settings", "routes", "users", NULL};

void backup_digest_text(const EVP_MD_CTX *digest, char out[BACKUP_DIGEST_MAX])
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD_CTX *now = EVP_MD_CTX_new();

    out[0] = '\0';
    if (now && EVP_MD_CTX_copy_ex(now, digest) && EVP_DigestFinal_ex(now, md, &n))
        for (unsigned i = 0; i < n && i < 32; i++)
            snprintf(out + 2 * i, 3, "%02x", md[i]);
    EVP_MD_CTX_free(now);
}

static json_t *wrong(struct backup_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static json_t *wrong(struct backup_reader *r, const char *fmt, ...)
{
    char text[120];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    snprintf(r->why, sizeof(r->why), "line %" PRIu64 ": %s", r->number, text);
    return NULL;
}

/* An object; the digest is that of the lines before it until count_line. */
static json_t *read_line(struct backup_reader *r, ssize_t *len)
{
    json_error_t error;

    r->number++;
    *len = getline(&r->line, &r->size, r->file);
    if (*len <= 0)
        return wrong(r, "the file ends here, without its last line: it is not whole");
    json_t *o = json_loadb(r->line, (size_t)*len, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(o))
        return o;
    json_decref(o);
    return wrong(r, "not a JSON object");
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

bool backup_open(struct backup_reader *r, const char *path)
{
    ssize_t len;

    *r = (struct backup_reader){.file = fopen(path, "r"), .digest = EVP_MD_CTX_new()};
    if (!r->file || !r->digest || !EVP_DigestInit_ex(r->digest, EVP_sha256(), NULL)) {
        snprintf(r->why, sizeof(r->why), "%s", strerror(errno));
        return false;
    }
    json_t *head = read_line(r, &len);
    if (!head)
        return false;
    bool good = strcmp(text_of(head, "heliograph"), "record") == 0 &&
                json_integer_value(json_object_get(head, "format")) == BACKUP_FORMAT;
    snprintf(r->record, sizeof(r->record), "%s", text_of(head, "record"));
    snprintf(r->cluster, sizeof(r->cluster), "%s", text_of(head, "cluster"));
    json_decref(head);
    if (!good || !r->record[0])
        wrong(r, "this is not a backup that hgctl made");
    EVP_DigestUpdate(r->digest, r->line, (size_t)len);
    return good && r->record[0];
}

static json_t *take_end(struct backup_reader *r, json_t *o)
{
    char hex[BACKUP_DIGEST_MAX];

    backup_digest_text(r->digest, hex);
    bool count = (uint64_t)json_integer_value(json_object_get(o, "entries")) == r->entries;
    bool same = strcmp(text_of(o, "sha256"), hex) == 0;
    uint64_t left_out = (uint64_t)json_integer_value(json_object_get(o, "left_out"));
    json_decref(o);
    if (!count || !same)
        return wrong(r, "the file was changed: %s",
                     count ? "its SHA-256 is another one" : "entries are missing");
    if (fgetc(r->file) != EOF)
        return wrong(r, "there is more behind the last line");
    r->ended = true;
    r->left_out = left_out;
    return NULL;
}

json_t *backup_next(struct backup_reader *r)
{
    ssize_t len;
    json_t *o = read_line(r, &len);

    if (!o)
        return NULL;
    if (json_object_get(o, "end"))
        return take_end(r, o);
    bool known = false;
    for (unsigned i = 0; backup_tables[i]; i++)
        known |= strcmp(text_of(o, "table"), backup_tables[i]) == 0;
    if (!known || !json_is_string(json_object_get(o, "value")) || !*text_of(o, "field")) {
        json_decref(o);
        return wrong(r, "an entry has table, field and value");
    }
    EVP_DigestUpdate(r->digest, r->line, (size_t)len);
    r->entries++;
    return o;
}

void backup_close(struct backup_reader *r)
{
    if (r->file)
        fclose(r->file);
    EVP_MD_CTX_free(r->digest);
    free(r->line);
}
