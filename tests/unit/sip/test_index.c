/* SPDX-License-Identifier: BSD-2-Clause */
/* AA01: the index pass. Every case runs on every implementation that this processor has. */
#include "parse_rig.h"

#define OK_HEAD                                                                                              \
    "INVITE sip:bob@b.example SIP/2.0\r\n"                                                                   \
    "Via: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n"                                                         \
    "v: SIP/2.0/UDP c.example;branch=z9hG4bK2, SIP/2.0/TCP d.example\r\n"                                    \
    "MAX-forwards:70\r\n"                                                                                    \
    "f: <sip:alice@a.example>;tag=1\r\n"                                                                     \
    "To:  \t<sip:bob@b.example> \t \r\n"                                                                     \
    "i : abc@a.example\r\n"                                                                                  \
    "Subject: folded\r\n\tvalue,\r\n  here\r\n"                                                              \
    "X-Unknown: 1\r\n"                                                                                       \
    "CSeq: 1 INVITE\r\n"                                                                                     \
    "Supported:\r\n"
#define OK OK_HEAD "l: 4\r\n\r\nbody"

static struct sip_msg m;

static enum sip_result datagram(const char *text)
{
    return rig_index(&m, rig_guarded(text, strlen(text)), strlen(text), true);
}

static void value_is(unsigned i, unsigned id, const char *name, const char *value, unsigned comma)
{
    assert_int_equal(m.f[i].id, id);
    RIG_SLICE_IS(sip_name(&m, &m.f[i]), name);
    RIG_SLICE_IS(sip_value(&m, &m.f[i]), value);
    assert_int_equal(m.f[i].comma, comma);
}

static void fields_of_a_request(void **state)
{
    (void)state;
    assert_int_equal(datagram(OK), SIP_DONE);
    assert_true(m.is_request && m.folded);
    assert_int_equal(m.method, SIP_M_INVITE);
    RIG_SLICE_IS(m.ruri, "sip:bob@b.example");
    RIG_SLICE_IS(m.body, "body");
    assert_int_equal(m.len, strlen(OK));
    assert_int_equal(m.n, 11);
    value_is(0, SIP_H_VIA, "Via", "SIP/2.0/UDP a.example;branch=z9hG4bK1", 0);
    value_is(1, SIP_H_VIA, "v", "SIP/2.0/UDP c.example;branch=z9hG4bK2, SIP/2.0/TCP d.example", 1);
    value_is(2, SIP_H_MAX_FORWARDS, "MAX-forwards", "70", 0);
    value_is(3, SIP_H_FROM, "f", "<sip:alice@a.example>;tag=1", 0);
    value_is(4, SIP_H_TO, "To", "<sip:bob@b.example>", 0);
    value_is(5, SIP_H_CALL_ID, "i", "abc@a.example", 0);
    value_is(6, SIP_H_SUBJECT, "Subject", "folded\r\n\tvalue,\r\n  here", 1);
    value_is(7, SIP_H_OTHER, "X-Unknown", "1", 0);
    value_is(8, SIP_H_CSEQ, "CSeq", "1 INVITE", 0);
    value_is(9, SIP_H_SUPPORTED, "Supported", "", 0);
    value_is(10, SIP_H_CONTENT_LENGTH, "l", "4", 0);
    assert_int_equal(m.count[SIP_H_VIA], 2);
    assert_ptr_equal(sip_next(&m, sip_first(&m, SIP_H_VIA)), &m.f[1]);
    assert_null(sip_next(&m, &m.f[1]));
    assert_null(sip_first(&m, SIP_H_ROUTE));
}

static void every_known_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned id;
        char compact;
    } names[] = {
#define SIP_HEADER(id, name, compact) {name, SIP_H_##id, compact},
#include "sip/headers.def"
#undef SIP_HEADER
    };
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (unsigned form = 0; form < 4; form++) {
            char name[64], text[512];
            snprintf(name, sizeof(name), "%s", names[i].name);
            for (char *p = name; *p; p++)
                *p = form == 1   ? (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p)
                     : form == 2 ? ascii_lower(*p)
                                 : *p;
            if (form == 3 && !names[i].compact)
                continue;
            if (form == 3)
                snprintf(name, sizeof(name), "%c", names[i].compact);
            const char *value = names[i].id == SIP_H_CONTENT_LENGTH ? "0" : "x";
            snprintf(text, sizeof(text),
                     "OPTIONS sip:a@b SIP/2.0\r\n%s: %s\r\n%sx: y\r\n\r\nsome body for the length", name,
                     value, name);
            assert_int_equal(datagram(text), SIP_DONE);
            assert_int_equal(m.f[0].id, names[i].id);
            assert_int_equal(m.f[1].id, SIP_H_OTHER);
        }
}

static void response(void **state)
{
    (void)state;
    assert_int_equal(datagram("SIP/2.0 180 Ringing now\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nl:0\r\n\r\n"),
                     SIP_DONE);
    assert_false(m.is_request);
    assert_int_equal(m.status, 180);
    RIG_SLICE_IS(m.reason, "Ringing now");
    assert_int_equal(datagram("SIP/2.0 200 \r\nVia: SIP/2.0/UDP a.example.com;branch=z9hG4bK1\r\n\r\n"),
                     SIP_DONE);
    RIG_SLICE_IS(m.reason, "");
    assert_int_equal(datagram("sip/2.0 200\r\nVia: SIP/2.0/UDP a.example.com;branch=z9hG4bK1\r\n\r\n"),
                     SIP_DONE);
}

static void extra_bytes_are_cut_off(void **state)
{
    (void)state;
    assert_int_equal(datagram(OK "more"), SIP_DONE);
    assert_int_equal(m.len, strlen(OK));
    assert_int_equal(datagram(OK_HEAD "\r\nall of it"), SIP_DONE); /* RFC 3261 18.3 */
    RIG_SLICE_IS(m.body, "all of it");
    assert_int_equal(datagram("\r\n\r\n" OK), SIP_DONE); /* 7.5 */
    assert_int_equal(m.len, strlen(OK));
    assert_int_equal(m.f[0].name, strlen("INVITE sip:bob@b.example SIP/2.0\r\n"));
    assert_int_equal(datagram(OK_HEAD "l: 0\r\n\r\n \r\n folded?"), SIP_DONE);
    assert_int_equal(m.body.len, 0);
}

struct bad {
    const char *text;
    unsigned error;
};

static void errors(void **state)
{
    (void)state;
#define START "OPTIONS sip:a@b.example SIP/2.0\r\n"
#define MID   "Via: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nTo: <sip:a@b.example>\r\n"
    static const struct bad cases[] = {
        {"", SIP_E_NOT_SIP},
        {"\r\n\r\n", SIP_E_NOT_SIP},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", SIP_E_NOT_SIP},
        {"OPTIONS sip:a@b SIP/2.0", SIP_E_NOT_SIP},
        {START MID, SIP_E_NO_END},
        {START MID "Subject: x", SIP_E_NO_END},
        {"OPTIONS  sip:a@b.example SIP/2.0\r\n" MID "\r\n", SIP_E_START_LINE},
        {"OPTIONS sip:a@b.example  SIP/2.0\r\n" MID "\r\n", SIP_E_START_LINE},
        {"OPTIONS sip:a@b.example SIP/2.0 \r\n" MID "\r\n", SIP_E_START_LINE},
        {"OPTIONS\tsip:a@b.example SIP/2.0\r\n" MID "\r\n", SIP_E_START_LINE},
        {"OPTIONS sip:a@b.example;a b SIP/2.0\r\n" MID "\r\n", SIP_E_START_LINE},
        {"OPT(IONS sip:a@b.example SIP/2.0\r\n" MID "\r\n", SIP_E_START_LINE},
        {"OPTIONS SIP/2.0\r\n" MID "\r\n", SIP_E_START_LINE},
        {"OPTIONS sip:a@\x01 SIP/2.0\r\n" MID "\r\n", SIP_E_START_LINE},
        {"OPTIONS sip:a@b.example SIP/2.1\r\n" MID "\r\n", SIP_E_VERSION},
        {"OPTIONS sip:a@b.example SIP/2.00\r\n" MID "\r\n", SIP_E_VERSION},
        {"SIP/3.0 200 OK\r\n" MID "\r\n", SIP_E_VERSION},
        {"SIP/2.0 20 OK\r\n" MID "\r\n", SIP_E_START_LINE},
        {"SIP/2.0 2000 OK\r\n" MID "\r\n", SIP_E_START_LINE},
        {"SIP/2.0 099 OK\r\n" MID "\r\n", SIP_E_START_LINE},
        {"SIP/2.0 700 OK\r\n" MID "\r\n", SIP_E_START_LINE},
        {START " folded start\r\n" MID "\r\n", SIP_E_HEADER_NAME},
        {START "No colon\r\n" MID "\r\n", SIP_E_HEADER_NAME},
        {START ": empty name\r\n" MID "\r\n", SIP_E_HEADER_NAME},
        {START "Bad(name: x\r\n" MID "\r\n", SIP_E_HEADER_NAME},
        {START "Two words: x\r\n" MID "\r\n", SIP_E_HEADER_NAME},
        {START "\xc3\xa4: x\r\n" MID "\r\n", SIP_E_HEADER_NAME},
        {START "Subject: a\x01"
               "b\r\n" MID "\r\n",
         SIP_E_HEADER_VALUE},
        {START "Subject: a\x7f"
               "b\r\n" MID "\r\n",
         SIP_E_HEADER_VALUE},
        {START "Subject: a\rb\r\n" MID "\r\n", SIP_E_HEADER_VALUE},
        {START "Subject: a\n" MID "\r\n", SIP_E_HEADER_VALUE},
        {START MID "\n", SIP_E_HEADER_VALUE},
        {START "Subject: \"a\x01\"\r\n" MID "\r\n", SIP_E_HEADER_VALUE},
        {START "Subject: \\\x01\r\n" MID "\r\n", SIP_E_HEADER_VALUE},
        {START MID "l: -1\r\n\r\n", SIP_E_CONTENT_LENGTH},
        {START MID "l: +1\r\n\r\nx", SIP_E_CONTENT_LENGTH},
        {START MID "l: 0x1\r\n\r\nx", SIP_E_CONTENT_LENGTH},
        {START MID "l:\r\n\r\n", SIP_E_CONTENT_LENGTH},
        {START MID "l: 99999999999999999999\r\n\r\n", SIP_E_CONTENT_LENGTH},
        {START MID "l: 1\r\nContent-Length: 1\r\n\r\nx", SIP_E_CONTENT_LENGTH},
        {START MID "l: 5\r\n\r\nbody", SIP_E_SHORT_BODY},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(datagram(cases[i].text), SIP_BAD);
        if (m.error != cases[i].error)
            fail_msg("case %u: error %u instead of %u", i, m.error, cases[i].error);
    }
}

static void an_error_leaves_the_rest_readable(void **state)
{
    (void)state;
    assert_int_equal(datagram("OPTIONS sip:a@b SIP/9.0\r\nBroken\r\n" MID "i: 1\r\n\r\n"), SIP_BAD);
    assert_int_equal(m.error, SIP_E_VERSION);
    assert_int_equal(m.n, 3);
    assert_int_equal(m.f[0].id, SIP_H_VIA);
    assert_int_equal(m.method, SIP_M_OPTIONS);
}

static void escaped_control_bytes_in_quotes(void **state)
{
    (void)state;
    const char text[] = START "To: \"\\\x07 \\\0 \\\x7f\" <sip:a@b>\r\n" MID "\r\n";
    assert_int_equal(rig_index(&m, rig_guarded(text, sizeof(text) - 1), sizeof(text) - 1, true), SIP_DONE);
    assert_int_equal(m.n, 3);
}

static void limits(void **state)
{
    (void)state;
    static char text[70000];
    size_t at = (size_t)sprintf(text, START);
    for (unsigned i = 0; i < SIP_HEADERS_MAX; i++)
        at += (size_t)sprintf(text + at, "a:%u\r\n", i);
    size_t full = at;
    memcpy(text + at, "\r\n", 3);
    assert_int_equal(datagram(text), SIP_DONE);
    assert_int_equal(m.n, SIP_HEADERS_MAX);
    assert_int_equal(m.count[SIP_H_OTHER], SIP_HEADERS_MAX);
    assert_int_equal(sip_index(&m, text, (uint32_t)at + 2, true, 10), SIP_BAD);
    assert_int_equal(m.error, SIP_E_TOO_MANY_HEADERS);
    assert_int_equal(m.n, 10);
    memcpy(text + full, "b:\r\n\r\n", 7);
    assert_int_equal(datagram(text), SIP_BAD);
    assert_int_equal(m.error, SIP_E_TOO_MANY_HEADERS);

    at = (size_t)sprintf(text, START "Subject: ");
    memset(text + at, 'x', 65535);
    strcpy(text + 65531, "\r\n\r\n");
    assert_int_equal(datagram(text), SIP_DONE);
    assert_int_equal(m.head_len, 65535);
    memset(text + 65531, 'x', 69);
    strcpy(text + 65600, "\r\n\r\n");
    assert_int_equal(datagram(text), SIP_BAD);
    assert_int_equal(m.error, SIP_E_TOO_MANY_HEADERS);
}

static void long_names(void **state)
{
    (void)state;
    for (unsigned len = 1; len < 300; len++) {
        char name[301], text[1024];
        memset(name, 'n', len);
        name[len] = 0;
        snprintf(text, sizeof(text), START "%s  : value\r\n%s:v\r\n" MID "\r\n", name, name);
        assert_int_equal(datagram(text), SIP_DONE);
        RIG_SLICE_IS(sip_name(&m, &m.f[0]), name);
        RIG_SLICE_IS(sip_name(&m, &m.f[1]), name);
        RIG_SLICE_IS(sip_value(&m, &m.f[0]), "value");
    }
}

static void stream(void **state)
{
    (void)state;
    const char *text = OK "INVITE the next one";
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        enum sip_result r = rig_index(&m, rig_guarded(text, cut), cut, false);
        assert_int_equal(r, cut < strlen(OK) ? SIP_MORE : SIP_DONE);
        if (r == SIP_DONE)
            assert_int_equal(m.len, strlen(OK));
    }
    /* RFC 3261 20.14: over a stream the length must be there */
    const char *none = OK_HEAD "\r\nbody";
    assert_int_equal(rig_index(&m, none, strlen(none), false), SIP_BAD);
    assert_int_equal(m.error, SIP_E_CONTENT_LENGTH);
}

static void every_truncation_and_every_byte(void **state)
{
    (void)state;
    size_t len = strlen(OK);
    for (size_t cut = 0; cut <= len; cut++)
        (void)rig_index(&m, rig_guarded(OK, cut), cut, true);
    static const char bytes[] = {0,   1,   '\t', '\n', '\r', ' ',  '"',        ',',
                                 ':', ';', '<',  '\\', 'a',  0x7f, (char)0x80, (char)0xff};
    for (size_t i = 0; i < len; i++)
        for (unsigned b = 0; b < sizeof(bytes); b++) {
            char *p = rig_guarded(OK, len);
            p[i] = bytes[b];
            (void)rig_index(&m, p, len, true);
        }
}

/* Line ends, folds and the empty line at every place of a block of 64 bytes. */
static void every_alignment(void **state)
{
    (void)state;
    char text[1024];
    for (unsigned pad = 0; pad < 140; pad++)
        for (unsigned body = 0; body < 70; body += 23) {
            int len = snprintf(text, sizeof(text), START "P: %0*d\r\nA:,\r\nB: x\r\n y\r\nl: %u\r\n\r\n%0*d",
                               pad + 1, 0, body, body, 0);
            assert_int_equal(rig_index(&m, rig_guarded(text, (size_t)len), (size_t)len, true),
                             body || len ? SIP_DONE : SIP_BAD);
            assert_int_equal(m.n, 4);
            assert_int_equal(m.f[0].value_len, pad + 1);
            assert_int_equal(m.f[1].comma, 1);
            RIG_SLICE_IS(sip_value(&m, &m.f[2]), "x\r\n y");
            assert_int_equal(m.body.len, body);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_a_request),
        cmocka_unit_test(every_known_name),
        cmocka_unit_test(response),
        cmocka_unit_test(extra_bytes_are_cut_off),
        cmocka_unit_test(errors),
        cmocka_unit_test(an_error_leaves_the_rest_readable),
        cmocka_unit_test(escaped_control_bytes_in_quotes),
        cmocka_unit_test(limits),
        cmocka_unit_test(long_names),
        cmocka_unit_test(stream),
        cmocka_unit_test(every_truncation_and_every_byte),
        cmocka_unit_test(every_alignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
