/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/pcap.h"
#include "ctl/show.h"
#include "ctl/table.h"

struct trace {
    FILE *pcap;
    const char *file;
};

/* NULL: not base64 */
static unsigned char *decode(json_t *data, uint32_t *len)
{
    size_t n = json_string_length(data);
    const char *text = json_string_value(data);
    if (text == NULL || n % 4 != 0 || n > 1024 * 1024)
        return NULL;
    unsigned char *out = malloc(n + 1);
    int got = out ? EVP_DecodeBlock(out, (const unsigned char *)text, (int)n) : -1;
    if (got < 0) {
        free(out);
        return NULL;
    }
    for (size_t i = n; i > 0 && text[i - 1] == '=' && got > 0; i--)
        got--;
    *len = (uint32_t)got;
    return out;
}

static void print_time(FILE *out, double ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];
    localtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%H:%M:%S", &tm);
    fprintf(out, "%s.%06d", text, (int)((ms - (double)seconds * 1000) * 1000));
}

/* A message by lines; whatever else a stranger put in shows as \xNN. */
static void print_message(FILE *out, const unsigned char *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (data[i] == '\n' || data[i] == '\t' || (data[i] >= ' ' && data[i] <= '~'))
            fputc(data[i], out);
        else if (data[i] != '\r' || i + 1 == len || data[i + 1] != '\n')
            fprintf(out, "\\x%02x", data[i]);
    }
    if (len > 0 && data[len - 1] != '\n')
        fputc('\n', out);
}

static int print_text(struct ctl *ctl, json_t *event, const unsigned char *data, uint32_t len)
{
    char src[80], dst[80];
    table_text(json_object_get(event, "src"), src, sizeof(src));
    table_text(json_object_get(event, "dst"), dst, sizeof(dst));
    const char *direction = json_string_value(json_object_get(event, "direction"));
    long long full = (long long)json_integer_value(json_object_get(event, "length"));
    print_time(ctl->out, json_number_value(json_object_get(event, "time_ms")));
    fprintf(ctl->out, " core %lld %s %s -> %s, %lld bytes%s\n",
            (long long)json_integer_value(json_object_get(event, "core")),
            direction && *direction == 'o' ? "out" : "in", src, dst, full, full > len ? ", cut" : "");
    print_message(ctl->out, data, len);
    fputc('\n', ctl->out);
    fflush(ctl->out);
    return ferror(ctl->out) ? CTL_REFUSED : CTL_DONE;
}

static int write_pcap(struct ctl *ctl, struct trace *t, json_t *event, const unsigned char *data,
                      uint32_t len)
{
    struct hg_endpoint src, dst;
    const char *from = json_string_value(json_object_get(event, "src")),
               *to = json_string_value(json_object_get(event, "dst"));
    if (from == NULL || to == NULL || !hg_endpoint_parse(slice_str(from), 0, &src) ||
        !hg_endpoint_parse(slice_str(to), 0, &dst))
        return CTL_DONE;
    json_int_t full = json_integer_value(json_object_get(event, "length"));
    if (!pcap_message(t->pcap, json_number_value(json_object_get(event, "time_ms")), &src, &dst, data, len,
                      full > len ? (uint32_t)full : len) ||
        fflush(t->pcap) != 0) {
        fprintf(ctl->err, "hgctl: %s: %s\n", t->file, strerror(errno));
        return CTL_REFUSED;
    }
    return CTL_DONE;
}

static int on_message(struct ctl *ctl, void *arg, json_t *event)
{
    struct trace *t = arg;
    uint32_t len = 0;
    int status;
    if (ctl->json) {
        json_dumpf(event, ctl->out, JSON_COMPACT);
        fputc('\n', ctl->out);
        fflush(ctl->out);
        if (t->pcap == NULL)
            return ferror(ctl->out) ? CTL_REFUSED : CTL_DONE;
    }
    unsigned char *data = decode(json_object_get(event, "data"), &len);
    if (data == NULL)
        return CTL_DONE;
    if (t->pcap != NULL)
        status = write_pcap(ctl, t, event, data, len);
    else
        status = print_text(ctl, event, data, len);
    free(data);
    return status;
}

int run_trace(struct ctl *ctl)
{
    struct trace t = {.file = json_string_value(json_object_get(ctl->local, "pcap"))};
    json_t *result = NULL, *seconds = json_object_get(ctl->args, "seconds");
    int status = ctl_connect(ctl);
    if (status == CTL_DONE && t.file != NULL) {
        t.pcap = fopen(t.file, "wbe");
        if (t.pcap == NULL || !pcap_begin(t.pcap)) {
            fprintf(ctl->err, "hgctl: %s: %s\n", t.file, strerror(errno));
            status = CTL_REFUSED;
        }
    }
    json_int_t wait = seconds ? json_integer_value(seconds) : 60;
    ctl->timeout_ms += (int)(wait > 0 && wait <= 3600 ? wait : 3600) * 1000;
    if (status == CTL_DONE)
        status = ctl_send(ctl, ctl->command->cmd, ctl->args);
    if (status == CTL_DONE)
        status = ctl_reply(ctl, on_message, &t, &result);
    if (t.pcap != NULL && fclose(t.pcap) != 0 && status == CTL_DONE)
        status = CTL_REFUSED;
    if (status == CTL_DONE && !ctl->json)
        fprintf(ctl->err, "%lld messages, %lld more held back by the rate\n",
                (long long)json_integer_value(json_object_get(result, "seen")),
                (long long)json_integer_value(json_object_get(result, "suppressed")));
    json_decref(result);
    return status;
}
