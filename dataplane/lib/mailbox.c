/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/mailbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_mbuf.h>
#include <rte_ring_elem.h>

#include "lib/ctx.h"

#define BOARD_SIZE RTE_ALIGN_CEIL(sizeof(struct mail_board) * HG_CORES_MAX, 4096)

static struct rte_ring *ring_at(const struct mail_office *o, unsigned from, unsigned to)
{
    return (struct rte_ring *)((char *)o->memory + BOARD_SIZE + o->ring_size * (from * o->cores + to));
}

bool mail_office_open(struct mail_office *o, unsigned cores, unsigned depth)
{
    unsigned count = rte_align32pow2(depth + 1);
    ssize_t bytes = rte_ring_get_memsize_elem(sizeof(struct mail), count);

    if (bytes < 0 || cores == 0 || cores > HG_CORES_MAX)
        return false;
    o->cores = (uint16_t)cores;
    o->depth = count - 1;
    o->ring_size = RTE_ALIGN_CEIL((uint64_t)bytes, 4096);
    o->size = BOARD_SIZE + o->ring_size * cores * cores;
    o->memory = mmap(NULL, o->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (o->memory == MAP_FAILED)
        return false;
    o->board = o->memory;
    for (unsigned from = 0; from < cores; from++)
        for (unsigned to = 0; to < cores; to++)
            if (rte_ring_init(ring_at(o, from, to), "mail", count, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
                munmap(o->memory, o->size);
                return false;
            }
    return true;
}

void mail_office_close(struct mail_office *o)
{
    struct mail mail;

    if (o->memory == NULL)
        return;
    for (unsigned i = 0; i < (unsigned)o->cores * o->cores; i++) {
        struct rte_ring *r = ring_at(o, i / o->cores, i % o->cores);
        while (rte_ring_sc_dequeue_elem(r, &mail, sizeof(mail)) == 0)
            rte_pktmbuf_free(mail.m);
    }
    munmap(o->memory, o->size);
    o->memory = NULL;
}

void mail_office_bind(const struct mail_office *o, unsigned core, struct mail_out *out, struct mail_in *in)
{
    out->self = (uint16_t)core;
    out->cores = in->cores = o->cores;
    out->board = o->board;
    in->first = 0;
    for (unsigned i = 0; i < o->cores; i++) {
        out->to[i] = ring_at(o, core, i);
        in->from[i] = ring_at(o, i, core);
    }
}

bool mail_send(struct ctx *c, unsigned to_core, struct mail mail)
{
    struct mail_out *out = c->mail;

    if (unlikely(to_core >= out->cores))
        return false;
    mail.from = (uint8_t)out->self;
    if (rte_ring_sp_enqueue_elem(out->to[to_core], &mail, sizeof(mail)) != 0)
        return false;
    ctx_count(c, HG_C_mail_sent);
    return true;
}

unsigned mail_send_burst(struct ctx *c, unsigned to_core, struct mail *mail, unsigned n)
{
    struct mail_out *out = c->mail;

    if (unlikely(to_core >= out->cores))
        return 0;
    for (unsigned i = 0; i < n; i++)
        mail[i].from = (uint8_t)out->self;
    n = rte_ring_sp_enqueue_burst_elem(out->to[to_core], mail, sizeof(*mail), n, NULL);
    hg_count(c->counters, HG_C_mail_sent, n);
    return n;
}

unsigned mail_take(struct mail_in *in, struct mail *out, unsigned max)
{
    unsigned n = 0, box = in->first;

    for (unsigned i = 0; i < in->cores && n < max; i++) {
        /* a full share for each sender that is still to be asked, so that one flood does not silence the
         * others */
        unsigned share = RTE_MAX((max - n) / (in->cores - i), 1u);
        n += rte_ring_sc_dequeue_burst_elem(in->from[box], out + n, sizeof(*out), share, NULL);
        if (++box == in->cores)
            box = 0;
    }
    if (++in->first == in->cores)
        in->first = 0;
    return n;
}

unsigned mail_depth(const struct mail_in *in)
{
    unsigned n = 0;

    for (unsigned i = 0; i < in->cores; i++)
        n += rte_ring_count(in->from[i]);
    return n;
}
