/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration file of anybody: refused or loaded, and what is loaded can be shown, compared and set
 * again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hg/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets a string that a syntax error interrupts. */
const char *__lsan_default_suppressions(void)
{
    return "leak:strbuf_append\nleak:libconfig\n";
}

static void set_again(void *arg, const struct hg_config_entry *e)
{
    struct hg_config *copy = arg;
    if (e->value == NULL || strlen(e->path) == 0)
        abort();
    if (e->reload && strchr(e->path, '[') == NULL && hg_config_set(copy, e->path, e->value) != NULL)
        abort();
}

static void never(void *arg, const struct hg_config_entry *e)
{
    (void)arg;
    (void)e;
    abort();
}

static void count(void *arg, const struct hg_config_entry *e)
{
    (void)e;
    ++*(unsigned *)arg;
}

/* The small forms: what parses, formats to something that parses to the same. */
static void small_forms(struct slice text)
{
    struct hg_ip ip, ip2;
    struct hg_endpoint ep, ep2;
    struct hg_net net, net2;
    char out[128];
    if (hg_ip_parse(text, &ip) &&
        (hg_ip_format(&ip, out), !hg_ip_parse(slice_str(out), &ip2) || !hg_ip_eq(&ip, &ip2)))
        abort();
    if (hg_endpoint_parse(text, 5060, &ep) &&
        (hg_endpoint_format(&ep, out),
         !hg_endpoint_parse(slice_str(out), 1, &ep2) || !hg_endpoint_eq(&ep, &ep2)))
        abort();
    if (hg_net_parse(text, &net) && net.bits >= 96 &&
        (hg_net_format(&net, out),
         !hg_net_parse(slice_str(out), &net2) || memcmp(&net, &net2, sizeof(net)) != 0))
        abort();
}

static void set_item(struct hg_config *config, const char *text)
{
    char copy[512];
    snprintf(copy, sizeof(copy), "%s", text);
    char *equals = strchr(copy, '=');
    uint16_t cpus[HG_CORES_MAX];
    if (equals != NULL) {
        *equals = 0;
        hg_config_set(config, copy, equals + 1);
    }
    hg_config_cpus(text, cpus);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *messages = NULL;
    size_t length = 0;
    FILE *errors = open_memstream(&messages, &length);
    char *text = malloc(size + 1);
    struct hg_config *defaults = hg_config_defaults();
    if (errors == NULL || text == NULL || defaults == NULL)
        abort();
    memcpy(text, data, size);
    text[size] = 0;
    struct hg_config *config = hg_config_parse(text, size, "fuzz.cfg", errors);
    fclose(errors);
    if ((config == NULL) != (length > 0)) /* an error is told, and only an error */
        abort();
    if (config != NULL) {
        unsigned n = 0;
        hg_config_show(config, set_again, defaults);
        hg_config_diff(config, config, never, NULL);
        hg_config_diff(defaults, config, count, &n);
    }
    small_forms(slice_of((const char *)data, (uint32_t)size));
    set_item(defaults, text);
    hg_config_free(config);
    hg_config_free(defaults);
    free(messages);
    free(text);
    return 0;
}
