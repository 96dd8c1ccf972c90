/* SPDX-License-Identifier: BSD-2-Clause */
/* The BIO between OpenSSL and our buffers. Memory BIOs would keep grown ones for every idle connection. */
#include <openssl/bio.h>

#include "tls/context.h"
#include "tls/state.h"

static int io_read(BIO *bio, char *to, size_t len, size_t *got)
{
    struct tls_io *io = BIO_get_data(bio);

    *got = 0;
    BIO_clear_retry_flags(bio);
    while (io && *got < len && io->at < io->nin) {
        const struct slice *s = &io->in[io->at];
        size_t n = s->len - io->off < len - *got ? s->len - io->off : len - *got;
        memcpy(to + *got, s->p + io->off, n);
        *got += n;
        io->off += (uint32_t)n;
        io->used += (uint32_t)n;
        if (io->off == s->len) {
            io->at++;
            io->off = 0;
        }
    }
    if (*got > 0)
        return 1;
    BIO_set_retry_read(bio);
    return 0;
}

static int io_write(BIO *bio, const char *p, size_t len, size_t *done)
{
    struct tls_io *io = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    *done = 0;
    if (!io || !io->out(io, p, (uint32_t)len))
        return 0;
    *done = len;
    return 1;
}

static long io_ctrl(BIO *bio, int command, long n, void *p)
{
    (void)bio;
    (void)n;
    (void)p;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH || command == BIO_CTRL_POP;
}

static int io_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "heliograph");

    if (method && BIO_meth_set_read_ex(method, io_read) && BIO_meth_set_write_ex(method, io_write) &&
        BIO_meth_set_ctrl(method, io_ctrl) && BIO_meth_set_create(method, io_create))
        return method;
    BIO_meth_free(method);
    return NULL;
}

bool bio_attach(SSL *ssl, const BIO_METHOD *method)
{
    BIO *bio = BIO_new(method);

    if (!bio)
        return false;
    SSL_set_bio(ssl, bio, bio);
    return true;
}

void bio_use(SSL *ssl, struct tls_io *io)
{
    BIO_set_data(SSL_get_rbio(ssl), io);
}
