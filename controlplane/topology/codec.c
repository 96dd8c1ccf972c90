/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes and subclusters as the JSON of the record (docs/redis.md). Members of later versions are ignored. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "hg/names.h"
#include "topology/model.h"

struct reader {
    const json_t *object;
    char *why;
    size_t size;
    bool bad;
};

static void wrong(struct reader *r, const char *member, const char *form)
{
    if (!r->bad)
        snprintf(r->why, r->size, "%s must be %s", member, form);
    r->bad = true;
}

/* NULL: absent */
static const json_t *member(const struct reader *r, const char *name)
{
    const json_t *v = json_object_get(r->object, name);

    return json_is_null(v) ? NULL : v;
}

static int64_t take_int(struct reader *r, const char *name, int64_t def, int64_t min, int64_t max)
{
    const json_t *v = member(r, name);
    char form[80];

    if (!v)
        return def;
    if (json_is_integer(v) && json_integer_value(v) >= min && json_integer_value(v) <= max)
        return json_integer_value(v);
    snprintf(form, sizeof(form), "a number from %lld to %lld", (long long)min, (long long)max);
    wrong(r, name, form);
    return def;
}

static bool take_bool(struct reader *r, const char *name)
{
    const json_t *v = member(r, name);

    if (v && !json_is_boolean(v))
        wrong(r, name, "true or false");
    return json_is_true(v);
}

static void take_text(struct reader *r, const char *name, char *out, size_t size)
{
    const json_t *v = member(r, name);

    out[0] = '\0';
    if (!v)
        return;
    if (!json_is_string(v) || json_string_length(v) >= size ||
        strlen(json_string_value(v)) != json_string_length(v))
        wrong(r, name, "a text that is not too long");
    else
        memcpy(out, json_string_value(v), json_string_length(v) + 1);
}

static void take_endpoint(struct reader *r, const char *name, struct hg_endpoint *out)
{
    char text[HG_ENDPOINT_STRLEN];

    memset(out, 0, sizeof(*out));
    take_text(r, name, text, sizeof(text));
    if (text[0] && (!hg_endpoint_parse(slice_str(text), 0, out) || !out->port))
        wrong(r, name, "an address with its port");
}

static bool begin(struct reader *r, struct slice json, json_t **object)
{
    json_error_t error;

    *object = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, &error);
    r->object = *object;
    if (json_is_object(*object))
        return true;
    snprintf(r->why, r->size, "not a JSON object: %.100s", *object ? "something else" : error.text);
    json_decref(*object);
    return false;
}

bool topology_node_parse(struct slice name, struct slice json, struct topology_node *out, char *why,
                         size_t size)
{
    struct reader r = {.why = why, .size = size};
    json_t *object;

    memset(out, 0, sizeof(*out));
    if (!name.len || name.len > HG_NODE_NAME_MAX || memchr(name.p, 0, name.len)) {
        snprintf(why, size, "a node's name has 1 to %u bytes", HG_NODE_NAME_MAX);
        return false;
    }
    if (!begin(&r, json, &object))
        return false;
    memcpy(out->name, name.p, name.len);
    out->index = (uint16_t)take_int(&r, "id", 0, 1, HG_NODES_MAX - 1);
    if (!out->index)
        wrong(&r, "id", "there");
    out->slot = (uint8_t)take_int(&r, "slot", 0, 0, TOPOLOGY_SLOTS - 1);
    out->protocol = (uint32_t)take_int(&r, "protocol", 0, 0, UINT16_MAX);
    out->capacity = (uint32_t)take_int(&r, "capacity", 0, 0, UINT32_MAX);
    out->capacity_own = take_bool(&r, "capacity_own");
    out->publisher = take_bool(&r, "publisher");
    out->installed = take_bool(&r, "installed");
    out->draining = take_bool(&r, "draining");
    out->leaving = take_bool(&r, "leaving");
    take_text(&r, "subcluster", out->subcluster_name, sizeof(out->subcluster_name));
    take_text(&r, "version", out->version, sizeof(out->version));
    take_endpoint(&r, "address", &out->address);
    take_endpoint(&r, "sip", &out->sip);
    take_endpoint(&r, "service", &out->service);
    json_decref(object);
    return !r.bad;
}

static void put_endpoint(json_t *object, const char *name, const struct hg_endpoint *ep)
{
    char text[HG_ENDPOINT_STRLEN];

    if (!ep->port)
        return;
    hg_endpoint_format(ep, text);
    char *slash = strrchr(text, '/'); /* UDP goes without saying */
    if (slash && ep->proto == HG_UDP)
        *slash = '\0';
    json_object_set_new(object, name, json_string(text));
}

static char *text_of(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    json_decref(object);
    return text;
}

char *topology_node_text(const struct topology_node *node)
{
    json_t *o = json_pack("{s:i, s:b, s:b}", "id", node->index, "publisher", node->publisher, "installed",
                          node->installed);

    if (node->subcluster_name[0]) {
        json_object_set_new(o, "subcluster", json_string(node->subcluster_name));
        json_object_set_new(o, "slot", json_integer(node->slot));
    }
    put_endpoint(o, "address", &node->address);
    put_endpoint(o, "sip", &node->sip);
    put_endpoint(o, "service", &node->service);
    if (node->protocol)
        json_object_set_new(o, "protocol", json_integer(node->protocol));
    if (node->version[0])
        json_object_set_new(o, "version", json_string(node->version));
    if (node->capacity)
        json_object_set_new(o, "capacity", json_integer(node->capacity));
    if (node->capacity_own)
        json_object_set_new(o, "capacity_own", json_true());
    if (node->draining)
        json_object_set_new(o, "draining", json_true());
    if (node->leaving)
        json_object_set_new(o, "leaving", json_true());
    return text_of(o);
}

static void take_mode(struct reader *r, enum topology_mode *out)
{
    char word[32];

    *out = TOPOLOGY_MODE_INHERIT;
    take_text(r, "mode", word, sizeof(word));
    if (!word[0])
        return;
    for (unsigned i = 0; topology_mode_names[i]; i++) {
        if (strcmp(topology_mode_names[i], word) == 0) {
            *out = (enum topology_mode)i;
            return;
        }
    }
    wrong(r, "mode", "balanced, active-standby, none or inherit");
}

static void take_service(struct reader *r, struct topology_subcluster *s)
{
    const json_t *slots = member(r, "service");

    if (slots && (!json_is_array(slots) || json_array_size(slots) > TOPOLOGY_SLOTS)) {
        wrong(r, "service", "a list of addresses for each of two slots");
        return;
    }
    for (size_t k = 0; k < json_array_size(slots); k++) {
        const json_t *list = json_array_get(slots, k);
        if (!json_is_array(list) || json_array_size(list) > TOPOLOGY_SERVICE_MAX) {
            wrong(r, "service", "a list of at most 8 addresses for each slot");
            return;
        }
        for (size_t i = 0; i < json_array_size(list); i++) {
            const char *text = json_string_value(json_array_get(list, i));
            if (!text || !hg_net_parse(slice_str(text), &s->service[k][i])) {
                wrong(r, "service", "made of addresses with their prefix, such as 192.0.2.10/24");
                return;
            }
            s->nservice[k]++;
        }
    }
}

bool topology_subcluster_parse(struct slice name, struct slice json, struct topology_subcluster *out,
                               char *why, size_t size)
{
    struct reader r = {.why = why, .size = size};
    json_t *object;

    memset(out, 0, sizeof(*out));
    if (!name.len || name.len > TOPOLOGY_NAME_MAX || memchr(name.p, 0, name.len)) {
        snprintf(why, size, "a subcluster's name has 1 to %u bytes", TOPOLOGY_NAME_MAX);
        return false;
    }
    if (!begin(&r, json, &object))
        return false;
    memcpy(out->name, name.p, name.len);
    out->index = (uint16_t)take_int(&r, "id", 0, 1, TOPOLOGY_SUBCLUSTERS_MAX - 1);
    if (!out->index)
        wrong(&r, "id", "there");
    out->ha = take_bool(&r, "ha");
    take_mode(&r, &out->mode);
    take_service(&r, out);
    json_decref(object);
    return !r.bad;
}

char *topology_subcluster_text(const struct topology_subcluster *s)
{
    json_t *o = json_pack("{s:i, s:b}", "id", s->index, "ha", s->ha);

    if (s->mode != TOPOLOGY_MODE_INHERIT)
        json_object_set_new(o, "mode", json_string(topology_mode_names[s->mode]));
    if (s->nservice[0] || s->nservice[1]) {
        json_t *slots = json_array();
        for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++) {
            json_t *list = json_array();
            for (unsigned i = 0; i < s->nservice[k]; i++) {
                char text[HG_IP_STRLEN + 4];
                hg_net_format(&s->service[k][i], text);
                json_array_append_new(list, json_string(text));
            }
            json_array_append_new(slots, list);
        }
        json_object_set_new(o, "service", slots);
    }
    return text_of(o);
}
