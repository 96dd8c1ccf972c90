/* SPDX-License-Identifier: BSD-2-Clause */
/* AA03: every message of RFC 4475 and RFC 5118 over the wire, one test each, twice: at a proxy that has no
 * route for anything, and at one that forwards everything. What may happen stands in the suites' INDEX.tsv.
 */
#include <regex.h>

#include "proxy_rig.h"

struct torture {
    char name[80], file[400], allowed[64];
    bool application; /* what a registrar or user agent behind the proxy would refuse */
};

static struct torture cases[80];
static unsigned ncases;

static void load_index(const char *dir, const char *set, unsigned column)
{
    char path[512], line[1024];
    FILE *f;
    snprintf(path, sizeof(path), "%s/suites/%s/INDEX.tsv", dir, set);
    f = fopen(path, "r");
    if (!f)
        return;
    while (fgets(line, sizeof(line), f) && ncases < 80) {
        char *rest = line, *field[6] = {0};
        struct torture *t = &cases[ncases];
        if (line[0] == '#')
            continue;
        for (unsigned i = 0; i < 6 && rest; i++)
            field[i] = strsep(&rest, "\t\n");
        if (!field[column])
            continue;
        snprintf(t->name, sizeof(t->name), "%s_%.*s", set, (int)strcspn(field[0], "."), field[0]);
        snprintf(t->file, sizeof(t->file), "%s/suites/%s/%s", dir, set, field[0]);
        snprintf(t->allowed, sizeof(t->allowed), "%s", field[column]);
        t->application = strcmp(field[2], "application") == 0;
        ncases++;
    }
    fclose(f);
}

static bool status_allowed(const char *allowed, const char *status)
{
    char pattern[96];
    regex_t re;
    bool ok;
    if (strcmp(allowed, "any") == 0)
        return true;
    if (allowed[0] == '!')
        return strcmp(status, allowed + 1) != 0;
    snprintf(pattern, sizeof(pattern), "^(%s)$", allowed);
    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ok = regexec(&re, status, 0, NULL, 0) == 0;
    regfree(&re);
    return ok;
}

/* Lines that nobody had reason to change stand in what was forwarded, byte by byte and in their order. */
static void check_intact(const char *sent, uint32_t len)
{
    const char *end = memmem(sent, len, "\r\n\r\n", 4), *at = rig.text;
    uint32_t left = rig.packet.payload.len;
    bool in_via = false;
    const char *p = memmem(sent, len, "\r\n", 2);
    assert_non_null(end);
    while (p && p < end) {
        const char *line = p + 2, *eol = memmem(line, (size_t)(end + 2 - line), "\r\n", 2), *found;
        bool fold = *line == ' ' || *line == '\t';
        if (!eol)
            break;
        if (!fold)
            in_via = strncasecmp(line, "v", 1) == 0 || strncasecmp(line, "max-f", 5) == 0 ||
                     strncasecmp(line, "route", 5) == 0;
        if (!in_via) {
            found = memmem(at, left, line, (size_t)(eol + 2 - line));
            if (!found)
                fail_msg("changed on the way: %.*s", (int)(eol - line), line);
            left -= (uint32_t)(found - at);
            at = found;
        }
        p = eol;
    }
}

static void one_pass(const struct torture *t, const char *bytes, uint32_t len, bool everything)
{
    unsigned forwarded = 0, answered = 0;
    char status[4] = "";
    rig_open(1, NULL);
    if (everything) {
        struct hg_static_route r[2];
        r[0] = rig_route("users", "*", false, "10.0.0.20", 1, false, false);
        r[1] = rig_route("hosts", "*", true, "10.0.0.20", 1, false, false);
        rig_routes(r, 2);
    }
    rig_send_bytes(ALICE, bytes, len);
    while (rig_next()) {
        if (strncmp(rig.text, "SIP/2.0 ", 8) == 0) {
            memcpy(status, rig.text + 8, 3);
            answered++;
        } else {
            forwarded++;
            check_intact(bytes, len);
        }
    }
    assert_true(forwarded + answered <= 1);
    if (forwarded) {
        assert_true(everything);
        if (strcmp(t->allowed, "any") != 0 && t->allowed[0] != '!' &&
            !(t->application && strncmp(bytes, "REGISTER ", 9) == 0))
            fail_msg("forwarded, but %s is asked for", t->allowed);
    } else if (!status_allowed(t->allowed, answered ? status : "none")) {
        fail_msg("%s instead of %s", answered ? status : "none", t->allowed);
    }
    rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "alive", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_close();
}

static void torture(void **state)
{
    static char bytes[65536];
    const struct torture *t = *state;
    FILE *f = fopen(t->file, "rb");
    uint32_t len;
    assert_non_null(f);
    len = (uint32_t)fread(bytes, 1, sizeof(bytes) - 1, f);
    fclose(f);
    bytes[len] = 0;
    one_pass(t, bytes, len, false);
    one_pass(t, bytes, len, true);
}

int main(void)
{
    static struct CMUnitTest tests[80];
    const char *dir = getenv("HG_SHARED");
    if (!dir)
        dir = SHARED_DIR;
    load_index(dir, "rfc4475", 3);
    load_index(dir, "rfc5118", 2);
    if (ncases == 0) {
        printf("the suites are not here (HG_SHARED)\n");
        return 77; /* skipped */
    }
    for (unsigned i = 0; i < ncases; i++) {
        tests[i].name = cases[i].name;
        tests[i].test_func = torture;
        tests[i].teardown_func = rig_abandon;
        tests[i].initial_state = &cases[i];
    }
    return _cmocka_run_group_tests("torture", tests, ncases, NULL, NULL);
}
