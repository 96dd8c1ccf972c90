/* SPDX-License-Identifier: BSD-2-Clause */
#include "parse_rig.h"
#include "same_fields.h"

#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 32 };

char *rig_guarded(const char *bytes, size_t len)
{
    static char *area;
    if (!area) {
        area = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(area, MAP_FAILED);
        assert_int_equal(mprotect(area + PAGES * PAGE, PAGE, PROT_NONE), 0);
    }
    assert_true(len <= PAGES * PAGE);
    char *at = area + PAGES * PAGE - len;
    memcpy(at, bytes, len);
    return at;
}

enum sip_result rig_index(struct sip_msg *m, const char *buf, size_t len, bool datagram)
{
    enum sip_result want = sip_index_with(SIP_ISA_SCALAR, m, buf, (uint32_t)len, datagram, SIP_HEADERS_MAX);
    for (unsigned isa = SIP_ISA_SSE42; isa < SIP_ISA_COUNT; isa++) {
        struct sip_msg other;
        if (!sip_isa_usable((enum sip_isa)isa))
            continue;
        memset(&other, 0x5a, sizeof(other));
        enum sip_result r =
            sip_index_with((enum sip_isa)isa, &other, buf, (uint32_t)len, datagram, SIP_HEADERS_MAX);
        assert_int_equal(r, want);
        assert_int_equal(m->n, other.n);
        assert_ptr_equal(m->buf, other.buf);
        assert_int_equal(m->len, other.len);
        assert_int_equal(m->head_len, other.head_len);
        assert_int_equal(m->is_request, other.is_request);
        assert_int_equal(m->method, other.method);
        assert_int_equal(m->error, other.error);
        assert_int_equal(m->folded, other.folded);
        assert_int_equal(m->status, other.status);
        assert_true(slice_eq(m->method_name, other.method_name) && slice_eq(m->ruri, other.ruri));
        assert_true(slice_eq(m->reason, other.reason) && slice_eq(m->body, other.body));
        assert_memory_equal(m->first, other.first, sizeof(m->first));
        assert_memory_equal(m->count, other.count, sizeof(m->count));
        if (m->n)
            assert_memory_equal(m->f, other.f, m->n * sizeof(m->f[0]));
    }
    return want;
}

static enum sip_error check_with(enum sip_isa isa, const struct sip_msg *m, struct sip_core_fields *c)
{
    return m->is_request ? sip_check_request_with(isa, m, c) : sip_check_response_with(isa, m, c);
}

/* Every implementation of the check finds the same. */
static enum sip_error check_all(const struct sip_msg *m, struct sip_core_fields *c)
{
    enum sip_error want = check_with(SIP_ISA_SSE42, m, c);
    for (unsigned isa = SIP_ISA_AVX2; isa < SIP_ISA_COUNT; isa++) {
        struct sip_core_fields other;
        if (!sip_isa_usable((enum sip_isa)isa))
            continue;
        memset(&other, 0x5a, sizeof(other));
        assert_int_equal(check_with((enum sip_isa)isa, m, &other), want);
        assert_true(want != SIP_E_NONE || same_fields(c, &other, m->is_request));
    }
    return want;
}

enum sip_error rig_verdict(struct sip_msg *m, struct sip_core_fields *c, const char *buf, size_t len)
{
    if (rig_index(m, buf, len, true) != SIP_DONE)
        return sip_check_broken(m, c);
    return check_all(m, c);
}

const char *rig_suites(void)
{
    static char path[1024];
    const char *shared = getenv("HG_SHARED");
    snprintf(path, sizeof(path), "%s/suites", shared ? shared : RIG_SHARED);
    return path;
}

char *rig_suite_file(const char *path, size_t *len)
{
    char full[2048];
    snprintf(full, sizeof(full), "%s/%s", rig_suites(), path);
    FILE *f = fopen(full, "rb");
    if (!f)
        return NULL;
    char *bytes = malloc(1 << 20);
    *len = bytes ? fread(bytes, 1, 1 << 20, f) : 0;
    fclose(f);
    return bytes;
}
