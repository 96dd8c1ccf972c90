/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream/echo.h"

#include <string.h>

#define SLICES   64
#define HEAD_MAX 8192 /* bytes of a request's head */
#define WORD     5    /* enough to tell what it is */

/* The cookie: what the stream is, whether the peer has closed, how much of the page has left, and how much of
 * a head was looked at. */
enum { MODE_NEW = 0, MODE_ECHO = 1, MODE_HTTP = 2, MODE_MASK = 3, PEER_DONE = 4 };
#define SENT_SHIFT 4
#define SEEN_SHIFT 12
static_assert(HEAD_MAX < STREAM_COOKIE_MAX >> SEEN_SHIFT, "fits");

static const char page[] = "HTTP/1.1 200 OK\r\nServer: heliograph\r\nContent-Type: text/plain\r\n"
                           "Content-Length: 11\r\n\r\nheliograph\n";
static const char page_head[] = "HTTP/1.1 200 OK\r\nServer: heliograph\r\nContent-Type: text/plain\r\n"
                                "Content-Length: 11\r\n\r\n";
static_assert(sizeof(page) < 1 << (SEEN_SHIFT - SENT_SHIFT), "fits");
static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

struct head {
    uint32_t len;  /* up to and with the empty line; 0: not whole */
    uint32_t seen; /* that need not be looked at again */
    bool close;    /* no further request on this connection */
};

/* Copies len bytes from at; returns how many there were. */
static uint32_t copy_from(const struct slice *in, unsigned n, uint32_t at, char *out, uint32_t len)
{
    uint32_t got = 0;
    for (unsigned i = 0; i < n && got < len; i++) {
        if (at >= in[i].len) {
            at -= in[i].len;
            continue;
        }
        uint32_t take = in[i].len - at < len - got ? in[i].len - at : len - got;
        memcpy(out + got, in[i].p + at, take);
        got += take;
        at = 0;
    }
    return got;
}

static uint32_t total_of(const struct slice *in, unsigned n)
{
    uint32_t total = 0;
    for (unsigned i = 0; i < n; i++)
        total += in[i].len;
    return total;
}

/* MODE_NEW: too little to tell. */
static unsigned mode_of(const struct slice *in, unsigned n, bool last)
{
    static const char *const words[] = {"GET ", "HEAD "};
    char word[WORD];
    uint32_t got = copy_from(in, n, 0, word, WORD);
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        uint32_t len = (uint32_t)strlen(words[i]);
        if (memcmp(word, words[i], got < len ? got : len) == 0)
            return got >= len ? MODE_HTTP : last ? MODE_ECHO : MODE_NEW;
    }
    return MODE_ECHO;
}

/* true: all that was readable has been sent back. */
static bool echo_bytes(struct stream *s, stream_id id)
{
    struct slice in[SLICES];
    for (;;) {
        unsigned n = stream_peek(s, id, in, SLICES);
        uint32_t there = total_of(in, n);
        if (there == 0)
            return true;
        uint32_t took = stream_write(s, id, in, n);
        stream_consume(s, id, took);
        if (took < there)
            return false;
    }
}

/* The end of the head: an empty line. Goes on where the last look ended. */
static struct head head_find(const struct slice *in, unsigned n, uint32_t seen)
{
    char text[HEAD_MAX + 1];
    struct head h = {0};
    uint32_t from = seen > 3 ? seen - 3 : 0;
    uint32_t got = copy_from(in, n, from, text, HEAD_MAX - from);
    for (uint32_t i = 0; i + 3 < got && h.len == 0; i++)
        if (memcmp(text + i, "\r\n\r\n", 4) == 0)
            h.len = from + i + 4;
    h.seen = from + got;
    if (h.len == 0)
        return h;
    got = copy_from(in, n, 0, text, h.len);
    text[got] = '\0';
    h.close = strcasestr(text, "\r\nConnection: close\r\n") != NULL || strstr(text, " HTTP/1.0\r\n") != NULL;
    return h;
}

/* The last words. */
static void close_with(struct stream *s, stream_id id, const char *text, uint32_t len)
{
    const struct slice out = {text, len};
    stream_write(s, id, &out, 1);
    stream_consume(s, id, stream_readable(s, id));
    stream_close(s, id);
}

/* true: all of it; otherwise WRITABLE follows. */
static bool page_send(struct stream *s, stream_id id, bool body, uint32_t *sent)
{
    const char *text = body ? page : page_head;
    uint32_t len = (body ? sizeof(page) : sizeof(page_head)) - 1;
    const struct slice out = {text + *sent, len - *sent};
    *sent += stream_write(s, id, &out, 1);
    return *sent == len;
}

/* Requests one after another. false: the stream is closed, its id forgotten. */
static bool http_bytes(struct stream *s, stream_id id, uint32_t *seen, uint32_t *sent)
{
    struct slice in[SLICES];
    for (;;) {
        unsigned n = stream_peek(s, id, in, SLICES);
        struct head h = head_find(in, n, *seen);
        *seen = h.seen;
        if (h.len == 0 && (h.seen >= HEAD_MAX || n == SLICES)) {
            close_with(s, id, refusal, sizeof(refusal) - 1);
            return false;
        }
        if (h.len == 0)
            return true;
        *seen = 0;
        if (!page_send(s, id, in[0].p[0] == 'G', sent)) /* GET, or HEAD: no body */
            return true;
        stream_consume(s, id, h.len);
        *sent = 0;
        if (h.close) {
            close_with(s, id, "", 0);
            return false;
        }
    }
}

void echo_event(struct stream *s, const struct stream_event *e)
{
    uint32_t state = e->cookie, seen = state >> SEEN_SHIFT, sent = state >> SENT_SHIFT & 0xff;
    struct slice in[SLICES];
    bool done;
    if (e->bits & (STREAM_FAILED | STREAM_CLOSED))
        return;
    state |= e->bits & STREAM_PEER_CLOSED ? PEER_DONE : 0;
    bool last = state & PEER_DONE;
    if ((state & MODE_MASK) == MODE_NEW)
        state |= mode_of(in, stream_peek(s, e->id, in, SLICES), last);
    if ((state & MODE_MASK) == MODE_HTTP) {
        if (!http_bytes(s, e->id, &seen, &sent))
            return;
        done = last && sent == 0; /* half a request is worth nothing */
        if (done)
            stream_consume(s, e->id, stream_readable(s, e->id));
    } else {
        done = (state & MODE_MASK) == MODE_ECHO && echo_bytes(s, e->id) && last;
    }
    if (done) {
        stream_close(s, e->id);
        return;
    }
    uint32_t now = (state & (MODE_MASK | PEER_DONE)) | sent << SENT_SHIFT | seen << SEEN_SHIFT;
    if (now != e->cookie)
        stream_set_cookie(s, e->id, now);
}
