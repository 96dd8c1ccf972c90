/* SPDX-License-Identifier: BSD-2-Clause */
/* AA03: every message of RFC 4475 and RFC 5118 is a test case named after its file, and so is a message of
 * our own writing for each point, so that the points are tested where the suites are not at hand. */
#include <regex.h>

#include "parse_rig.h"

struct point {
    const char *file;
    unsigned error; /* what index pass and check must say */
    const char *own;
};

#define V   "Via: SIP/2.0/UDP h.example.com;branch=z9hG4bKx\r\n"
#define F   "From: sip:caller@example.net;tag=1\r\n"
#define T   "To: sip:user@example.com\r\n"
#define I   "Call-ID: c1\r\n"
#define X   "Max-Forwards: 70\r\n"
#define L0  "l: 0\r\n\r\n"
#define OPT "OPTIONS sip:user@example.com SIP/2.0\r\n"
#define REG "REGISTER sip:example.com SIP/2.0\r\n"
#define INV "INVITE sip:user@example.com SIP/2.0\r\n"
#define CO  "CSeq: 8 OPTIONS\r\n"
#define CR  "CSeq: 8 REGISTER\r\n"
#define CI  "CSeq: 8 INVITE\r\n"
#define RSP V F T I CI L0

static const struct point rfc4475[] = {
    {"wsinv", 0,
     "INVITE sip:v@c.example;unknownparam SIP/2.0\r\nTO :\r\n sip:v@c.example ;   tag    = 1n\r\nfrom   : "
     "\"J \\\\\\\"\""
     "       <sip:j@example.com>\r\n  ;\r\n  tag = 98\r\nMaX-fOrWaRdS: 0068\r\ni: "
     "w@192.0.2.1\r\nContent-Length   : 0\r\n"
     "cseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390\r\ns :\r\nNew:   "
     "value\r\n more\r\n"
     "Odd: ;;,,;;,;\r\nv:  SIP  / 2.0  / TCP     s.example.com   ;\r\n  branch  =   z9  ,\r\n SIP  /    2.0  "
     " / UDP  "
     "192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n\r\n"},
    {"intmeth", 0,
     "!i-M0_*+`.%i'~ sip:1_u.U~(t-b!s)&i't+i$/c?,/;;*:&i+h=1,w!*p$d_t.(d't)@example.com SIP/2.0\r\n" V
     "To: \"BEL:\\\x07 DEL:\\\x7f\" <sip:1_u.U~(t-b!s)&i't+i$/c?,/;;*@example.com>\r\n"
     "From: t1~` t2'+_ t3*%!.- <sip:m@example.com>;p''~+*_!.-%=\"\xd1\x80\";tag=_t~1'+`*%!-.\r\n"
     "Call-ID: i.w%ZK-!.*_+'@w`~)(><:\\/\"][?}{\r\nCSeq: 1 !i-M0_*+`.%i'~\r\nMax-Forwards: 255\r\n"
     "x-!.%*+_`'~:\xef\xbb\xbf\r\n" L0},
    {"esc01", 0,
     "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n" V "To: sip:%75se%72@example.com\r\nFrom: "
     "<sip:I%20have@example.net>;tag=9\r\n" I CI
     "Contact:\r\n  <sip:c%6Cr@h.example;%6C%72;n%61me=v%25%34%31>\r\n" L0},
    {"escnull", 0,
     REG V "To: sip:n-%00-n@example.com\r\nFrom: sip:n-%00-n@example.com;tag=8\r\n" I CR
           "Contact: <sip:%00@h.example>\r\nContact: <sip:%00%00@h.example>\r\nL:0\r\n\r\n"},
    {"esc02", 0,
     "RE%47IST%45R sip:r.example.com SIP/2.0\r\n" V "To: \"%Z%45\" <sip:r@example.com>\r\n" F I
     "CSeq: 2 RE%47IST%45R\r\nC%6Fntact: <sip:a@h.example>\r\n" L0},
    {"lwsdisp", 0, OPT V T "From: caller<sip:caller@example.com>;tag=323\r\n" I CO L0},
    {"longreq", 0,
     INV V T I CI
     "F: sip:amazinglylongcallernameamazinglylongcallernameamazinglylongcallername@example.net;tag="
     "12982982982982982982982982982982982982982982982982982982982982982982424;unknownparamnamename="
     "valuevaluevaluevaluevaluevaluevaluevaluevaluevaluevaluevaluevalue\r\nUnknown-LongLongLongLongLongLong"
     "LongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLong-Name: unknown\r\n" L0},
    {"dblreq", 0,
     REG V T F I CR
     "Content-Length: 0\r\n\r\n\r\nINVITE sip:joe@example.com SIP/2.0\r\nt: sip:joe@example.com\r\n"},
    {"semiuri", 0, "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\r\n" V T F I CO L0},
    {"transports", 0,
     OPT V
     "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9\r\nVia: SIP/2.0/SCTP t2.example.com;branch=z8\r\n" T F I
         CO L0},
    {"mpart01", 0,
     "MESSAGE sip:k@example.org SIP/2.0\r\n" V T F I "CSeq: 1 MESSAGE\r\nl: 5\r\n\r\n--\x01\x80\x7f"},
    {"unreason", 0, "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\r\n" RSP},
    {"noreason", 0, "SIP/2.0 100 \r\n" RSP},
    {"badinv01", SIP_E_VIA, INV T F I CI "Via: SIP/2.0/UDP 192.0.2.15;;,;,,\r\n" L0},
    {"clerr", SIP_E_SHORT_BODY, INV V T F I CI "l: 9999\r\n\r\nv=0\r\n"},
    {"ncl", SIP_E_CONTENT_LENGTH, INV V T F I CI "l: -999\r\n\r\nv=0\r\n"},
    {"scalar02", SIP_E_CSEQ, REG V T F I "CSeq: 36893488147419103232 REGISTER\r\n" L0},
    {"scalarlg", SIP_E_CSEQ,
     "SIP/2.0 503 Service Unavailable\r\n" V T F I "CSeq: 9292394834772304023312 OPTIONS\r\n" L0},
    {"quotbal", SIP_E_TO, INV V F I CI "To: \"Mr. J. User <sip:j.user@example.com>\r\n" L0},
    {"ltgtruri", SIP_E_RURI, "INVITE <sip:user@example.com> SIP/2.0\r\n" V T F I CI L0},
    {"lwsruri", SIP_E_START_LINE, "INVITE sip:user@example.com; lr SIP/2.0\r\n" V T F I CI L0},
    {"lwsstart", SIP_E_START_LINE, "INVITE  sip:user@example.com  SIP/2.0\r\n" V T F I CI L0},
    {"trws", SIP_E_START_LINE, "OPTIONS sip:r@example.com SIP/2.0  \r\n" V T F I CO L0},
    {"escruri", SIP_E_RURI,
     "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0\r\n" V T F I CI L0},
    {"baddate", 0, INV V T F I CI "Date: Fri, 01 Jan 2010 16:00:00 EST\r\n" L0},
    {"regbadct", 0, REG V T F I CR "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\r\n" L0},
    {"badaspec", SIP_E_TO, OPT V F I CO "To: \"Watson, Thomas\" < sip:t.watson@example.org >\r\n" L0},
    {"baddn", SIP_E_FROM, OPT V T I CO "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43\r\n" L0},
    {"badvers", SIP_E_VERSION,
     "OPTIONS sip:t@example.org SIP/7.0\r\nVia:     SIP/7.0/UDP c.example.com;branch=z9\r\n" T F I CO L0},
    {"mismatch01", SIP_E_CSEQ_METHOD, OPT V T F I CI L0},
    {"mismatch02", SIP_E_CSEQ_METHOD, "NEWMETHOD sip:user@example.com SIP/2.0\r\n" V T F I CI L0},
    {"bigcode", SIP_E_START_LINE, "SIP/2.0 4294967301 better not break the receiver\r\n" RSP},
    {"badbranch", 0, OPT "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\r\n" T F I CO L0},
    {"insuf", SIP_E_MISSING_HEADER, INV CI V L0},
    {"unkscm", SIP_E_SCHEME, "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n" V T F I CO L0},
    {"novelsc", SIP_E_SCHEME, "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n" V T F I CO L0},
    {"unksm2", 0,
     REG V "To: isbn:2983792873\r\nFrom: <http://www.example.com>;tag=3\r\n" I CR
           "Contact: <name:John_Smith>\r\n" L0},
    {"bext01", 0, OPT V T F I CO "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\r\n" L0},
    {"invut", 0, INV V T F I CI "c: application/unknownformat\r\nl: 7\r\n\r\n<audio>"},
    {"regaut01", 0,
     REG V T F I CR "Authorization: NoOneKnowsThisScheme opaque-data=here\r\nContent-Length:0\r\n\r\n"},
    {"multi01", SIP_E_DUPLICATE_HEADER,
     INV V X CI I "CSeq: 59 INVITE\r\nCall-ID: c2\r\n" F T "To: sip:o@example.net\r\n" F X L0},
    {"mcl01", SIP_E_CONTENT_LENGTH,
     OPT V T F I CO "Content-Length: 13\r\nContent-Length: 5\r\n\r\nThere's no way"},
    {"bcast", 0,
     "SIP/2.0 200 OK\r\n" V "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\n" T F I CI L0},
    {"zeromf", 0, OPT V T F I CO "Max-Forwards: 0\r\n" L0},
    {"cparam01", 0, REG V T F I CR "Contact: sip:+19725552222@gw1.example.net;unknownparam\r\n" L0},
    {"cparam02", 0, REG V T F I CR "Contact: <sip:+19725552222@gw1.example.net;unknownparam>\r\n" L0},
    {"regescrt", 0, REG V T F I CR "M: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\r\n" L0},
    {"sdp01", 0, INV V T F I CI "Accept: text/nobodyKnowsThis\r\nc: application/sdp\r\nl: 5\r\n\r\nv=0\r\n"},
    {"inv2543", 0,
     "INVITE sip:UserB@example.com SIP/2.0\r\nVia: SIP/2.0/UDP i.example.com\r\nFrom: "
     "<sip:+1303@i.example.net;user=phone>"
     "\r\nRecord-Route: <sip:UserB@example.com;maddr=ss1.example.com>\r\nTo: "
     "sip:+1650@s.example.net;user=phone\r\n" I CI "\r\nv=0\r\n"},
};

static const struct point rfc5118[] = {
    {"ipv6-good", 0, "REGISTER sip:[2001:db8::10] SIP/2.0\r\n" V T F I CR L0},
    {"ipv6-bad", SIP_E_RURI, "REGISTER sip:2001:db8::10 SIP/2.0\r\n" V T F I CR L0},
    {"port-ambiguous", 0, "REGISTER sip:[2001:db8::10:5070] SIP/2.0\r\n" V T F I CR L0},
    {"port-unambiguous", 0, "REGISTER sip:[2001:db8::10]:5070 SIP/2.0\r\n" V T F I CR L0},
    {"via-received-param-with-delim", 0,
     OPT "v: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9\r\n" T F I CO L0},
    {"via-received-param-no-delim", 0,
     OPT "v: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9\r\n" T F I CO L0},
    {"ipv6-in-sdp", 0,
     "INVITE sip:user@[2001:db8::10] SIP/2.0\r\n" V T F I CI
     "l: 20\r\n\r\nc=IN IP6 2001:db8::1 and more than told"},
    {"mult-ip-in-header", 0,
     OPT "Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z8\r\n" T F I
         CO L0},
    {"mult-ip-in-sdp", 0, INV V T F I CI "l: 18\r\n\r\nc=IN IP4 192.0.2.1"},
    {"ipv4-mapped-ipv6", 0,
     INV "Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9\r\n" T F I CI
         "Contact: \"T\" <sip:[::ffff:192.0.2.2]>\r\n" L0},
    {"ipv6-bug-abnf-3-colons", SIP_E_TO, OPT V F I CO "To: <sip:user@[2001:db8:::192.0.2.1]>\r\n" L0},
    {"ipv6-correct-abnf-2-colons", 0, OPT V F I CO "To: <sip:user@[2001:db8::192.0.2.1]>\r\n" L0},
};

#define POINTS4475 (sizeof(rfc4475) / sizeof(rfc4475[0]))
#define POINTS5118 (sizeof(rfc5118) / sizeof(rfc5118[0]))

static struct sip_msg m;
static struct sip_core_fields c;

static enum sip_error judge(const char *bytes, size_t len)
{
    return rig_verdict(&m, &c, rig_guarded(bytes, len), len);
}

/* Every cut of the message, on every implementation, whole values decoded: nothing may read past the end. */
static void cut_everywhere(const char *bytes, size_t len)
{
    for (size_t cut = 0; cut < len; cut++) {
        (void)judge(bytes, cut);
        (void)rig_index(&m, rig_guarded(bytes, cut), cut, false);
    }
}

static void own_message(void **state)
{
    const struct point *p = *state;
    enum sip_error e = judge(p->own, strlen(p->own));
    if (e != p->error)
        fail_msg("%.*s instead of error %u", SLICE_ARG(sip_error_phrase(e)), p->error);
    cut_everywhere(p->own, strlen(p->own));
}

/* The verdict must also be one that INDEX.tsv allows, as far as the parser alone decides. */
static void allowed_by_index(const char *folder, const char *file, enum sip_error e)
{
    char path[64], name[64], line[512];
    size_t len;
    snprintf(path, sizeof(path), "%s/INDEX.tsv", folder);
    snprintf(name, sizeof(name), "%s.dat", file);
    char *index = rig_suite_file(path, &len);
    assert_non_null(index);
    index[len] = 0;
    char *at = strstr(index, name), *end = at ? strchr(at, '\n') : NULL;
    assert_non_null(end);
    snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
    free(index);
    char *column[5] = {0}, *rest = line;
    for (unsigned i = 0; i < 5 && rest; i++)
        column[i] = strsep(&rest, "\t");
    const char *allowed = strcmp(folder, "rfc4475") == 0 ? column[3] : column[2];
    char status[8];
    snprintf(status, sizeof(status), "%u", sip_error_status(e));
    if (!m.is_request || strcmp(allowed, "any") == 0)
        return; /* a response is discarded or forwarded, never answered */
    if (strcmp(allowed, "!400") == 0) {
        assert_int_equal(e, SIP_E_NONE);
    } else if (e != SIP_E_NONE) {
        regex_t r;
        char anchored[64];
        snprintf(anchored, sizeof(anchored), "^(%s)$", allowed);
        assert_int_equal(regcomp(&r, anchored, REG_EXTENDED), 0);
        assert_int_equal(regexec(&r, status, 0, NULL, 0), 0);
        regfree(&r);
    }
}

static void suite_message(const char *folder, const struct point *p)
{
    char path[64];
    size_t len;
    snprintf(path, sizeof(path), "%s/%s.dat", folder, p->file);
    char *bytes = rig_suite_file(path, &len);
    if (!bytes)
        skip();
    enum sip_error e = judge(bytes, len);
    /* this file ends before its head does, which the index pass sees first */
    unsigned want = strcmp(p->file, "baddn") == 0 ? SIP_E_NO_END : p->error;
    if (e != want)
        fail_msg("%.*s instead of error %u", SLICE_ARG(sip_error_phrase(e)), want);
    allowed_by_index(folder, p->file, e);
    cut_everywhere(bytes, len);
    free(bytes);
}

static void suite4475(void **state)
{
    suite_message("rfc4475", *state);
}

static void suite5118(void **state)
{
    suite_message("rfc5118", *state);
}

static void details(void **state)
{
    (void)state;
    struct sip_cursor at;
    struct slice e;
    struct sip_via v;
    struct sip_addr a;
    unsigned n = 0;
    /* wsinv: three Vias in two fields, CSeq and Max-Forwards with leading zeros, tags behind folds */
    assert_int_equal(judge(rfc4475[0].own, strlen(rfc4475[0].own)), SIP_E_NONE);
    assert_int_equal(c.cseq.number, 9);
    assert_int_equal(c.max_forwards, 68);
    RIG_SLICE_IS(c.to.tag, "1n");
    RIG_SLICE_IS(c.from.tag, "98");
    sip_cursor_init(&at, &m, SIP_H_VIA);
    static const char *const branches[] = {"390", "z9", "z9hG4bK30239"};
    while (sip_cursor_next(&at, &e) == SIP_DONE) {
        assert_int_equal(sip_via_decode(e, &v), SIP_DONE);
        RIG_SLICE_IS(v.branch, branches[n++]);
    }
    assert_int_equal(n, 3);
    /* esc02: an escaped method name is another method, an escaped header name another header */
    assert_int_equal(judge(rfc4475[4].own, strlen(rfc4475[4].own)), SIP_E_NONE);
    assert_int_equal(m.method, SIP_M_OTHER);
    assert_int_equal(m.count[SIP_H_CONTACT], 0);
    /* dblreq: one message, the rest is noise */
    assert_int_equal(judge(rfc4475[7].own, strlen(rfc4475[7].own)), SIP_E_NONE);
    assert_int_equal(m.method, SIP_M_REGISTER);
    assert_int_equal(m.len, m.head_len);
    /* regbadct: the Contact itself is refused by whoever asks for it */
    assert_int_equal(sip_addr_decode(SLICE_LIT("sip:user@example.com?Route=%3Csip:sip.example.com%3E"), &a),
                     SIP_BAD);
    /* port-ambiguous: 5070 belongs to the address */
    assert_int_equal(judge(rfc5118[2].own, strlen(rfc5118[2].own)), SIP_E_NONE);
    assert_int_equal(c.ruri.port, 0);
    assert_int_equal(c.ruri.ip.b[14], 0x50);
    assert_int_equal(judge(rfc5118[3].own, strlen(rfc5118[3].own)), SIP_E_NONE);
    assert_int_equal(c.ruri.port, 5070);
}

int main(void)
{
    struct CMUnitTest tests[2 * (POINTS4475 + POINTS5118) + 1];
    unsigned n = 0;
    tests[n++] = (struct CMUnitTest){"details", details, NULL, NULL, NULL};
    for (unsigned i = 0; i < POINTS4475 + POINTS5118; i++) {
        bool first = i < POINTS4475;
        const struct point *p = first ? &rfc4475[i] : &rfc5118[i - POINTS4475];
        static char names[2 * (POINTS4475 + POINTS5118)][64];
        snprintf(names[2 * i], 64, "%s_%s", first ? "rfc4475" : "rfc5118", p->file);
        snprintf(names[2 * i + 1], 64, "own_%s", p->file);
        void *state = (void *)(uintptr_t)p;
        tests[n++] = (struct CMUnitTest){names[2 * i], first ? suite4475 : suite5118, NULL, NULL, state};
        tests[n++] = (struct CMUnitTest){names[2 * i + 1], own_message, NULL, NULL, state};
    }
    return cmocka_run_group_tests_name("torture", tests, NULL, NULL);
}
