/* SPDX-License-Identifier: BSD-2-Clause */
/* AA01: the message flows of RFC 3327, 3515, 3665, 4916 and 5626, and two captured streams: all of them
 * parse. */
#include <dirent.h>

#include "parse_rig.h"

static unsigned messages;

/* The text has bare line feeds and its Content-Length was counted by hand: the head is what is judged. */
static void one(const char *from, const char *text, size_t len)
{
    static char crlf[1 << 17];
    struct sip_msg m;
    struct sip_core_fields c;
    size_t n = 0;
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (!len)
        return;
    for (size_t i = 0; i < len && n < sizeof(crlf) - 8; i++) {
        if (text[i] == '\r')
            continue;
        if (text[i] == '\n')
            crlf[n++] = '\r';
        crlf[n++] = text[i];
    }
    memcpy(crlf + n, "\r\n\r\n", 4);
    n += 4;
    enum sip_error e = rig_verdict(&m, &c, rig_guarded(crlf, n), n);
    if (e == SIP_E_MISSING_HEADER && m.count[SIP_H_VIA] == 0)
        return; /* the RFC's own sketch leaves it out */
    if (e != SIP_E_NONE && e != SIP_E_SHORT_BODY)
        fail_msg("%s: %.*s in\n%.*s", from, SLICE_ARG(sip_error_phrase(e)), (int)len, text);
    assert_true(c.via.host.len && c.from.uri.whole.len && c.call_id.len && c.cseq.method_name.len);
    messages++;
}

/* A YAML list of literal blocks: "- |+", then lines indented by two. */
static void yaml(const char *path)
{
    size_t len, n = 0;
    char *bytes = rig_suite_file(path, &len), *block = malloc(1 << 20);
    assert_true(bytes && block);
    for (char *p = bytes, *e = bytes + len; p < e;) {
        char *lf = memchr(p, '\n', (size_t)(e - p));
        size_t line = lf ? (size_t)(lf - p) + 1 : (size_t)(e - p);
        if (*p == '-' || *p == '#') {
            one(path, block, n);
            n = 0;
        } else if (line > 2) {
            memcpy(block + n, p + 2, line - 2);
            n += line - 2;
        } else {
            block[n++] = '\n';
        }
        p += line;
    }
    one(path, block, n);
    free(block);
    free(bytes);
}

static void folder(const char *path)
{
    char full[1024];
    snprintf(full, sizeof(full), "%s/%s", rig_suites(), path);
    DIR *d = opendir(full);
    if (!d)
        skip();
    for (struct dirent *f; (f = readdir(d));)
        if (strstr(f->d_name, ".yaml")) {
            snprintf(full, sizeof(full), "%s/%s", path, f->d_name);
            yaml(full);
        }
    closedir(d);
}

static void flows_of_rfc3327(void **state)
{
    (void)state;
    folder("sip-flows/misc/rfc3327");
}

static void flows_of_rfc3515(void **state)
{
    (void)state;
    folder("sip-flows/misc/rfc3515");
}

static void flows_of_rfc3665(void **state)
{
    (void)state;
    folder("sip-flows/misc/rfc3665");
}

static void flows_of_rfc4916(void **state)
{
    (void)state;
    folder("sip-flows/misc/rfc4916");
}

static void flows_of_rfc5626(void **state)
{
    (void)state;
    folder("sip-flows/misc/rfc5626");
}

static void other_flows(void **state)
{
    (void)state;
    folder("sip-flows/misc");
}

/* Messages follow each other, an empty line between them; where one begins is seen by its start line. */
static void streams(void **state)
{
    (void)state;
    static const char *const paths[] = {"sip-flows/stream/generic.txt",
                                        "sip-flows/stream/lioneagle-sipparser.txt"};
    for (unsigned i = 0; i < 2; i++) {
        size_t len;
        char *bytes = rig_suite_file(paths[i], &len);
        if (!bytes)
            skip();
        unsigned before = messages;
        char *start = bytes, *e = bytes + len;
        for (char *p = bytes; p < e;) {
            char *lf = memchr(p, '\n', (size_t)(e - p)), *next = lf ? lf + 1 : e;
            bool request = lf && lf - p > 9 &&
                           (memcmp(lf - 8, " SIP/2.0", 8) == 0 || memcmp(lf - 9, " SIP/2.0\r", 9) == 0);
            if (p > start && (request || (e - p > 8 && memcmp(p, "SIP/2.0 ", 8) == 0))) {
                one(paths[i], start, (size_t)(p - start));
                start = p;
            }
            p = next;
        }
        one(paths[i], start, (size_t)(e - start));
        assert_true(messages > before + 5);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_of_rfc3327), cmocka_unit_test(flows_of_rfc3515),
        cmocka_unit_test(flows_of_rfc3665), cmocka_unit_test(flows_of_rfc4916),
        cmocka_unit_test(flows_of_rfc5626), cmocka_unit_test(other_flows),
        cmocka_unit_test(streams),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("%u messages\n", messages);
    return failed;
}
