/* SPDX-License-Identifier: BSD-2-Clause */
#include "impl/config_table.h"

#include <string.h>

#define FIELD(member)                                                                                        \
    .offset = offsetof(struct hg_config, member), .size = sizeof(((struct hg_config *)0)->member)
#define SCOPE_NODE    false
#define SCOPE_CLUSTER true
#define APPLY_RELOAD  true
#define APPLY_RESTART false

const struct config_field config_items[] = {
#define HG_INT(field_, path, def_, min_, max_, unit_, scope, reload_, doc_)                                  \
    {.name = path,                                                                                           \
     .kind = CONFIG_INT,                                                                                     \
     FIELD(field_),                                                                                          \
     .def = def_,                                                                                            \
     .min = min_,                                                                                            \
     .max = max_,                                                                                            \
     .unit = unit_,                                                                                          \
     .doc = doc_,                                                                                            \
     .expected = "an integer from " #min_ " to " #max_,                                                      \
     .cluster = SCOPE_##scope,                                                                               \
     .reload = APPLY_##reload_},
#define HG_BOOL(field_, path, def_, scope, reload_, doc_)                                                    \
    {.name = path,                                                                                           \
     .kind = CONFIG_BOOL,                                                                                    \
     FIELD(field_),                                                                                          \
     .def = def_,                                                                                            \
     .doc = doc_,                                                                                            \
     .expected = "true or false",                                                                            \
     .cluster = SCOPE_##scope,                                                                               \
     .reload = APPLY_##reload_},
#define HG_STR(field_, path, def_, max_, scope, reload_, doc_)                                               \
    {.name = path,                                                                                           \
     .kind = CONFIG_TEXT,                                                                                    \
     FIELD(field_),                                                                                          \
     .text = def_,                                                                                           \
     .max = max_,                                                                                            \
     .doc = doc_,                                                                                            \
     .expected = "a string of at most " #max_ " bytes",                                                      \
     .cluster = SCOPE_##scope,                                                                               \
     .reload = APPLY_##reload_},
#define HG_ENUM(field_, path, def_, words_, scope, reload_, doc_)                                            \
    {.name = path,                                                                                           \
     .kind = CONFIG_ENUM,                                                                                    \
     FIELD(field_),                                                                                          \
     .text = def_,                                                                                           \
     .words = words_,                                                                                        \
     .doc = doc_,                                                                                            \
     .expected = "one of " words_,                                                                           \
     .cluster = SCOPE_##scope,                                                                               \
     .reload = APPLY_##reload_},
#include "hg/config_items.def"
#undef HG_INT
#undef HG_BOOL
#undef HG_STR
#undef HG_ENUM
};
const unsigned config_items_n = sizeof(config_items) / sizeof(config_items[0]);

/* What a string of an item must look like; an item that is not here takes any text. */
static const struct config_text_rule rules[] = {
    {"node.name", FORM_NODE, false, false},
    {"node.address", FORM_ENDPOINT, true, false},
    {"node.redis.sentinel_password", FORM_ANY, true, true},
    {"node.redis.host", FORM_PEER, false, false},
    {"node.redis.password", FORM_ANY, true, true},
    {"node.redis.tls_ca", FORM_PATH, true, false},
    {"node.redis.tls_cert", FORM_PATH, true, false},
    {"node.redis.tls_key", FORM_PATH, true, false},
    {"node.redis.tls_server_name", FORM_PEER, true, false},
    {"node.admin_socket", FORM_PATH, false, false},
    {"node.metrics.address", FORM_ADDRESS, false, false},
    {"dataplane.cores", FORM_CPUS, false, false},
    {"dataplane.eal_args", FORM_ANY, true, false},
    {"dataplane.crypto_cpus", FORM_CPUS, true, false},
    {"dataplane.tls.trust", FORM_PATH, true, false},
    {"dataplane.tls.ciphers", FORM_TOKEN, true, false},
    {"dataplane.tls.ciphersuites", FORM_TOKEN, true, false},
    {"dataplane.tls.groups", FORM_TOKEN, true, false},
    {"cluster.id", FORM_CLUSTER, false, false},
    {"cluster.domain", FORM_HOST, false, false},
    {"cluster.secret", FORM_ANY, true, true},
    {"cluster.srv_name", FORM_HOST, true, false},
};

struct config_text_rule config_rule(const struct config_field *field)
{
    for (unsigned i = 0; field->name != NULL && i < sizeof(rules) / sizeof(rules[0]); i++)
        if (field >= config_items && field < config_items + config_items_n &&
            strcmp(rules[i].path, field->name) == 0)
            return rules[i];
    return (struct config_text_rule){field->name, field->form, field->empty, false};
}

const char *config_form_text(enum config_form form)
{
    static const char *const text[] = {
        [FORM_ANY] = "printable UTF-8 text",
        [FORM_HOST] = "a name such as sip.example.com",
        [FORM_PEER] = "an IP address or a name such as sip.example.com",
        [FORM_NODE] = "a host name, a full IPv4 address such as 192.0.2.1, an FQDN or a DNS-SRV name",
        [FORM_CLUSTER] = "letters, digits, hyphens and dots, no underscore",
        [FORM_NEXT_HOP] = "an IP address, a host name or a DNS-SRV name such as _sip._udp.example.com",
        [FORM_TOKEN] = "printable characters without blanks, quotes or backslash",
        [FORM_PATH] = "an absolute path",
        [FORM_CPUS] = "a list of CPUs such as 2-5,8, at most 64 of them, none twice",
        [FORM_ADDRESS] = "an IP address",
        [FORM_ENDPOINT] = "an address with a port, such as 192.0.2.1:7946 or [2001:db8::1]:7946",
    };
    return text[form];
}
