/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints figures, and the seed of the first world in which an invariant does not hold.
 *
 *     sim_pair [--faults N] [--seed S] [--profile default|fast|wan] [--lossy] [--hand] [--verbose]
 *         random worlds until N faults have happened; lossy: with a Redis that forgets what it acknowledged;
 *         hand: with somebody who writes over the entry
 *     sim_pair --month [--days N]
 *         a WAN (80 ms round trip, 1% loss) without faults: how many failovers it sees */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ha/rows.h"
#include "pair.h"
#include "pair_impl.h"

#define FAULTS_PER_WORLD 200

static int month(uint64_t days, uint64_t seed)
{
    struct pair_result r = {0};
    struct pair_options o = {.seed = seed,
                             .profile = PAIR_WAN,
                             .quiet_run = days * 86400 * SECONDS(1),
                             .delay = MS(40),
                             .loss_permil = 10};
    bool good = pair_run(&o, &r);

    printf("figure wan_false_failovers %llu failovers\n", (unsigned long long)r.failovers);
    printf("# %llu simulated days, %llu events\n", (unsigned long long)days, (unsigned long long)r.events);
    return good && r.failovers == 0 ? 0 : 1;
}

static void print_rows(const char *title, uint64_t rows)
{
    printf("%s", title);
    for (unsigned i = 1; i < SRM_ROWS; i++)
        if ((rows >> i & 1) != 0)
            printf(" %s", srm_row_id((enum srm_row)i));
    putchar('\n');
}

static int faults(uint64_t wanted, uint64_t seed, int profile, const struct pair_options *kind)
{
    struct pair_result r = {0};
    unsigned bad = 0;

    printf("# seed %llu\n", (unsigned long long)seed);
    for (; r.faults < wanted && bad < 3; seed++) {
        struct pair_options o = *kind;
        o.seed = seed;
        o.profile = profile >= 0 ? (enum pair_profile)profile : seed % PAIR_PROFILES;
        o.faults = FAULTS_PER_WORLD;
        bad += !pair_run(&o, &r);
    }
    printf("figure double_owner_events %llu events\nfigure lost_acknowledged %llu changes\n",
           (unsigned long long)r.double_owner, (unsigned long long)r.lost_acknowledged);
    printf("figure unowned_after_healing %llu nodes\n", (unsigned long long)r.unowned);
    printf("# %llu faults, %llu events, %llu acknowledged users, %.1f simulated hours\n",
           (unsigned long long)r.faults, (unsigned long long)r.events, (unsigned long long)r.acknowledged,
           (double)r.time / 3600e9);
    print_rows("# rows reached:", r.rows);
    print_rows("# rows not reached:", ~r.rows);
    return bad > 0;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"default", "fast", "wan"};
    uint64_t wanted = 20000, seed = (uint64_t)time(NULL) * 1000, days = 30;
    struct pair_options kind = {0};
    bool quiet = false;
    int profile = -1;

    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--verbose") == 0)
            kind.verbose = true;
        else if (strcmp(argv[i], "--lossy") == 0)
            kind.lossy = true;
        else if (strcmp(argv[i], "--hand") == 0)
            kind.hand = true;
        else if (strcmp(argv[i], "--month") == 0)
            quiet = true;
        else if (strcmp(argv[i], "--faults") == 0 && more)
            wanted = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && more)
            seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--days") == 0 && more)
            days = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--profile") == 0 && more) {
            i++;
            for (int k = 0; k < PAIR_PROFILES; k++)
                profile = strcmp(argv[i], names[k]) == 0 ? k : profile;
        } else
            return fprintf(stderr, "sim_pair: %s is not understood\n", argv[i]), 2;
    }
    return quiet ? month(days, seed) : faults(wanted, seed, profile, &kind);
}
