/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of the record: who is master, which record is this, load it, follow it; all again when in doubt. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/record_impl.h"

#define RETRY_MS        5000 /* after something that cannot be read */
#define WAIT_MS         200  /* while another node writes the record back */
#define CHECK_MS        1000
#define RECORD_TERM_FIT (1ull << 53) /* the scripts count in doubles */

void record_phase_set(struct record *rec, enum record_phase phase)
{
    enum record_state before = record_state(rec);

    rec->phase = phase;
    if (rec->ev.state && record_state(rec) != before)
        rec->ev.state(rec->ev.arg, record_state(rec));
}

void record_fail(struct record *rec, const char *what, const char *why)
{
    if (!rec->up)
        return;
    /* what is in memory stays; the next load that ends well clears it */
    alarm_raise(rec->alarms, ALARM_record_bad, "%s: %s", what, why);
    record_phase_set(rec, PHASE_HELLO);
    rec->hello_at = rec->io.ops->now_ms(rec->io.ctx) + RETRY_MS;
}

static void on_welcome(void *arg, const struct record_welcome *w, const char *error)
{
    struct record *rec = arg;

    rec->hello_pending = false;
    if (rec->phase != PHASE_HELLO)
        return;
    if (error) {
        record_fail(rec, "the record cannot be read", error);
        return;
    }
    rec->term = w->term;
    snprintf(rec->run, sizeof(rec->run), "%s", w->run);
    snprintf(rec->new_id, sizeof(rec->new_id), "%s", w->id);
    uint64_t fenced_ago = rec->io.ops->take_fence(rec->io.ctx);
    rec->fenced_ago = w->role == RECORD_ROLE_CONTINUE ? fenced_ago : 0;
    if (w->role == RECORD_ROLE_CONTINUE) {
        record_continue(rec);
        return;
    }
    rec->whole = false;
    rec->position = (struct record_version){w->term, w->seq};
    if (w->role == RECORD_ROLE_WAIT) {
        record_phase_set(rec, PHASE_WAIT);
        rec->hello_at = rec->io.ops->now_ms(rec->io.ctx) + WAIT_MS;
    } else if (w->role == RECORD_ROLE_RESTORE) {
        alarm_on(rec->alarms, ALARM_redis_record_lost);
        record_restore(rec);
    } else {
        record_load(rec);
    }
}

static void hex(char out[RECORD_ID_LEN + 1], struct record *rec)
{
    snprintf(out, RECORD_ID_LEN + 1, "%016" PRIx64 "%016" PRIx64, rec->io.ops->random(rec->io.ctx),
             rec->io.ops->random(rec->io.ctx));
}

static void say_hello(struct record *rec)
{
    struct record_hello hello = {.known_term = rec->term > rec->known_term ? rec->term : rec->known_term};

    if (rec->hello_pending)
        return;
    rec->hello_at = 0;
    record_phase_set(rec, PHASE_HELLO);
    hex(hello.new_id, rec);
    snprintf(hello.known_id, sizeof(hello.known_id), "%s", rec->id);
    snprintf(hello.me, sizeof(hello.me), "%s", rec->me);
    if (rec->whole && rec->seen.count == 0)
        snprintf(hello.known_run, sizeof(hello.known_run), "%s", rec->run);
    hello.known_seq = rec->position.seq;
    rec->hello_pending = rec->io.ops->hello(rec->io.ctx, &hello, on_welcome, rec);
    if (!rec->hello_pending)
        record_fail(rec, "the record cannot be read", "the queue to Redis is full");
}

void record_begin(struct record *rec)
{
    if (!rec->up)
        return;
    record_phase_set(rec, PHASE_HELLO);
    rec->hello_at = rec->io.ops->now_ms(rec->io.ctx);
}

void record_io_up(struct record *rec)
{
    rec->up = true;
    alarm_clear(rec->alarms, ALARM_redis_away);
    log_printf(rec->log, HG_LOG_INFO, "redis_up", "%s", rec->io.ops->state(rec->io.ctx));
    say_hello(rec);
}

void record_io_down(struct record *rec, const char *why)
{
    rec->up = false;
    record_phase_set(rec, PHASE_AWAY);
    record_changes_lost(rec);
    if (!rec->closing)
        alarm_raise(rec->alarms, ALARM_redis_away,
                    "Redis is away (%s): changes of the record are refused, counters are not exported", why);
}

void record_io_health(struct record *rec, unsigned replicas, int eviction, int durable)
{
    if (eviction == 1)
        alarm_on(rec->alarms, ALARM_redis_eviction);
    else if (eviction < 0)
        alarm_raise(rec->alarms, ALARM_redis_eviction,
                    "Redis does not tell its maxmemory-policy; make sure that it is noeviction");
    else
        alarm_clear(rec->alarms, ALARM_redis_eviction);
    if (replicas == 0 && durable == 0)
        alarm_on(rec->alarms, ALARM_redis_not_durable);
    else if (replicas == 0 && durable < 0)
        alarm_raise(rec->alarms, ALARM_redis_not_durable,
                    "Redis has no replica and does not tell its appendfsync; it must be always");
    else
        alarm_clear(rec->alarms, ALARM_redis_not_durable);
}

/* A record that was emptied, or a server that was started anew behind a proxy, does not end the connection.
 */
static void on_check(void *arg, uint64_t term, uint64_t seq, const char *id, const char *error)
{
    struct record *rec = arg;

    rec->check_pending = false;
    if (error || rec->phase != PHASE_FOLLOW)
        return;
    if (term != rec->term || seq < rec->check_floor || strcmp(id, rec->id) != 0) {
        record_begin(rec);
        return;
    }
    rec->checked = rec->checks;
    rec->checked_seq = seq;
    if (rec->check_whole)
        record_seen_until(&rec->seen, (struct record_version){term, seq}, rec->position);
}

static void check(struct record *rec, uint64_t now)
{
    if (rec->phase != PHASE_FOLLOW || rec->check_pending || now < rec->check_at)
        return;
    rec->check_at = now + CHECK_MS;
    rec->check_floor = rec->position.seq; /* the log may overtake the answer */
    rec->check_whole = true;
    rec->checks++;
    rec->check_pending = rec->io.ops->check(rec->io.ctx, on_check, rec);
}

void record_io_tick(struct record *rec)
{
    uint64_t now = rec->io.ops->now_ms(rec->io.ctx);

    if (rec->up && rec->hello_at && now >= rec->hello_at && !rec->scan_pending && !rec->back_pending)
        say_hello(rec);
    record_follow_on(rec);
    check(rec, now);
    record_changes_tick(rec);
}

struct record *record_create_over(const struct record_io *io, const struct record_events *events,
                                  struct log *log, struct alarms *alarms)
{
    struct record *rec = calloc(1, sizeof(*rec));

    if (!rec)
        return NULL;
    rec->io = *io;
    rec->ev = *events;
    rec->log = log;
    rec->alarms = alarms;
    hex(rec->me, rec);
    rec->seen.secret.k[0] = io->ops->random(io->ctx);
    rec->seen.secret.k[1] = io->ops->random(io->ctx);
    return rec;
}

void record_close(struct record *rec)
{
    if (!rec || rec->closing)
        return;
    rec->closing = true;
    rec->up = false;
    record_phase_set(rec, PHASE_AWAY);
    rec->io.ops->close(rec->io.ctx);
    record_changes_close(rec);
}

void record_free(struct record *rec)
{
    record_changes_free(rec);
    record_seen_clear(&rec->seen);
    record_cache_clear(&rec->cache);
    record_cache_clear(&rec->before);
    record_cache_clear(&rec->lowered);
    record_restore_free(rec);
    free(rec);
}

const struct record_io *record_io_of(const struct record *rec)
{
    return &rec->io;
}

enum record_state record_state(const struct record *rec)
{
    return rec->phase == PHASE_FOLLOW ? RECORD_FOLLOWING : rec->up ? RECORD_LOADING : RECORD_AWAY;
}

/* Whole only once the log has brought what tables that were read earlier than others lack. */
bool record_loaded(const struct record *rec)
{
    return rec->phase == PHASE_FOLLOW && rec->seen.count == 0;
}

bool record_has(const struct record *rec, struct record_version version)
{
    return rec->phase == PHASE_FOLLOW && record_version_cmp(version, rec->position) <= 0;
}

uint64_t record_term(const struct record *rec)
{
    return rec ? rec->term : 0;
}

void record_knows_term(struct record *rec, uint64_t term)
{
    if (term <= rec->term || term <= rec->known_term || term >= RECORD_TERM_FIT)
        return;
    rec->known_term = term;
    log_printf(rec->log, HG_LOG_WARNING, "record_term",
               "the record is at term %" PRIu64 ", and term %" PRIu64 " is known: Redis went back", rec->term,
               term);
    record_begin(rec);
}

uint64_t record_fenced_ago(const struct record *rec)
{
    return rec ? rec->fenced_ago : 0;
}

struct record_version record_position(const struct record *rec)
{
    return rec->position;
}

uint64_t record_mark(const struct record *rec)
{
    return rec->checks;
}

bool record_passed(const struct record *rec, uint64_t mark)
{
    /* by the number: the log may go on under another term without an entry of it yet */
    return rec->phase == PHASE_FOLLOW && rec->checked > mark && rec->position.seq >= rec->checked_seq;
}

bool record_was_loaded(const struct record *rec)
{
    return rec->ever;
}
