/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration as data: one description per item and per member of a list. Loader, `config show`, the
 * manual and the sample all walk these tables. */
#ifndef HG_IMPL_CONFIG_TABLE_H
#define HG_IMPL_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/config.h"

enum config_kind {
    CONFIG_INT,
    CONFIG_BOOL,
    CONFIG_TEXT,
    CONFIG_ENUM,     /* index of the word */
    CONFIG_IP,       /* struct hg_ip */
    CONFIG_ADDRESS,  /* struct hg_net: an address of ours with its prefix length */
    CONFIG_NETWORK,  /* struct hg_net without host bits */
    CONFIG_ENDPOINT, /* struct hg_endpoint */
    CONFIG_LIST      /* a list inside an element */
};

enum config_form { /* of a CONFIG_TEXT */
                   FORM_ANY,
                   FORM_HOST,     /* domain or host name */
                   FORM_PEER,     /* address or host name */
                   FORM_NODE,     /* B02 */
                   FORM_CLUSTER,  /* K03 */
                   FORM_NEXT_HOP, /* L11 */
                   FORM_TOKEN,
                   FORM_PATH,
                   FORM_CPUS,
                   FORM_ADDRESS,  /* an IP address, kept as text */
                   FORM_ENDPOINT, /* an IP address with its port, kept as text */
};

struct config_list;

struct config_field {
    const char *name; /* an item's path, a member's name; NULL for the elements of a plain list */
    enum config_kind kind;
    enum config_form form;
    uint32_t offset; /* in struct hg_config or in the element */
    uint32_t size;
    int64_t def, min, max; /* of numbers; max of a text is its longest length */
    const char *text;      /* default of a text */
    const char *words;     /* "a|b|c" */
    const char *unit;
    const char *doc;
    const char *expected;
    bool required; /* members only */
    bool empty;    /* a text that may be empty whatever its form */
    bool cluster, reload;
    const struct config_list *list;
};

struct config_text_rule {
    const char *path;
    enum config_form form;
    bool empty;  /* may be empty whatever the form */
    bool secret; /* never shown */
};

struct config_list {
    const char *name; /* path, or the member's name of an inner one */
    const struct config_field *field;
    uint32_t fields;
    uint32_t element; /* size of one */
    uint32_t offset;  /* of the pointer; of the array itself for inner lists */
    uint32_t count_offset;
    uint32_t count_size;
    uint32_t min, max;
    bool inner, cluster, reload;
    const char *doc;
    const struct config_field *brief; /* what a plain value in the place of a group means */
};

extern const struct config_field config_items[];
extern const unsigned config_items_n;
extern const struct config_list config_lists[];
extern const unsigned config_lists_n;

enum {
    CONFIG_PORTS,
    CONFIG_STATICS,
    CONFIG_LISTENERS,
    CONFIG_ACCESS,
    CONFIG_NEIGHBOURS,
    CONFIG_NODES,
    CONFIG_ROUTES,
    CONFIG_TEMPLATES,
    CONFIG_ALIASES,
    CONFIG_SENTINELS,
    CONFIG_CERTIFICATES,
    CONFIG_LISTS_N
};

/* Where something was read: line 0 = nowhere, the default. */
struct hg_config_source {
    char *file;
    uint32_t *item_line;                 /* config_items_n */
    uint32_t *list_line[CONFIG_LISTS_N]; /* one per element */
};

#define CONFIG_SHOWN_MAX                                                                                     \
    200 /* elements of one list that are shown, or told as changed; the rest is counted */
#define CONFIG_TEXT_MAX 1200 /* any value as text, with its NUL */

struct config_text_rule config_rule(const struct config_field *field);
const char *config_form_text(enum config_form form);

uint32_t config_count(const struct config_list *list, const void *base);
void *config_element(const struct config_list *list, const void *base, uint32_t index);
void config_set_count(const struct config_list *list, void *base, uint32_t count);

/* Defaults of all fields of an element. */
void config_field_defaults(const struct config_field *field, unsigned n, void *base);
/* false = refused, the value stays as it was */
bool config_put_int(const struct config_field *field, void *base, int64_t value);
bool config_put_bool(const struct config_field *field, void *base, bool value);
bool config_put_text(const struct config_field *field, void *base, const char *text);
/* Any kind from its text: "500", "true", "10.0.0.0/8". */
bool config_put_any(const struct config_field *field, void *base, const char *text);
/* The value as it stands in the file, strings without quotes. out: CONFIG_TEXT_MAX. Secrets are masked. */
void config_get_text(const struct config_field *field, const void *base, char *out);
bool config_is_default(const struct config_field *field, const void *base);
void config_default_text(const struct config_field *field, char *out);

/* The complaints of one load. */
struct config_errors;
/* The problem stands at the item `field` of struct hg_config, or at an element (member may be NULL) of a
 * list. */
void config_error_at(struct config_errors *errors, const char *item, const char *what, const char *expected);
void config_error_in(struct config_errors *errors, unsigned list, uint32_t index, const char *member,
                     const char *what, const char *expected);
/* Rules between values (config_check.c). */
void config_check(const struct hg_config *config, struct config_errors *errors);

#endif
