/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/csv.h"

#include <string.h>

/* The mark that spreadsheets put before UTF-8. */
static void skip_byte_order_mark(FILE *in)
{
    static const unsigned char mark[3] = {0xef, 0xbb, 0xbf};
    int at = 0, c;

    while (at < 3 && (c = getc(in)) == mark[at])
        at++;
    if (at == 3)
        return;
    if (c != EOF)
        ungetc(c, in);
    while (at > 0)
        ungetc(mark[--at], in);
}

void csv_open(struct csv *csv, FILE *in)
{
    memset(csv, 0, sizeof(*csv));
    csv->in = in;
    csv->next = 1;
    skip_byte_order_mark(in);
}

static void skip_line(struct csv *csv)
{
    int c;

    while ((c = getc(csv->in)) != EOF && c != '\n')
        ;
    csv->next++;
}

struct row {
    size_t fill;
    bool quoted, closed; /* inside of quotes; behind the closing one */
    bool fresh;          /* at the beginning of a field */
};

static const char *begin_field(struct csv *csv, struct row *r)
{
    if (csv->n == CSV_FIELDS_MAX)
        return "too many fields";
    csv->field[csv->n++] = csv->text + r->fill;
    *r = (struct row){.fill = r->fill, .fresh = true};
    return NULL;
}

/* NULL: taken */
static const char *take(struct csv *csv, struct row *r, int c)
{
    if (r->fill + 2 >= CSV_ROW_MAX)
        return "longer than 16384 bytes";
    if (r->quoted && c == '"') {
        int after = getc(csv->in);
        if (after == '"') {
            csv->text[r->fill++] = '"';
            return NULL;
        }
        if (after != EOF)
            ungetc(after, csv->in);
        r->quoted = false;
        r->closed = true;
        return NULL;
    }
    if (!r->quoted && c == ',') {
        csv->text[r->fill++] = '\0';
        return begin_field(csv, r);
    }
    if (c == '"' && r->fresh) {
        r->quoted = true;
        r->fresh = false;
        return NULL;
    }
    if (r->closed)
        return "something stands behind a closing quote";
    r->fresh = false;
    csv->text[r->fill++] = (char)c;
    return NULL;
}

enum csv_result csv_next(struct csv *csv, const char **why)
{
    struct row r;
    int c;

    do {
        r = (struct row){0};
        csv->n = 0;
        csv->line = csv->next;
        begin_field(csv, &r);
        while ((c = getc(csv->in)) != EOF && c != '\n') {
            if (c == '\r' && !r.quoted)
                continue;
            if (c == 0)
                return CSV_NO_TEXT;
            *why = take(csv, &r, c);
            if (*why) {
                skip_line(csv);
                return CSV_WRONG;
            }
        }
        csv->text[r.fill] = '\0';
        csv->next += c == '\n';
        if (r.quoted) {
            *why = "a quote is not closed";
            return CSV_WRONG;
        }
    } while (c != EOF && csv->n == 1 && !csv->field[0][0]);
    return csv->n == 1 && !csv->field[0][0] ? CSV_END : CSV_ROW;
}

void csv_put(FILE *out, const char *field)
{
    if (!strpbrk(field, ",\"\r\n")) {
        fputs(field, out);
        return;
    }
    putc('"', out);
    for (; *field; field++) {
        if (*field == '"')
            putc('"', out);
        putc(*field, out);
    }
    putc('"', out);
}
