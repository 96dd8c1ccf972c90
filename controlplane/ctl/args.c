/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line by the command's table of parameters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/ctl.h"

static int complain(struct ctl *ctl, const char *what, const char *value)
{
    fprintf(ctl->err, "hgctl %s: %s%s%s\n", ctl->command->name, what, value ? " " : "", value ? value : "");
    ctl_usage(ctl->command, ctl->err);
    fprintf(ctl->err, "`hgctl %s --help` says more.\n", ctl->command->name);
    return CTL_USAGE;
}

/* The word as the table has it, for any case; NULL when it is none of them. */
static json_t *word_of(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (;; words++) {
        size_t len = strcspn(words, "|");
        if (len == n && strncasecmp(words, word, n) == 0)
            return json_stringn(words, len);
        words += len;
        if (*words == 0)
            return NULL;
    }
}

/* NULL: the text is none of this kind */
static json_t *value_of(const struct ctl_param *param, const char *text)
{
    char *end = NULL;
    errno = 0;
    switch (param->kind) {
    case CTL_SET:
        return json_true();
    case CTL_CLEAR:
        return json_false();
    case CTL_NONE:
        return json_array();
    case CTL_TRUTH:
        if (strcmp(text, "true") == 0)
            return json_true();
        return strcmp(text, "false") == 0 ? json_false() : NULL;
    case CTL_NUMBER: {
        long long v = strtoll(text, &end, 10);
        return end != text && *end == 0 && errno == 0 ? json_integer(v) : NULL;
    }
    case CTL_REAL: {
        double v = strtod(text, &end);
        return end != text && *end == 0 && errno == 0 ? json_real(v) : NULL;
    }
    case CTL_TEXT:
        if (param->value && strchr(param->value, '|'))
            return word_of(param->value, text);
        return json_string(text);
    }
    return NULL;
}

/* false: the member is there and says something else. Lists ("contacts+") grow; one that was given as empty
 * stays so. */
static bool put_member(json_t *at, const char *member, json_t *value)
{
    size_t len = strlen(member);
    char name[32];

    snprintf(name, sizeof(name), "%.*s", (int)(member[len - 1] == '+' ? len - 1 : len), member);
    json_t *old = json_object_get(at, name);
    if (member[len - 1] != '+') {
        bool same = !old || json_equal(old, value);
        json_object_set_new(at, name, value);
        return same;
    }
    if (!old) {
        old = json_array();
        json_object_set_new(at, name, old);
    } else if (json_array_size(old) == 0) {
        json_decref(value);
        return false;
    }
    json_array_append_new(old, value);
    return true;
}

static int put(struct ctl *ctl, const struct ctl_param *param, const char *text)
{
    json_t *value = value_of(param, text), *at = ctl->args;
    const char *member = param->member;
    if (value == NULL) {
        char what[200];
        snprintf(what, sizeof(what), "%s takes %s%s, not", param->name,
                 param->kind == CTL_NUMBER ? "a number, "
                 : param->kind == CTL_REAL ? "a number, "
                                           : "",
                 param->kind == CTL_TRUTH ? "true|false"
                 : param->value           ? param->value
                                          : "UTF-8 text");
        return complain(ctl, what, text);
    }
    const char *slash = strchr(member, '/');
    if (*member == '-') {
        at = ctl->local;
        member++;
    } else if (slash != NULL) {
        char outer[32];
        snprintf(outer, sizeof(outer), "%.*s", (int)(slash - member), member);
        at = json_object_get(ctl->args, outer);
        if (at == NULL) {
            at = json_object();
            json_object_set_new(ctl->args, outer, at);
        }
        member = slash + 1;
    }
    if (!put_member(at, member, value))
        return complain(ctl, "given before, with something else:", param->name);
    return CTL_DONE;
}

static const struct ctl_param *option_named(const struct ctl_command *command, const char *name, size_t len)
{
    for (const struct ctl_param *p = command->params; p && p->name; p++)
        if (p->name[0] == '-' && strlen(p->name) == len && memcmp(p->name, name, len) == 0)
            return p;
    return NULL;
}

static const struct ctl_param *operand(const struct ctl_command *command, int n)
{
    for (const struct ctl_param *p = command->params; p && p->name; p++)
        if (p->name[0] != '-' && n-- == 0)
            return p;
    return NULL;
}

int ctl_parse(struct ctl *ctl, int argc, char **argv, bool *help)
{
    int operands = 0;
    bool plain = false; /* after "--" */
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i], *value = NULL;
        const struct ctl_param *param;
        if (!plain && strcmp(arg, "--") == 0) {
            plain = true;
            continue;
        }
        if (!plain && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
            *help = true;
            return CTL_DONE;
        }
        bool number = arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9'; /* no option begins like that */
        if (!plain && arg[0] == '-' && arg[1] != 0 && !number) {
            size_t len = strcspn(arg, "=");
            param = option_named(ctl->command, arg, len);
            if (param == NULL) {
                int status = ctl_global_option(ctl, argc, argv, &i);
                if (status < 0)
                    return complain(ctl, "unknown option", arg);
                if (status != CTL_DONE)
                    return status;
                continue;
            }
            bool wants = param->kind != CTL_SET && param->kind != CTL_CLEAR && param->kind != CTL_NONE;
            if (arg[len] == '=')
                value = arg + len + 1;
            else if (wants && i + 1 < argc)
                value = argv[++i];
            if (wants != (value != NULL))
                return complain(ctl, wants ? "a value is missing after" : "no value belongs to", param->name);
        } else {
            param = operand(ctl->command, operands++);
            value = arg;
            if (param == NULL)
                return complain(ctl, "one argument too many:", arg);
        }
        int status = put(ctl, param, value);
        if (status != CTL_DONE)
            return status;
    }
    const struct ctl_param *next = operand(ctl->command, operands);
    if (next != NULL && next->required)
        return complain(ctl, "missing", next->name);
    return CTL_DONE;
}
