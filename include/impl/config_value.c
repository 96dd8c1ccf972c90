/* SPDX-License-Identifier: BSD-2-Clause */
/* One value between its text and its place in memory. */
#include "impl/config_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hg/names.h"

static void *at(const void *base, uint32_t offset)
{
    return (char *)(uintptr_t)base + offset;
}

static void store(void *p, uint32_t size, int64_t v)
{
    if (size == 1)
        *(uint8_t *)p = (uint8_t)v;
    else if (size == 2)
        *(uint16_t *)p = (uint16_t)v;
    else if (size == 4)
        *(uint32_t *)p = (uint32_t)v;
    else
        *(int64_t *)p = v;
}

static int64_t fetch(const void *p, uint32_t size)
{
    if (size == 1)
        return *(const uint8_t *)p;
    if (size == 2)
        return *(const uint16_t *)p;
    if (size == 4)
        return *(const uint32_t *)p;
    return *(const int64_t *)p;
}

uint32_t config_count(const struct config_list *list, const void *base)
{
    return (uint32_t)fetch(at(base, list->count_offset), list->count_size);
}

void config_set_count(const struct config_list *list, void *base, uint32_t count)
{
    store(at(base, list->count_offset), list->count_size, count);
}

void *config_element(const struct config_list *list, const void *base, uint32_t index)
{
    void *place = at(base, list->offset);
    char *first = place;
    if (!list->inner)
        memcpy(&first, place, sizeof(first)); /* whatever the pointer's type */
    return first + (size_t)index * list->element;
}

bool config_put_int(const struct config_field *field, void *base, int64_t value)
{
    if (field->kind != CONFIG_INT || value < field->min || value > field->max)
        return false;
    store(at(base, field->offset), field->size, value);
    return true;
}

bool config_put_bool(const struct config_field *field, void *base, bool value)
{
    if (field->kind != CONFIG_BOOL)
        return false;
    store(at(base, field->offset), field->size, value);
    return true;
}

/* Index of the word, in any case, or -1. */
static int word_index(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (int i = 0;; i++) {
        size_t len = strcspn(words, "|");
        if (slice_ieq(slice_of(words, (uint32_t)len), slice_of(word, (uint32_t)n)))
            return i;
        if (words[len] == 0)
            return -1;
        words += len + 1;
    }
}

static struct slice word_at(const char *words, int64_t index)
{
    for (; index > 0 && *words; index--) {
        words += strcspn(words, "|");
        words += *words == '|';
    }
    return slice_of(words, (uint32_t)strcspn(words, "|"));
}

/* Bytes of the UTF-8 character (RFC 3629) at p, or 0. */
static unsigned utf8_size(const unsigned char *p)
{
    unsigned n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    for (unsigned i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool long_form = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool outside = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return long_form || outside ? 0 : n;
}

/* No control characters, and UTF-8: it goes into JSON and log lines. */
static bool is_plain(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned n;
    for (; *p; p += n) {
        n = utf8_size(p);
        if (n == 0 || *p < ' ' || *p == 0x7f)
            return false;
    }
    return true;
}

int hg_config_cpus(const char *list, uint16_t cpus[HG_CORES_MAX])
{
    bool seen[1024] = {false};
    int n = 0;
    const char *p = list;
    for (;;) {
        unsigned long bound[2];
        for (int i = 0; i < 2; i++) {
            char *end;
            if (*p < '0' || *p > '9')
                return -1;
            bound[i] = strtoul(p, &end, 10);
            if (end - p > 4 || bound[i] >= sizeof(seen))
                return -1;
            p = end;
            if (i == 0 && *p == '-')
                p++;
            else if (i == 0)
                bound[++i] = bound[0];
        }
        if (bound[1] < bound[0])
            return -1;
        for (unsigned long cpu = bound[0]; cpu <= bound[1]; cpu++) {
            if (seen[cpu] || n == HG_CORES_MAX)
                return -1;
            seen[cpu] = true;
            cpus[n++] = (uint16_t)cpu;
        }
        if (*p == 0)
            return n;
        if (*p++ != ',')
            return -1;
    }
}

static bool has_form(enum config_form form, const char *text)
{
    struct slice s = slice_str(text);
    struct hg_ip ip;
    struct hg_endpoint ep;
    uint16_t cpus[HG_CORES_MAX];
    switch (form) {
    case FORM_ANY:
        return is_plain(text);
    case FORM_HOST:
        return hg_name_is_host(s);
    case FORM_PEER:
        return hg_name_is_host(s) || hg_ip_parse(s, &ip);
    case FORM_NODE:
        return hg_name_is_node(s);
    case FORM_CLUSTER:
        return hg_name_is_cluster(s);
    case FORM_NEXT_HOP:
        return hg_name_is_next_hop(s);
    case FORM_TOKEN:
        return s.len > 0 && is_plain(text) && strpbrk(text, " \"") == NULL;
    case FORM_PATH:
        return text[0] == '/' && is_plain(text);
    case FORM_CPUS:
        return hg_config_cpus(text, cpus) > 0;
    case FORM_ADDRESS:
        return hg_ip_parse(s, &ip);
    case FORM_ENDPOINT:
        return hg_endpoint_parse(s, 0, &ep) && ep.port != 0 && memchr(text, '/', s.len) == NULL;
    }
    return false;
}

static bool put_string(const struct config_field *field, void *base, const char *text)
{
    struct config_text_rule rule = config_rule(field);
    size_t len = strlen(text);
    if (len > (size_t)field->max || !((len == 0 && rule.empty) || has_form(rule.form, text)))
        return false;
    char *to = at(base, field->offset);
    memset(to, 0, field->size);
    memcpy(to, text, len);
    return true;
}

static bool put_net(const struct config_field *field, void *base, const char *text)
{
    struct hg_net net;
    if (!hg_net_parse(slice_str(text), &net))
        return false;
    if (field->kind == CONFIG_ADDRESS && strchr(text, '/') == NULL)
        return false;
    if (field->kind == CONFIG_NETWORK)
        for (unsigned bit = net.bits; bit < 128; bit++)
            if (net.ip.b[bit / 8] & 0x80 >> bit % 8)
                return false;
    memcpy(at(base, field->offset), &net, sizeof(net));
    return true;
}

bool config_put_text(const struct config_field *field, void *base, const char *text)
{
    struct hg_ip ip = {{0}};
    struct hg_endpoint ep;
    int word;
    switch (field->kind) {
    case CONFIG_TEXT:
        return put_string(field, base, text);
    case CONFIG_ENUM:
        word = word_index(field->words, text);
        if (word >= 0)
            store(at(base, field->offset), field->size, word);
        return word >= 0;
    case CONFIG_IP:
        if (!(field->empty && text[0] == 0) && !hg_ip_parse(slice_str(text), &ip))
            return false;
        memcpy(at(base, field->offset), &ip, sizeof(ip));
        return true;
    case CONFIG_ADDRESS:
    case CONFIG_NETWORK:
        return put_net(field, base, text);
    case CONFIG_ENDPOINT:
        if (!hg_endpoint_parse(slice_str(text), 5060, &ep))
            return false;
        memcpy(at(base, field->offset), &ep, sizeof(ep));
        return true;
    default:
        return false;
    }
}

bool config_put_any(const struct config_field *field, void *base, const char *text)
{
    if (field->kind == CONFIG_INT) {
        char *end;
        errno = 0;
        long long v = strtoll(text, &end, 10);
        bool digits = text[0] == '-' ? text[1] >= '0' && text[1] <= '9' : text[0] >= '0' && text[0] <= '9';
        return digits && *end == 0 && errno == 0 && config_put_int(field, base, v);
    }
    if (field->kind == CONFIG_BOOL) {
        bool yes = strcmp(text, "true") == 0;
        return (yes || strcmp(text, "false") == 0) && config_put_bool(field, base, yes);
    }
    return config_put_text(field, base, text);
}

void config_get_text(const struct config_field *field, const void *base, char *out)
{
    const void *p = at(base, field->offset);
    struct slice word;
    out[0] = 0;
    switch (field->kind) {
    case CONFIG_INT:
        snprintf(out, CONFIG_TEXT_MAX, "%" PRId64, fetch(p, field->size));
        break;
    case CONFIG_BOOL:
        snprintf(out, CONFIG_TEXT_MAX, "%s", fetch(p, field->size) ? "true" : "false");
        break;
    case CONFIG_TEXT:
        if (config_rule(field).secret && *(const char *)p)
            snprintf(out, CONFIG_TEXT_MAX, "********");
        else
            snprintf(out, CONFIG_TEXT_MAX, "%s", (const char *)p);
        break;
    case CONFIG_ENUM:
        word = word_at(field->words, fetch(p, field->size));
        snprintf(out, CONFIG_TEXT_MAX, SLICE_FMT, SLICE_ARG(word));
        break;
    case CONFIG_IP:
        if (!hg_ip_eq(p, &(struct hg_ip){{0}}) || !field->empty)
            hg_ip_format(p, out);
        break;
    case CONFIG_ADDRESS:
    case CONFIG_NETWORK:
        hg_net_format(p, out);
        break;
    case CONFIG_ENDPOINT:
        hg_endpoint_format(p, out);
        break;
    case CONFIG_LIST:
        break;
    }
}

void config_default_text(const struct config_field *field, char *out)
{
    out[0] = 0;
    if (field->kind == CONFIG_INT)
        snprintf(out, CONFIG_TEXT_MAX, "%" PRId64, field->def);
    else if (field->kind == CONFIG_BOOL)
        snprintf(out, CONFIG_TEXT_MAX, "%s", field->def ? "true" : "false");
    else if (field->text != NULL)
        snprintf(out, CONFIG_TEXT_MAX, "%s", field->text);
}

bool config_is_default(const struct config_field *field, const void *base)
{
    char value[CONFIG_TEXT_MAX], def[CONFIG_TEXT_MAX];
    config_get_text(field, base, value);
    config_default_text(field, def);
    return strcmp(value, def) == 0;
}

void config_field_defaults(const struct config_field *field, unsigned n, void *base)
{
    for (unsigned i = 0; i < n; i++) {
        if (field[i].kind == CONFIG_INT || field[i].kind == CONFIG_BOOL)
            store(at(base, field[i].offset), field[i].size, field[i].def);
        else if (field[i].kind == CONFIG_ENUM)
            store(at(base, field[i].offset), field[i].size, word_index(field[i].words, field[i].text));
        else if (field[i].kind == CONFIG_TEXT)
            snprintf(at(base, field[i].offset), field[i].size, "%s", field[i].text);
    }
}
