/* SPDX-License-Identifier: BSD-2-Clause */
/* Records in: opened into the plain text of the turn, where it is read; what nobody reads within the turn is
 * kept in a slab. Whoever reads nothing is given nothing more, and the window of tcp/ closes. */
#include <openssl/err.h>

#include "tls/state.h"

#define SLICES     32
#define PULL_LEAST 512 /* room for less than that is none */

struct pull {
    struct tls *tls;
    struct tls_conn *c;
};

static bool answer(struct tls_io *io, const char *p, uint32_t len)
{
    struct pull *pull = io->owner;
    return output_put(pull->tls, pull->c, p, len);
}

/* How many bytes of plain text this connection may get now. */
static uint32_t room_for(const struct tls *tls, const struct tls_conn *c)
{
    uint32_t unread = input_unread(c), most = tls->setup.kept_max;
    uint32_t room = TLS_PLAIN - tls->plain_used;

    if (c->fresh_len > 0 && c->fresh + c->fresh_len != tls->plain + tls->plain_used)
        return 0; /* another one's text follows: in the next turn */
    if (unread >= most || c->over)
        return 0;
    room = room < most - unread ? room : most - unread;
    return room < TLS_PULL ? room : TLS_PULL;
}

/* SSL_get_error() of the read that gave nothing. */
static int read_all(struct tls *tls, struct tls_conn *c, uint32_t room)
{
    while (room > 0) {
        size_t got = 0;
        char *to = tls->plain + tls->plain_used;
        int ok = SSL_read_ex(c->ssl, to, room, &got);
        if (ok != 1)
            return SSL_get_error(c->ssl, ok);
        if (c->fresh_len == 0) {
            c->fresh = to;
            c->fresh_at = 0;
        }
        c->fresh_len += (uint32_t)got;
        tls->plain_used += (uint32_t)got;
        room -= (uint32_t)got;
    }
    return SSL_ERROR_NONE;
}

static int pull_once(struct tls *tls, struct tls_conn *c, uint32_t *used)
{
    struct slice in[SLICES];
    struct pull pull = {tls, c};
    struct tls_io io = {.in = in, .out = answer, .owner = &pull};

    io.nin = tcp_peek(tls->tcp, c->tcp, in, SLICES);
    bio_use(c->ssl, &io);
    int error = read_all(tls, c, room_for(tls, c));
    bio_use(c->ssl, NULL);
    tcp_consume(tls->tcp, c->tcp, io.used);
    *used = io.used;
    return error;
}

static void peer_ends(struct tls *tls, struct tls_conn *c, bool truncated)
{
    if (truncated)
        ctx_count(tls->ctx, HG_C_tls_truncated);
    tls_conn_tell(tls, c, TLS_PEER_CLOSED);
}

void input_pull(struct tls *tls, struct tls_conn *c)
{
    uint32_t before = input_unread(c), used;
    int error = SSL_ERROR_NONE;

    if (SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN) { /* what comes after its end is nobody's */
        tcp_consume(tls->tcp, c->tcp, tcp_readable(tls->tcp, c->tcp));
        return;
    }
    do {
        if (room_for(tls, c) < PULL_LEAST) {
            error = SSL_ERROR_NONE;
            break;
        }
        error = pull_once(tls, c, &used);
    } while (error == SSL_ERROR_WANT_READ && used > 0 && tcp_readable(tls->tcp, c->tcp) > 0);
    if (input_unread(c) > before)
        tls_conn_tell(tls, c, TLS_READABLE);
    if (error == SSL_ERROR_NONE)
        list_add(tls, &tls->more, c);
    else if (error == SSL_ERROR_ZERO_RETURN)
        peer_ends(tls, c, false);
    else if (error != SSL_ERROR_WANT_READ)
        tls_conn_fail(tls, c, why_failed());
    else if (c->peer_closed && tcp_readable(tls->tcp, c->tcp) == 0)
        peer_ends(tls, c, true);
}

unsigned tls_peek(struct tls *tls, tls_id id, struct slice *out, unsigned max)
{
    const struct tls_conn *c = tls_conn_of(tls, id);
    unsigned n = 0;

    if (!c)
        return 0;
    if (n < max && c->kept_at < c->kept_len)
        out[n++] = slice_of(c->kept + c->kept_at, c->kept_len - c->kept_at);
    if (n < max && c->fresh_at < c->fresh_len)
        out[n++] = slice_of(c->fresh + c->fresh_at, c->fresh_len - c->fresh_at);
    return n;
}

uint32_t tls_readable(const struct tls *tls, tls_id id)
{
    const struct tls_conn *c = tls_conn_of(tls, id);
    return c ? input_unread(c) : 0;
}

static void kept_free(struct tls *tls, struct tls_conn *c)
{
    tls->kept_bytes -= c->kept ? c->kept_len : 0;
    sized_put(&tls->kept, c->kept);
    c->kept = NULL;
    c->kept_len = c->kept_at = 0;
}

void tls_consume(struct tls *tls, tls_id id, uint32_t bytes)
{
    struct tls_conn *c = tls_conn_of(tls, id);

    if (!c)
        return;
    uint32_t kept = c->kept_len - c->kept_at, part = bytes < kept ? bytes : kept;
    c->kept_at += part;
    if (c->kept && c->kept_at == c->kept_len)
        kept_free(tls, c);
    bytes -= part;
    uint32_t fresh = c->fresh_len - c->fresh_at;
    c->fresh_at += bytes < fresh ? bytes : fresh;
}

/* What is unread moves out of the turn's memory. */
void input_keep(struct tls *tls, struct tls_conn *c)
{
    uint32_t fresh = c->fresh_len - c->fresh_at, kept = c->kept_len - c->kept_at, all = fresh + kept;

    if (fresh > 0) {
        char *to = tls->kept_bytes + all <= tls->setup.kept_total ? sized_get(&tls->kept, all) : NULL;
        if (!to) {
            tls_conn_fail(tls, c, HG_C_tls_no_memory);
            return;
        }
        if (kept > 0)
            memcpy(to, c->kept + c->kept_at, kept);
        memcpy(to + kept, c->fresh + c->fresh_at, fresh);
        kept_free(tls, c);
        c->kept = to;
        c->kept_len = all;
        tls->kept_bytes += all;
    }
    c->fresh = NULL;
    c->fresh_len = c->fresh_at = 0;
}
