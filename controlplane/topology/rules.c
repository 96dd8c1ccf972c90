/* SPDX-License-Identifier: BSD-2-Clause */
#include "topology/rules.h"

#include <stdarg.h>
#include <stdio.h>

const struct rule rules[RULES] = {
#define RULE(id, requirements, verdict, allow) {#id, requirements, allow, RULE_##verdict},
#include "topology/rules.def"
#undef RULE
};

void rules_begin(struct findings *f)
{
    f->n = 0;
}

void rules_add(struct findings *f, enum rule_id rule, const char *fmt, ...)
{
    va_list ap;

    /* what forbids is never lost: it takes the place of a warning when there is no room */
    unsigned at = f->n;
    if (at == FINDINGS_MAX) {
        if (rules[rule].verdict == RULE_WARN)
            return;
        for (at = 0; at < FINDINGS_MAX && rules[f->finding[at].rule].verdict != RULE_WARN;)
            at++;
        if (at == FINDINGS_MAX)
            return;
    } else {
        f->n++;
    }
    f->finding[at].rule = rule;
    va_start(ap, fmt);
    vsnprintf(f->finding[at].text, sizeof(f->finding[at].text), fmt, ap);
    va_end(ap);
}

const struct finding *rules_refusal(const struct findings *f, bool force)
{
    for (unsigned i = 0; i < f->n; i++) {
        enum rule_verdict verdict = rules[f->finding[i].rule].verdict;
        if (verdict == RULE_REFUSE || (verdict == RULE_FORCE && !force))
            return &f->finding[i];
    }
    return NULL;
}

bool rules_has(const struct findings *f, enum rule_id rule)
{
    for (unsigned i = 0; i < f->n; i++)
        if (f->finding[i].rule == rule)
            return true;
    return false;
}

const char *rules_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}
