/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that hgctl backup writes and hgctl restore reads. */
#ifndef HG_CTL_BACKUP_FILE_H
#define HG_CTL_BACKUP_FILE_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BACKUP_FORMAT     1
#define BACKUP_DIGEST_MAX 65 /* hexadecimal SHA-256, NUL */

extern const char *const backup_tables[]; /* NULL at the end */

/* The digest of what it was given until now; it may be given more afterwards. */
void backup_digest_text(const EVP_MD_CTX *digest, char out[BACKUP_DIGEST_MAX]);

struct backup_reader {
    FILE *file;
    EVP_MD_CTX *digest;
    char *line;
    size_t size;
    uint64_t number, entries;
    char record[64], cluster[80];
    bool ended;        /* the last line was read, and is right */
    uint64_t left_out; /* entries that the record had besides, as that line says */
    char why[160];     /* what is wrong, with the line */
};

bool backup_open(struct backup_reader *r, const char *path);
/* The next entry: an object with table, field, value. NULL: the end, or something is wrong and why says what.
 */
json_t *backup_next(struct backup_reader *r);
void backup_close(struct backup_reader *r);

#endif
