/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS for connections to Redis and the Sentinels: bytes in, bytes out, no socket. */
#ifndef CONTROLPLANE_STORE_REDIS_TLS_H
#define CONTROLPLANE_STORE_REDIS_TLS_H

#include <stdbool.h>
#include <stddef.h>

#define REDIS_TLS_WHY 256

struct redis_tls;         /* certificates; shared by connections, and used until the last of them is freed */
struct redis_tls_session; /* of one connection */

struct redis_tls_options {
    const char *ca;          /* file of the authorities that count; "": those of the system */
    const char *cert, *key;  /* files, shown to the server; "": none */
    const char *server_name; /* what every server's certificate must name; "": the address connected to */
};

/* NULL: why says which file and what is wrong with it. */
struct redis_tls *redis_tls_create(const struct redis_tls_options *options, char why[REDIS_TLS_WHY]);
struct redis_tls *redis_tls_ref(struct redis_tls *tls);
void redis_tls_unref(struct redis_tls *tls);

struct redis_tls_session *redis_tls_open(struct redis_tls *tls, const char *host);
void redis_tls_close(struct redis_tls_session *session);

enum redis_tls_result { REDIS_TLS_DONE, REDIS_TLS_MORE, REDIS_TLS_BAD };

/* What came from the server; false: out of memory. */
bool redis_tls_feed(struct redis_tls_session *session, const char *bytes, size_t len);
/* Goes on with the handshake: done, needs more from the server, or bad (redis_tls_why). */
enum redis_tls_result redis_tls_shake(struct redis_tls_session *session);
/* The next bytes that the server said: *len > 0 with DONE. */
enum redis_tls_result redis_tls_read(struct redis_tls_session *session, char *to, size_t room, size_t *len);
/* To be said to the server, once the handshake is done. */
bool redis_tls_write(struct redis_tls_session *session, const char *bytes, size_t len);
/* What is to be sent now, free()d by the caller; NULL: nothing. */
char *redis_tls_output(struct redis_tls_session *session, size_t *len);
const char *redis_tls_why(const struct redis_tls_session *session);

#endif
