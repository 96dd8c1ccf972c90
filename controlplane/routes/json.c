/* SPDX-License-Identifier: BSD-2-Clause */
#include "routes/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hg/names.h"
#include "hg/route_pattern.h"
#include "log/json_text.h"

static const char *const type_words[] = {"user", "domain", NULL};
static const char *const proto_words[] = {"udp", "tcp", "tls", NULL};

static void wrong(json_t *errors, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void wrong(json_t *errors, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_array_append_new(errors, json_text(text));
}

static void take_text(const json_t *v, const char *name, char *out, size_t size, json_t *errors)
{
    if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
        wrong(errors, "%s: must be a text", name);
    else if (json_string_length(v) >= size)
        wrong(errors, "%s: at most %zu bytes", name, size - 1);
    else
        snprintf(out, size, "%s", json_string_value(v));
}

static void take_int(const json_t *v, const char *name, int64_t min, int64_t max, uint16_t *out,
                     json_t *errors)
{
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
        wrong(errors, "%s: must be a number from %" PRId64 " to %" PRId64, name, min, max);
    else
        *out = (uint16_t)json_integer_value(v);
}

static void take_word(const json_t *v, const char *name, const char *const *words, const char *form,
                      uint8_t *out, json_t *errors)
{
    for (unsigned i = 0; json_is_string(v) && words[i]; i++) {
        if (strcasecmp(words[i], json_string_value(v)) == 0) {
            *out = (uint8_t)i;
            return;
        }
    }
    wrong(errors, "%s: must be %s", name, form);
}

static void take_bool(const json_t *v, const char *name, bool *out, json_t *errors)
{
    if (!json_is_boolean(v))
        wrong(errors, "%s: must be true or false", name);
    else
        *out = json_is_true(v);
}

void route_json_apply(const json_t *object, struct hg_static_route *r, json_t *errors)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)object, name, v)
    {
        if (json_is_null(v))
            continue;
        if (strcmp(name, "name") == 0)
            take_text(v, name, r->name, sizeof(r->name), errors);
        else if (strcmp(name, "pattern") == 0)
            take_text(v, name, r->pattern, sizeof(r->pattern), errors);
        else if (strcmp(name, "description") == 0)
            take_text(v, name, r->description, sizeof(r->description), errors);
        else if (strcmp(name, "next_hop") == 0)
            take_text(v, name, r->next_hop, sizeof(r->next_hop), errors);
        else if (strcmp(name, "port") == 0)
            take_int(v, name, 0, 65535, &r->port, errors);
        else if (strcmp(name, "type") == 0)
            take_word(v, name, type_words, "user or domain", &r->type, errors);
        else if (strcmp(name, "protocol") == 0)
            take_word(v, name, proto_words, "udp, tcp or tls", &r->proto, errors);
        else if (strcmp(name, "priority") == 0)
            take_int(v, name, 1, 65535, &r->priority, errors);
        else if (strcmp(name, "weight") == 0)
            take_int(v, name, 1, 65535, &r->weight, errors);
        else if (strcmp(name, "less_specific") == 0)
            take_bool(v, name, &r->less_specific, errors);
        else if (strcmp(name, "in_service") == 0)
            take_bool(v, name, &r->in_service, errors);
        else if (strcmp(name, "block") == 0)
            take_bool(v, name, &r->block, errors);
        else if (strcmp(name, "stateful") == 0)
            take_bool(v, name, &r->stateful, errors);
        else if (strcmp(name, "parallel") == 0)
            take_bool(v, name, &r->parallel, errors);
        /* others are for later versions: ignored, as the protocol says */
    }
}

void route_json_check(const struct hg_static_route *r, const char (*templates)[HG_PATTERN_MAX + 1],
                      uint32_t ntemplates, json_t *errors)
{
    char why[400];

    if (!hg_name_is_token(slice_str(r->name)))
        wrong(errors, "name: must be 1 to %zu printable characters without blanks and quotes",
              sizeof(r->name) - 1);
    const char *pattern =
        hg_route_pattern_check(r->type, r->pattern, templates, ntemplates, why, sizeof(why));
    if (pattern)
        wrong(errors, "pattern: %s", pattern);
    if (r->block && !r->next_hop[0])
        return; /* a refusal leads nowhere */
    enum hg_host_kind kind = hg_host_check(r->next_hop, why, sizeof(why));
    if (kind == HG_HOST_BAD)
        wrong(errors, "next_hop: %s", why);
    else if (kind == HG_HOST_ADDRESS && r->port == 0)
        wrong(errors, "port: 0 asks for the SRV records of a name, but next_hop is an address");
}

json_t *route_json_object(const struct hg_static_route *r)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:i, s:b, s:b, s:b, s:b, s:b}", "name",
                     r->name, "pattern", r->pattern, "description", r->description, "next_hop", r->next_hop,
                     "port", r->port, "type", type_words[r->type & 1], "protocol",
                     proto_words[r->proto < 3 ? r->proto : 0], "priority", r->priority, "weight", r->weight,
                     "less_specific", r->less_specific, "in_service", r->in_service, "block", r->block,
                     "stateful", r->stateful, "parallel", r->parallel);
}

char *route_json_text(const struct hg_static_route *r)
{
    json_t *object = route_json_object(r);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    json_decref(object);
    return text;
}

bool route_json_parse(struct slice text, struct hg_static_route *route, char *why, size_t size)
{
    json_error_t error;
    json_t *object = json_loadb(text.p, text.len, 0, &error), *errors = json_array();

    hg_static_route_defaults(route);
    if (!json_is_object(object))
        snprintf(why, size, "not a JSON object: %.100s", object ? "something else" : error.text);
    else
        route_json_apply(object, route, errors);
    route->source = HG_ROUTE_FROM_ADMIN;
    if (json_array_size(errors))
        snprintf(why, size, "%s", json_string_value(json_array_get(errors, 0)));
    bool good = json_is_object(object) && json_array_size(errors) == 0;
    json_decref(object);
    json_decref(errors);
    return good;
}
