/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/table.h"

#include <stdlib.h>
#include <string.h>

#define CELL 400

void table_clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

json_t *table_member(json_t *object, const char *path)
{
    const char *slash = strchr(path, '/');
    char first[64];
    if (slash == NULL)
        return json_object_get(object, path);
    snprintf(first, sizeof(first), "%.*s", (int)(slash - path), path);
    return table_member(json_object_get(object, first), slash + 1);
}

void table_text(json_t *value, char *out, size_t size)
{
    size_t fill = 0, i;
    json_t *element;
    out[0] = 0;
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        snprintf(out, size, "%s", json_string_value(value));
        table_clean(out);
        break;
    case JSON_INTEGER:
        snprintf(out, size, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        snprintf(out, size, "%.2f", json_real_value(value));
        break;
    case JSON_TRUE:
        snprintf(out, size, "yes");
        break;
    case JSON_FALSE:
        snprintf(out, size, "no");
        break;
    case JSON_ARRAY:
        if (json_array_size(value) == 0)
            snprintf(out, size, "-");
        json_array_foreach(value, i, element)
        {
            char one[CELL];
            table_text(element, one, sizeof(one));
            if (fill < size)
                fill += (size_t)snprintf(out + fill, size - fill, "%s%s", i ? "," : "", one);
        }
        break;
    case JSON_OBJECT: /* what a cell shows of a next hop: its endpoint */
        table_text(json_object_get(value, "endpoint"), out, size);
        break;
    default:
        snprintf(out, size, "-");
    }
}

/* Columns on a terminal, of UTF-8 text */
static int width(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void cell(FILE *out, const char *text, int room, bool right, bool last)
{
    int pad = room - width(text);
    if (right)
        fprintf(out, "%*s%s", pad > 0 ? pad : 0, "", text);
    else
        fprintf(out, "%s%*s", text, pad > 0 && !last ? pad : 0, "");
    fputs(last ? "\n" : "  ", out);
}

void table_print(FILE *out, json_t *rows, const struct column *columns, unsigned n)
{
    char text[CELL];
    size_t i;
    json_t *row;
    int *room = calloc(n, sizeof(*room));
    if (room == NULL)
        return;
    for (unsigned c = 0; c < n; c++)
        room[c] = width(columns[c].title);
    json_array_foreach(rows, i, row) for (unsigned c = 0; c < n; c++)
    {
        table_text(table_member(row, columns[c].member), text, sizeof(text));
        if (width(text) > room[c])
            room[c] = width(text);
    }
    for (unsigned c = 0; c < n; c++)
        cell(out, columns[c].title, room[c], columns[c].right, c + 1 == n);
    json_array_foreach(rows, i, row) for (unsigned c = 0; c < n; c++)
    {
        table_text(table_member(row, columns[c].member), text, sizeof(text));
        cell(out, text, room[c], columns[c].right, c + 1 == n);
    }
    free(room);
}

void table_line(FILE *out, const char *title, json_t *value)
{
    char text[CELL];
    if (value == NULL)
        return;
    table_text(value, text, sizeof(text));
    fprintf(out, "%-13s %s\n", title, text);
}

const char *table_plural(long long n)
{
    return n == 1 ? "" : "s";
}
