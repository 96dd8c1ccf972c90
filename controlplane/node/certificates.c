/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/certificates.h"

#include <string.h>

#include "hg/segment.h"
#include "impl/segment.h"
#include "log/alarms.h"

#define TRIES     1000
#define DAY       86400
#define SOON_DAYS 30

bool certificates_read(const struct hg_segment *segment, struct hg_segment_tls *out)
{
    const struct hg_segment_tls *tls = &segment->header->tls;

    for (unsigned i = 0; i < TRIES; i++) {
        uint32_t before = atomic_load_explicit(&tls->version, memory_order_acquire);
        memcpy(out, tls, sizeof(*out));
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && atomic_load_explicit(&tls->version, memory_order_relaxed) == before) {
            out->error[sizeof(out->error) - 1] = '\0';
            if (out->certificates > HG_CERTIFICATES_MAX)
                out->certificates = HG_CERTIFICATES_MAX;
            return true;
        }
    }
    return false;
}

static void watch_ends(struct alarms *alarms, const struct hg_segment_tls *tls, int64_t now)
{
    uint32_t first = 0;

    for (uint32_t i = 1; i < tls->certificates; i++)
        if (tls->certificate[i].ends < tls->certificate[first].ends)
            first = i;
    int64_t left = tls->certificates ? tls->certificate[first].ends - now : INT64_MAX;
    if (left <= 0)
        alarm_raise(alarms, ALARM_certificate_ended, "the certificate of %.255s has ended",
                    tls->certificate[first].chain);
    else
        alarm_clear(alarms, ALARM_certificate_ended);
    if (left > 0 && left <= SOON_DAYS * DAY)
        alarm_raise(alarms, ALARM_certificate_ends, "the certificate of %.255s ends within %lld days",
                    tls->certificate[first].chain, (long long)(left / DAY + 1));
    else
        alarm_clear(alarms, ALARM_certificate_ends);
}

void certificates_watch(struct alarms *alarms, const struct hg_segment *segment, int64_t now)
{
    struct hg_segment_tls tls;

    if (!certificates_read(segment, &tls))
        return;
    if (tls.error[0])
        alarm_raise(alarms, ALARM_tls_files, "what was read before stays in force: %.440s", tls.error);
    else
        alarm_clear(alarms, ALARM_tls_files);
    watch_ends(alarms, &tls, now);
}

uint32_t certificates_ask(const struct hg_segment *segment)
{
    return atomic_fetch_add_explicit(&segment->header->tls.asked, 1, memory_order_release) + 1;
}

bool certificates_done(const struct hg_segment *segment, uint32_t asked)
{
    uint32_t done = atomic_load_explicit(&segment->header->tls.done, memory_order_acquire);

    return (int32_t)(done - asked) >= 0;
}
