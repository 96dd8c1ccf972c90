/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that hgctl reads and writes: what is none, and what is wrong in one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl_rig.h"

static void files_that_are_none(void **state)
{
    (void)state;
    char line[128], file[64];
    snprintf(file, sizeof(file), "/tmp/hg-ctl-test.%d.file", (int)getpid());
    FILE *f = fopen(file, "w");
    fputs("\xef\xbb\xbf"
          "user,node\nbob@x,n1\n", /* as a spreadsheet writes it */
          f);
    fclose(f);
    snprintf(line, sizeof(line), "user import %s", file);
    assert_int_equal(ASK(line, "{\"ok\":true,\"result\":{\"good\":1,\"new\":1,\"wrong\":0,\"errors\":[]}}\n"),
                     0);
    has(server.requests, "\"rows\":[{\"line\":2,\"user\":\"bob@x\"");
    unlink(file);
    assert_int_equal(ASK("user import /tmp", ""), CTL_REFUSED);
    has(err_text, "/tmp: Is a directory");
    assert_int_equal(symlink("/dev/null", file), 0); /* /dev/stdout is one, too */
    snprintf(line, sizeof(line), "backup %s", file);
    assert_int_equal(ASK(line, ""), CTL_REFUSED);
    has(err_text, "no regular file");
    assert_int_equal(ASK("backup /dev/null", ""), CTL_REFUSED);
    unlink(file);
}

static char file[64];

static void write_file(const char *text, size_t len)
{
    snprintf(file, sizeof(file), "/tmp/hg-ctl-test.%d.csv", (int)getpid());
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
}

static int import(const char *options, const char *text, const char *const *replies)
{
    char line[160];

    write_file(text, strlen(text));
    snprintf(line, sizeof(line), "user import %s %s", file, options);
    int status = ask(line, replies);
    unlink(file);
    return status;
}

#define GOOD(n, wrong, errors)                                                                               \
    "{\"ok\":true,\"result\":{\"good\":" n ",\"new\":0,\"wrong\":" wrong ",\"errors\":[" errors "]}}\n"

/* A quote that is not closed spoils its own line and no other. */
static void a_quote_spoils_its_line_only(void **state)
{
    const char *const replies[] = {GOOD("2", "0", ""), NULL};

    (void)state;
    assert_int_equal(import("", "a@x,n1\n\"b@x,n1\nc@x,\"n1\n\"d\"\"@x\",\"n1\"\n", replies), CTL_REFUSED);
    has(err_text, "line 2: a quote is not closed");
    has(err_text, "line 3: a quote is not closed");
    has(server.requests, "\"line\":1,\"user\":\"a@x\"");
    has(server.requests, "\"line\":4,\"user\":\"d\\\"@x\",\"node\":\"n1\"");
    has(out_text, "2 rows written, 0 of them new users, 2 wrong");
}

static void errors_come_in_the_order_of_lines(void **state)
{
    const char *const replies[] = {
        GOOD("1", "2",
             "{\"line\":3,\"user\":\"c@x\",\"error\":\"C\"},{\"line\":1,\"user\":\"a@x\",\"error\":\"A\"}"),
        NULL};
    const char *at[4];

    (void)state;
    assert_int_equal(import("", "a@x\n\"b@x\nc@x\n\"d\nd@x\n", replies), CTL_REFUSED);
    for (unsigned i = 0; i < 4; i++) {
        char start[16];
        snprintf(start, sizeof(start), "line %u: ", i + 1);
        has(err_text, start);
        at[i] = strstr(err_text, start);
        assert_true(i == 0 || at[i - 1] < at[i]);
    }
    has(out_text, "1 row written, 0 of them new users, 4 wrong");
}

/* One sentence instead of thousands, and nothing of it is sent. */
static void what_is_no_table_is_said_once(void **state)
{
    char line[160];

    (void)state;
    write_file("a@x\n\x89PNG\r\n\x1a\n\0\0\0\n,,,\n", 21);
    snprintf(line, sizeof(line), "user import %s", file);
    assert_int_equal(ASK(line, GOOD("1", "0", "")), CTL_REFUSED);
    assert_string_equal(server.requests, "");
    has(err_text, "line 4: a NUL byte: this is no table of users");
    assert_null(strchr(strchr(err_text, '\n') + 1, '\n'));
    unlink(file);

    char latin[300 * 4 + 1] = "";
    for (unsigned i = 0; i < 300; i++)
        strcat(latin, "\xfc@x\n");
    assert_int_equal(import("", latin, (const char *const[]){GOOD("1", "0", ""), NULL}), CTL_REFUSED);
    has(err_text, "lines 1 to 100: the text is not UTF-8: this is no table of users");
    assert_string_equal(server.requests, "");
}

/* It can be read once only, and is wanted twice. */
static void the_standard_input_may_be_all_or_nothing(void **state)
{
    int kept = dup(STDIN_FILENO);

    (void)state;
    write_file("a@x,n1\n", 7);
    assert_non_null(freopen(file, "r", stdin));
    assert_int_equal(ASK("user import - --all-or-nothing", GOOD("1", "0", ""), GOOD("1", "0", "")), CTL_DONE);
    const char *first = strstr(server.requests, "\"user\":\"a@x\"");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "\"user\":\"a@x\""));
    has(out_text, "1 row written");
    assert_true(dup2(kept, STDIN_FILENO) == STDIN_FILENO);
    close(kept);
    unlink(file);
}

#define PAGE(record, entries)                                                                                \
    "{\"ok\":true,\"result\":{\"cluster\":\"C\",\"record\":\"" record "\",\"entries\":[" entries             \
    "],\"left_out\":0,\"next\":null}}\n"
#define ENTRY(field, value) "[\"" field "\",\"" value "\"]"
#define EMPTY               PAGE("one", "")
#define WRITTEN             "{\"ok\":true,\"result\":{}}\n"

/* A backup of record "one": node n1, user a@x. */
static void make_backup(void)
{
    char line[160];

    snprintf(file, sizeof(file), "/tmp/hg-ctl-test.%d.backup", (int)getpid());
    snprintf(line, sizeof(line), "backup %s", file);
    assert_int_equal(ASK(line, PAGE("one", ENTRY("n1", "{}")), EMPTY, EMPTY, EMPTY, EMPTY,
                         PAGE("one", ENTRY("a@x", "n1"))),
                     CTL_DONE);
}

static int restore(const char *options, const char *const *replies)
{
    char line[160];

    snprintf(line, sizeof(line), "restore %s %s", file, options);
    return ask(line, replies);
}
#define RESTORE(options, ...) restore(options, (const char *const[]){__VA_ARGS__, NULL})

/* Another record with other nodes, high availability on, and more than the file has. */
#define OTHER                                                                                                \
    PAGE("two", ENTRY("n7", "{}")), PAGE("two", ENTRY("S", "{\\\"ha\\\":true}")), PAGE("two", ""),           \
        PAGE("two", ENTRY("r", "{}")), PAGE("two", ENTRY("a@x", "n7") "," ENTRY("b@x", "n7"))

static void a_backup_of_others_is_asked_about(void **state)
{
    static const char *const said[] = {"of another record",       "does not have n7",
                                       "the backup has n1",       "high availability is on in S",
                                       "4 entries of the record", "say --yes"};

    (void)state;
    make_backup();
    freopen("/dev/null", "r", stdin); /* nobody can be asked */
    assert_int_equal(RESTORE("--force", OTHER), CTL_REFUSED);
    for (unsigned i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        has(err_text, said[i]);
    assert_null(strstr(server.requests, "record.write"));

    assert_int_equal(RESTORE("--force --dry-run --json", OTHER), CTL_DONE);
    assert_null(strstr(server.requests, "record.write"));
    has(out_text, "\"written\":2,\"removed\":4,\"dry_run\":true,\"same_record\":false");

    assert_int_equal(RESTORE("--force --yes", OTHER, WRITTEN,
                             PAGE("two", ENTRY("n1", "{}") "," ENTRY("n7", "{}")), WRITTEN, EMPTY, EMPTY,
                             EMPTY, EMPTY, WRITTEN),
                     CTL_DONE);
    has(server.requests, "[\"nodes\",\"del\",\"n7\"");
    has(server.requests, "\"record.finish\",\"args\":{\"record\":\"one\"}");
    has(out_text, "2 entries were restored, 1 removed");
    unlink(file);
}

/* After a disaster: the record is new and empty, its one node is of the backup. */
static void an_empty_record_is_filled_unasked(void **state)
{
    (void)state;
    make_backup();
    assert_int_equal(RESTORE("", PAGE("new", ""), PAGE("new", ""), PAGE("new", ""),
                             PAGE("new", ENTRY("n1", "{}")), PAGE("new", ""), PAGE("new", ""),
                             PAGE("new", ""), PAGE("new", ""), WRITTEN, WRITTEN),
                     CTL_DONE);
    assert_string_equal(err_text, "");
    has(out_text, "2 entries were restored, 0 removed");
    assert_int_equal(RESTORE("", PAGE("new", ""), PAGE("new", ""), PAGE("new", ""),
                             PAGE("new", ENTRY("n9", "{}")), PAGE("new", ""), PAGE("new", ""),
                             PAGE("new", ""), PAGE("new", "")),
                     CTL_REFUSED);
    has(err_text, "does not have n9, nor any other node of this cluster");
    assert_int_equal(RESTORE("", PAGE("new", ""), PAGE("new", ""), PAGE("new", ENTRY("a@x", "n1"))),
                     CTL_REFUSED);
    has(err_text, "the record has users already");
    unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(a_quote_spoils_its_line_only),
        cmocka_unit_test(errors_come_in_the_order_of_lines),
        cmocka_unit_test(what_is_no_table_is_said_once),
        cmocka_unit_test(the_standard_input_may_be_all_or_nothing),
        cmocka_unit_test(a_backup_of_others_is_asked_about),
        cmocka_unit_test(an_empty_record_is_filled_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, ctl_rig_forget);
}
