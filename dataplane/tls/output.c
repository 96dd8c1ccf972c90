/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain text out: sealed at once, and what tcp/ has no room for is kept. There is little of that, because no
 * more is sealed than tcp/ has room for; alerts and answers to key updates do not ask. */
#include <stdlib.h>

#include <openssl/err.h>

#include "tls/state.h"

#define OVER_MAX 65536

static bool keep(struct tls_conn *c, const char *p, uint32_t len)
{
    uint32_t left = c->over_len - c->over_at;
    if (left + len > OVER_MAX)
        return false;
    char *grown = malloc(left + len);
    if (!grown)
        return false;
    if (left > 0)
        memcpy(grown, c->over + c->over_at, left);
    memcpy(grown + left, p, len);
    free(c->over);
    c->over = grown;
    c->over_len = left + len;
    c->over_at = 0;
    return true;
}

bool output_put(struct tls *tls, struct tls_conn *c, const char *p, uint32_t len)
{
    struct slice s = slice_of(p, len);
    uint32_t took = c->over ? 0 : tcp_write(tls->tcp, c->tcp, &s, 1);

    return took == len || keep(c, p + took, len - took);
}

/* tcp/ has room again; false: not enough of it. */
bool output_go_on(struct tls *tls, struct tls_conn *c)
{
    if (!c->over)
        return true;
    struct slice s = slice_of(c->over + c->over_at, c->over_len - c->over_at);
    c->over_at += tcp_write(tls->tcp, c->tcp, &s, 1);
    if (c->over_at < c->over_len)
        return false;
    free(c->over);
    c->over = NULL;
    c->over_len = c->over_at = 0;
    return true;
}

struct output {
    struct tls *tls;
    struct tls_conn *c;
};

bool output_from_bio(struct tls_io *io, const char *p, uint32_t len)
{
    struct output *o = io->owner;
    return output_put(o->tls, o->c, p, len);
}

uint32_t tls_room(struct tls *tls, tls_id id)
{
    struct tls_conn *c = tls_conn_of(tls, id);

    if (!c || c->state != TLS_UP || c->over)
        return 0;
    uint32_t room = tcp_room(tls->tcp, c->tcp), records = (room + TLS_RECORD - 1) / TLS_RECORD;
    return room > records * TLS_OVERHEAD ? room - records * TLS_OVERHEAD : 0;
}

/* One record's worth, from as many slices as that takes. */
static uint32_t gather(char *to, uint32_t max, const struct slice *s, unsigned n, unsigned *at, uint32_t *off)
{
    uint32_t len = 0;

    while (len < max && *at < n) {
        uint32_t part = s[*at].len - *off < max - len ? s[*at].len - *off : max - len;
        memcpy(to + len, s[*at].p + *off, part);
        len += part;
        *off += part;
        if (*off == s[*at].len) {
            (*at)++;
            *off = 0;
        }
    }
    return len;
}

uint32_t tls_write(struct tls *tls, tls_id id, const struct slice *s, unsigned n)
{
    struct tls_conn *c = tls_conn_of(tls, id);
    uint32_t room = tls_room(tls, id), sent = 0, off = 0;
    unsigned at = 0;
    struct output o = {tls, c};
    struct tls_io io = {.out = output_from_bio, .owner = &o};

    if (!c || c->state != TLS_UP)
        return 0;
    bio_use(c->ssl, &io);
    while (sent < room && at < n) {
        uint32_t max = room - sent < TLS_RECORD ? room - sent : TLS_RECORD;
        uint32_t len = gather(tls->scratch, max, s, n, &at, &off);
        size_t done = 0;
        if (len == 0)
            break;
        if (SSL_write_ex(c->ssl, tls->scratch, len, &done) != 1 || done != len) {
            ERR_clear_error();
            tls_conn_fail(tls, c, HG_C_tls_no_memory);
            return sent;
        }
        sent += len;
    }
    bio_use(c->ssl, NULL);
    if (at < n)
        tcp_want_writable(tls->tcp, c->tcp);
    return sent;
}

void tls_flush(struct tls *tls, tls_id id)
{
    struct tls_conn *c = tls_conn_of(tls, id);

    if (c)
        tcp_flush(tls->tcp, c->tcp);
}

void output_bye(struct tls *tls, struct tls_conn *c)
{
    struct output o = {tls, c};
    struct tls_io io = {.out = output_from_bio, .owner = &o};

    if (c->state != TLS_UP || (SSL_get_shutdown(c->ssl) & SSL_SENT_SHUTDOWN))
        return;
    bio_use(c->ssl, &io);
    (void)SSL_shutdown(c->ssl); /* says ours; theirs is not waited for */
    bio_use(c->ssl, NULL);
    ERR_clear_error();
}
