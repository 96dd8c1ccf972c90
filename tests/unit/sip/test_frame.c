/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 3261 18.3: messages out of a stream, however it is cut. */
#include "parse_rig.h"
#include "sip/frame.h"

#define MAX 20000

static char room[SIP_HEAD_MAX];
static struct sip_msg scratch;

static const char message[] = "MESSAGE sip:bob@example.com SIP/2.0\r\n"
                              "Via: SIP/2.0/TCP a.example.com;branch=z9hG4bK1\r\n"
                              "From: <sip:alice@example.com>;tag=1\r\n"
                              "To: <sip:bob@example.com>\r\n"
                              "Call-ID: 1\r\n"
                              "CSeq: 1 MESSAGE\r\n"
                              "Max-Forwards: 70\r\n"
                              "Content-Type: text/plain\r\n"
                              "Content-Length: 13\r\n"
                              "\r\n"
                              "Hello\r\n\r\nBob!";

static enum sip_frame_result once(const char *text, uint32_t len, struct sip_frame *f)
{
    struct slice s = slice_of(text, len);
    memset(f, 0, sizeof(*f));
    return sip_frame(f, &s, 1, MAX, &scratch, room);
}

static void whole_in_one_piece(void **state)
{
    (void)state;
    struct sip_frame f;
    uint32_t len = sizeof(message) - 1;
    char two[2 * sizeof(message)];

    assert_int_equal(once(message, len, &f), SIP_FRAME_WHOLE);
    assert_int_equal(f.whole, len);
    assert_int_equal(once(message, len - 1, &f), SIP_FRAME_MORE);
    assert_int_equal(f.whole, len);
    memcpy(two, message, len);
    memcpy(two + len, message, len);
    assert_int_equal(once(two, 2 * len, &f), SIP_FRAME_WHOLE);
    assert_int_equal(f.whole, len);
}

/* The stream grows byte by byte, and stands in pieces of any size: the same message at the same byte. */
static void byte_by_byte(void **state)
{
    (void)state;
    for (uint32_t piece = 1; piece < 80; piece += 3) {
        struct sip_frame f = {0};
        uint32_t len = sizeof(message) - 1;
        for (uint32_t have = 1; have <= len; have++) {
            struct slice s[512];
            unsigned n = 0;
            for (uint32_t at = 0; at < have; at += s[n++].len)
                s[n] = slice_of(message + at, have - at < piece ? have - at : piece);
            enum sip_frame_result r = sip_frame(&f, s, n, MAX, &scratch, room);
            assert_int_equal(r, have == len ? SIP_FRAME_WHOLE : SIP_FRAME_MORE);
        }
        assert_int_equal(f.whole, len);
    }
}

/* What was scanned is not scanned again: the bytes of the past may be anything. */
static void nothing_is_looked_at_twice(void **state)
{
    (void)state;
    char head[3000] = "OPTIONS sip:a SIP/2.0\r\nX: ";
    struct sip_frame f = {0};
    struct slice s = slice_of(head, sizeof(head));

    memset(head + 26, 'x', sizeof(head) - 26);
    assert_int_equal(sip_frame(&f, &s, 1, MAX, &scratch, room), SIP_FRAME_MORE);
    assert_int_equal(f.scanned, sizeof(head));
    memcpy(head + 100, "\r\n\r\n", 4);
    assert_int_equal(sip_frame(&f, &s, 1, MAX, &scratch, room), SIP_FRAME_MORE);
    assert_int_equal(f.head, 0);
}

static void expect(const char *length_lines, enum sip_frame_result result, uint32_t body)
{
    char text[512];
    struct sip_frame f;
    int len = snprintf(text, sizeof(text), "OPTIONS sip:a@example.com SIP/2.0\r\n%s\r\n", length_lines);

    enum sip_frame_result r = once(text, (uint32_t)len, &f);
    if (r != result)
        fail_msg("'%s': %d", length_lines, (int)r);
    if (r == SIP_FRAME_WHOLE || r == SIP_FRAME_MORE)
        assert_int_equal(f.whole, (uint32_t)len + body);
}

static void lengths(void **state)
{
    (void)state;
    expect("Content-Length: 0\r\n", SIP_FRAME_WHOLE, 0);
    expect("l: 7\r\n", SIP_FRAME_MORE, 7);
    expect("CONTENT-LENGTH  :\t7 \r\n", SIP_FRAME_MORE, 7);
    expect("Content-Length:\r\n 7\r\n", SIP_FRAME_MORE, 7); /* folded */
    expect("Subject: l: 5\r\nContent-Length: 6\r\n", SIP_FRAME_MORE, 6);
    expect("Broken header\r\nContent-Length: 6\r\n", SIP_FRAME_MORE, 6); /* bad, but its end is known */
    expect("", SIP_FRAME_BAD, 0);
    expect("Content-Length:\r\n", SIP_FRAME_BAD, 0);
    expect("Content-Length: -1\r\n", SIP_FRAME_BAD, 0);
    expect("Content-Length: 7a\r\n", SIP_FRAME_BAD, 0);
    expect("Content-Length: 7\r\nl: 7\r\n", SIP_FRAME_BAD, 0); /* smuggling */
    expect("Content-Length: 99999999999\r\n", SIP_FRAME_BAD, 0);
    expect("Content-Length: 20000\r\n", SIP_FRAME_LONG, 0);
    expect("Content-Length: 4294967295\r\n", SIP_FRAME_BAD, 0);
}

static void what_is_no_sip_has_no_end(void **state)
{
    (void)state;
    struct sip_frame f;
    static const char http[] = "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
    static const char noise[] = "\x16\x03\x01\x02\r\n\r\n";
    assert_int_equal(once(http, sizeof(http) - 1, &f), SIP_FRAME_BAD);
    assert_int_equal(once(noise, sizeof(noise) - 1, &f), SIP_FRAME_BAD);
}

static void a_head_without_end_is_bounded(void **state)
{
    (void)state;
    static char big[SIP_HEAD_MAX + 10];
    struct sip_frame f = {0};
    struct slice s = slice_of(big, MAX);
    memset(big, 'x', sizeof(big));
    assert_int_equal(sip_frame(&f, &s, 1, MAX, &scratch, room), SIP_FRAME_MORE);
    s.len = MAX + 1;
    assert_int_equal(sip_frame(&f, &s, 1, MAX, &scratch, room), SIP_FRAME_LONG);
    memset(&f, 0, sizeof(f));
    s.len = sizeof(big);
    assert_int_equal(sip_frame(&f, &s, 1, 1 << 20, &scratch, room), SIP_FRAME_LONG);
}

static void empty_lines_before_a_message(void **state)
{
    (void)state;
    struct slice s[3] = {SLICE_LIT("\r\n"), SLICE_LIT("\r"), SLICE_LIT("\nA\r\n")};
    assert_int_equal(sip_frame_blank(s, 3), 4);
    assert_int_equal(sip_frame_blank(s, 1), 2);
    assert_int_equal(sip_frame_blank(s, 0), 0);
}

/* The end is found where the index pass over a stream finds it. */
static void as_the_index_pass_says(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252ull;
    for (unsigned round = 0; round < 200000; round++) {
        char text[sizeof(message)];
        uint32_t len = sizeof(message) - 1;
        struct sip_frame f;
        struct sip_msg m;
        memcpy(text, message, len);
        for (unsigned k = 0; k < 1 + round % 3; k++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            text[x % len] = "\r\n:l 0127;\t,"[(x >> 32) % 12];
        }
        if (text[0] == '\r' || text[0] == '\n')
            continue;
        enum sip_frame_result r = once(text, len, &f);
        enum sip_result i = sip_index(&m, text, len, false, SIP_HEADERS_MAX);
        if (i == SIP_DONE)
            assert_true(r == SIP_FRAME_WHOLE && f.whole == m.len);
        if (r == SIP_FRAME_MORE)
            assert_int_not_equal(i, SIP_DONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_in_one_piece),           cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(nothing_is_looked_at_twice),   cmocka_unit_test(lengths),
        cmocka_unit_test(what_is_no_sip_has_no_end),    cmocka_unit_test(a_head_without_end_is_bounded),
        cmocka_unit_test(empty_lines_before_a_message), cmocka_unit_test(as_the_index_pass_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
