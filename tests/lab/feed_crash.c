/* SPDX-License-Identifier: BSD-2-Clause */
/* Dataplane and control plane as processes of their own, killed again and again: at any moment, and exactly
 * between reserve and commit or peek and release of a ring (the program is linked so that those pass through
 * here). After every kill only the killed one is started again; then every core must hold exactly what the
 * control plane wants. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "feed/feed_image.h"
#include "feed/feed_node.h"
#include "feed/feed.h"
#include "lib/log_out.h"

#define CORES       2u
#define USERS       3000u
#define CELLS       256u
#define ROUNDS      120u
#define PATIENCE_MS 60000u

enum where { ANYWHERE, AT_COMMIT, AT_RELEASE };

struct shared {
    _Atomic uint64_t version;  /* parent: of want */
    _Atomic uint64_t applied;  /* control plane: this version is in force on every core */
    _Atomic uint64_t verify;   /* parent: asks the dataplane to compare */
    _Atomic uint64_t verified; /* dataplane: has compared */
    _Atomic uint64_t wrong;    /* dataplane: users that differ */
    _Atomic uint64_t turns, polls, logs, bad;
    uint16_t want[USERS];
};

static struct shared *sh;
static char node[64];
static struct feed_image_file image;
static unsigned commits_left, releases_left; /* of this process, 0 = never */
static struct hg_hash_secret secret;
static bool attached;

void __real_hg_ring_commit(struct hg_ring *ring, uint32_t bytes);
void __real_hg_ring_release(struct hg_ring *ring, uint32_t cells);
void __wrap_hg_ring_commit(struct hg_ring *ring, uint32_t bytes);
void __wrap_hg_ring_release(struct hg_ring *ring, uint32_t cells);

void __wrap_hg_ring_commit(struct hg_ring *ring, uint32_t bytes)
{
    if (commits_left && --commits_left == 0)
        kill(getpid(), SIGKILL);
    __real_hg_ring_commit(ring, bytes);
}

void __wrap_hg_ring_release(struct hg_ring *ring, uint32_t cells)
{
    if (releases_left && --releases_left == 0)
        kill(getpid(), SIGKILL);
    __real_hg_ring_release(ring, cells);
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct hg_user_key key(const struct hg_hash_secret *s, uint32_t n)
{
    return (struct hg_user_key){{s->k[0] ^ n * 0x9e3779b97f4a7c15ull, s->k[1] + n}};
}

/* ---- the dataplane ---- */

static void compare(struct feed_node *dp)
{
    const struct hg_hash_secret *s = &feed_node_segment(dp)->header->secret;
    uint64_t wrong = 0;
    for (unsigned core = 0; core < CORES; core++) {
        uint64_t present = 0;
        for (uint32_t n = 0; n < USERS; n++) {
            struct hg_user_key k = key(s, n);
            wrong += feed_node_user(dp, core, &k) != sh->want[n];
            present += sh->want[n] != 0;
        }
        wrong += feed_node_users(dp, core) != present || !feed_node_ready(dp, core);
    }
    sh->wrong = wrong;
}

static void dataplane(void)
{
    char error[HG_SEGMENT_ERROR];
    struct feed_node *dp = feed_node_start(node, CORES, CELLS, USERS * 4, error);
    if (!dp) {
        fprintf(stderr, "dataplane: %s\n", error);
        _exit(2);
    }
    for (uint64_t n = 0;; n++) {
        unsigned did = feed_node_turn(dp);
        sh->turns++;
        if (n % 8 == 0) { /* something for the up ring, too */
            feed_node_ms(dp, 1000);
            log_number(feed_node_ctx(dp, (unsigned)(n / 8) % CORES), HG_LOGID_feed_bad_record, n);
        }
        if (sh->verify != sh->verified) {
            uint64_t which = sh->verify;
            compare(dp);
            sh->verified = which;
        }
        if (!did)
            sched_yield();
    }
}

/* ---- the control plane ---- */

static void on_attached(void *ctx, const struct hg_segment *segment)
{
    (void)ctx;
    secret = segment->header->secret;
    attached = true;
}

static void on_log(void *ctx, const struct feed_log *log)
{
    (void)ctx;
    if (log->id != HG_LOGID_feed_bad_record && log->id != HG_LOGID_feed_resync)
        sh->bad++;
    sh->logs++;
}

static bool set_all(struct feed *feed)
{
    bool ok = true;
    for (uint32_t n = 0; n < USERS; n++) {
        struct hg_user_key k = key(&secret, n);
        if (sh->want[n])
            ok &= feed_user_set(feed, &k, sh->want[n]);
        else
            feed_user_remove(feed, &k);
    }
    return ok;
}

static void control_plane(void)
{
    const struct feed_handlers handlers = {.on_attached = on_attached, .on_log = on_log};
    struct feed *feed = feed_create(node, &handlers, NULL);
    struct feed_token token;
    struct feed_core_status status;
    uint64_t told = 0;
    if (!feed || !feed_image_set(feed, image.generation, image.size, image.name))
        _exit(2);
    for (;;) {
        bool more = feed_poll(feed, now_ms());
        sh->polls++;
        bool fresh = attached;
        if (attached && set_all(feed))
            feed_users_loaded(feed);
        attached = false;
        uint64_t version = sh->version;
        if (feed_segment(feed) && (fresh || version != told)) {
            set_all(feed);
            told = version;
            feed_mark(feed, &token);
        }
        enum feed_progress p = told ? feed_applied(feed, &token, NULL) : FEED_PENDING;
        if (p == FEED_LOST)
            told = 0;
        else if (p == FEED_APPLIED && sh->applied < told)
            sh->applied = told;
        for (unsigned i = 0; i < CORES; i++)
            if (feed_core_status(feed, i, &status) && status.bad_records)
                sh->bad++;
        if (!more)
            sched_yield();
    }
}

/* ---- the one who kills ---- */

static pid_t start(void (*role)(void), enum where where)
{
    unsigned seed = (unsigned)rand();
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    srand(seed);
    if (where == AT_COMMIT)
        commits_left = 1 + (unsigned)rand() % 200;
    if (where == AT_RELEASE)
        releases_left = 1 + (unsigned)rand() % 200;
    role();
    _exit(0);
}

static void change(void)
{
    for (unsigned i = (unsigned)rand() % 600; i-- > 0;) {
        uint32_t n = (uint32_t)rand() % USERS;
        sh->want[n] = rand() % 4 ? 1 + (uint16_t)(rand() % 60) : 0;
    }
    sh->version++;
}

static bool wait_for(_Atomic uint64_t *what, uint64_t value)
{
    for (uint64_t end = now_ms() + PATIENCE_MS; *what != value;) {
        if (now_ms() > end)
            return false;
        usleep(200);
    }
    return true;
}

static bool moves(_Atomic uint64_t *what)
{
    uint64_t before = *what;
    for (uint64_t end = now_ms() + PATIENCE_MS; *what < before + 3; usleep(200))
        if (now_ms() > end)
            return false;
    return true;
}

/* Waits for a child that is to kill itself, and kills it when it has had its chance. */
static void reap(pid_t pid, unsigned ms)
{
    for (uint64_t end = now_ms() + ms; now_ms() < end; usleep(200))
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int fail(const char *what, unsigned round)
{
    fprintf(stderr, "feed_crash: round %u: %s (version %lu, applied %lu, wrong %lu, turns %lu, polls %lu)\n",
            round, what, (unsigned long)sh->version, (unsigned long)sh->applied, (unsigned long)sh->wrong,
            (unsigned long)sh->turns, (unsigned long)sh->polls);
    return 1;
}

static int rounds(pid_t *dp, pid_t *cp)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        enum where where = (enum where)(round % 3);
        pid_t *victim = round / 3 % 2 ? dp : cp;
        /* first let it die: restarted with its fuse while the other works on */
        kill(*victim, SIGKILL);
        waitpid(*victim, NULL, 0);
        change();
        *victim = start(victim == dp ? dataplane : control_plane, where);
        if (where == ANYWHERE)
            usleep((unsigned)rand() % 20000);
        reap(*victim, where == ANYWHERE ? 0 : 100);
        change();
        if (!moves(victim == cp ? &sh->turns : &sh->polls))
            return fail("the survivor stands still", round);
        *victim = start(victim == dp ? dataplane : control_plane, ANYWHERE);
        if (!wait_for(&sh->applied, sh->version))
            return fail("not applied in time", round);
        sh->verify++;
        if (!wait_for(&sh->verified, sh->verify))
            return fail("the dataplane does not answer", round);
        if (sh->wrong)
            return fail("the cores hold something else than the control plane wants", round);
        if (sh->bad)
            return fail("records that nobody wrote", round);
    }
    return 0;
}

int main(void)
{
    srand(20261121);
    snprintf(node, sizeof(node), "crash-%d", (int)getpid());
    sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sh == MAP_FAILED || !feed_image_make(node, 1000, &image))
        return 1;
    for (unsigned i = 0; i < USERS; i++)
        sh->want[i] = 1 + (uint16_t)(i % 60);
    sh->version = 1;
    pid_t dp = start(dataplane, ANYWHERE), cp = start(control_plane, ANYWHERE);
    int result = wait_for(&sh->applied, 1) ? rounds(&dp, &cp) : fail("no start", 0);
    kill(dp, SIGKILL);
    kill(cp, SIGKILL);
    waitpid(dp, NULL, 0);
    waitpid(cp, NULL, 0);
    char path[160];
    snprintf(path, sizeof(path), "/dev/shm/hg-%s", node);
    unlink(path);
    strcat(path, "~cp");
    unlink(path);
    feed_image_remove(&image);
    if (result == 0)
        printf("feed_crash: %u kills, %lu logs came up, tables right after each\n", 2 * ROUNDS,
               (unsigned long)sh->logs);
    return result;
}
