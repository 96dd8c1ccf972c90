/* SPDX-License-Identifier: BSD-2-Clause */
/* The main thread's part of TLS: reads certificates, keys and trust, looks whether their files change, keeps
 * the keys of tickets, and has the threads that do handshakes. */
#ifndef DATAPLANE_NODE_CERTIFICATES_H
#define DATAPLANE_NODE_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "hg/config.h"
#include "tls/store.h"

struct hg_segment_tls;
struct workers;

#define CERTIFICATE_FILES (2 * HG_CERTIFICATES_MAX + 1)

struct file_stamp { /* whatever of it changes, the file is another one */
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};

struct certificates {
    const struct hg_config *config;
    struct tls_shelf *shelf;
    struct workers *workers;     /* NULL: the cores do handshakes themselves */
    struct hg_segment_tls *tell; /* what the control plane shows */
    struct file_stamp loaded[CERTIFICATE_FILES], seen[CERTIFICATE_FILES];
    uint32_t asked;
    unsigned nkeys;
    uint64_t keys_s; /* when the keys of tickets changed last, monotonic */
    struct tls_ticket_key key[3];
};

/* false: said on stderr, with the file. */
bool certificates_open(struct certificates *c, const struct hg_config *config, unsigned cores,
                       struct hg_segment_tls *tell);
/* About once a second: files that changed and are not being written any more are read; when they are no good,
 * what was there stays. */
void certificates_look(struct certificates *c);
/* Threads first, cores next, then this. */
void certificates_stop(struct certificates *c);
void certificates_close(struct certificates *c);

/* For --check: whether the files are good; said on stderr. */
bool certificates_check(const struct hg_config *config);

#endif
