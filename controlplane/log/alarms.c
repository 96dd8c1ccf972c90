/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/alarms.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "log/log.h"

#define ALARM_NAME(id, level, text) #id,
const char *const alarm_names[ALARM_COUNT] = {ALARM_LIST(ALARM_NAME)};
#undef ALARM_NAME
#define ALARM_TEXT(id, level, text) text,
static const char *const alarm_texts[ALARM_COUNT] = {ALARM_LIST(ALARM_TEXT)};
#undef ALARM_TEXT
enum { ADVICE, BAD };
#define ALARM_LEVEL(id, level, text) level,
static const unsigned char alarm_levels[ALARM_COUNT] = {ALARM_LIST(ALARM_LEVEL)};
#undef ALARM_LEVEL

bool alarm_is_bad(enum alarm_id id)
{
    return alarm_levels[id] == BAD;
}

void alarm_raise(struct alarms *alarms, enum alarm_id id, const char *fmt, ...)
{
    struct alarm *a = &alarms->a[id];
    char detail[sizeof(a->detail)];

    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    bool news = !a->standing || strcmp(a->detail, detail) != 0;
    if (!a->standing)
        a->since = (uint64_t)time(NULL);
    a->standing = true;
    memcpy(a->detail, detail, sizeof(detail));
    if (news)
        log_printf(alarms->log, HG_LOG_WARNING, alarm_names[id], "alarm: %s", a->detail);
    if (news && alarms->news)
        alarms->news(alarms->arg, id);
}

void alarm_on(struct alarms *alarms, enum alarm_id id)
{
    alarm_raise(alarms, id, "%s", alarm_texts[id]);
}

void alarm_clear(struct alarms *alarms, enum alarm_id id)
{
    if (!alarms->a[id].standing)
        return;
    alarms->a[id].standing = false;
    log_printf(alarms->log, HG_LOG_INFO, alarm_names[id], "alarm over: %s", alarms->a[id].detail);
    if (alarms->news)
        alarms->news(alarms->arg, id);
}
