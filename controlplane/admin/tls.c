/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates that are in force, and reading their files again. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/request.h"
#include "controlplane.h"
#include "hg/segment.h"
#include "impl/segment.h"
#include "node/certificates.h"

static json_t *when(int64_t seconds)
{
    char text[32];
    struct tm tm;
    time_t t = (time_t)seconds;

    if (seconds <= 0 || gmtime_r(&t, &tm) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return json_null();
    return json_string(text);
}

static json_t *names(const char *text)
{
    json_t *list = json_array();

    while (*text) {
        size_t len = strcspn(text, ",");
        json_array_append_new(list, json_stringn(text, len));
        text += len + (text[len] == ',');
    }
    return list;
}

static json_t *certificates(const struct hg_segment_tls *tls)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < tls->certificates; i++) {
        int64_t ends = tls->certificate[i].ends;
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:I}", "chain", tls->certificate[i].chain,
                                              "names", names(tls->certificate[i].names), "ends", when(ends),
                                              "days", (json_int_t)((ends - (int64_t)time(NULL)) / 86400)));
    }
    return list;
}

/* The dataplane that runs; NULL: answered. */
static const struct hg_segment *segment_of(struct admin_request *req)
{
    const struct hg_segment *s = feed_segment(req->cp->feed);

    if (s && hg_segment_dp_lives(s))
        return s;
    admin_fail(req, ADMIN_UNAVAILABLE, "it reads its certificates when it starts",
               "the dataplane does not run");
    return NULL;
}

void admin_tls_show(struct admin_request *req)
{
    const struct hg_segment *s = segment_of(req);
    struct hg_segment_tls *tls = s ? aligned_alloc(64, sizeof(*tls)) : NULL;

    if (!s)
        return;
    if (!tls || !certificates_read(s, tls))
        admin_fail(req, ADMIN_INTERNAL, NULL, "the dataplane does not say what it has read");
    else
        admin_ok(req, json_pack("{s:o, s:o, s:I, s:I, s:s}", "certificates", certificates(tls), "loaded",
                                when((int64_t)tls->loaded_at), "loads", (json_int_t)tls->loads, "refused",
                                (json_int_t)tls->refused, "error", tls->error));
    free(tls);
}

static void poll_done(struct admin_request *req, uint64_t now_ms)
{
    const struct hg_segment *s = segment_of(req);
    struct hg_segment_tls *tls;

    if (!s)
        return;
    if (!certificates_done(s, *(uint32_t *)req->state)) {
        if (now_ms >= req->deadline)
            admin_fail(req, ADMIN_LATE, "hgctl tls show", "the dataplane has not read them within %u s",
                       ADMIN_APPLY_MS / 1000);
        return;
    }
    tls = aligned_alloc(64, sizeof(*tls));
    if (tls && certificates_read(s, tls) && tls->error[0])
        admin_fail(req, ADMIN_CONFLICT,
                   "what was read before stays in force; mend the file, it is read again by itself", "%s",
                   tls->error);
    else
        admin_tls_show(req);
    free(tls);
}

void admin_tls_reload(struct admin_request *req)
{
    const struct hg_segment *s = segment_of(req);
    uint32_t *asked = s ? malloc(sizeof(*asked)) : NULL;

    if (!s)
        return;
    if (!asked) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    *asked = certificates_ask(s);
    req->state = asked;
    req->deadline = uv_now(&req->cp->loop) + ADMIN_APPLY_MS;
    req->poll = poll_done;
}
