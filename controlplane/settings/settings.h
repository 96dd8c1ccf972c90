/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster{} items of the record (DESIGN 6), path -> text. The publisher writes what its file says at
 * start and reload, where the file changed since it was published last: what hgctl set changed meanwhile
 * stays. Every node has the record's values in force, and an alarm when its own file says something else.
 * What only a restart applies, and secrets, are never in the record. */
#ifndef CONTROLPLANE_SETTINGS_SETTINGS_H
#define CONTROLPLANE_SETTINGS_SETTINGS_H

#include <stdbool.h>

#include "hg/config.h"
#include "hg/slice.h"
#include "store/version.h"

#define SETTINGS_PUBLISHED "published." /* before a path: what the publisher's file said last */

struct controlplane;

/* The configuration in force was read from the file just now. */
bool settings_create(struct controlplane *cp);
void settings_free(struct controlplane *cp);

/* ---- from the record ---- */
void settings_load_begin(struct controlplane *cp);
/* false: it has a value that cannot be used. */
bool settings_one(struct controlplane *cp, struct slice path, struct slice value,
                  struct record_version version);
void settings_gone(struct controlplane *cp, struct slice path);
void settings_load_end(struct controlplane *cp);

/* A file was read again: what it says with the record's values over it. NULL: no memory. */
struct hg_config *settings_reloaded(struct controlplane *cp, struct hg_config *file);
/* On a turn of the loop: what came from the record comes into force. */
void settings_turn(struct controlplane *cp);
/* The record has some that are not in force yet: the routes are being compiled with those of before. */
bool settings_pending(const struct controlplane *cp);
/* Once a second: publishes what this node's file says, if it is the publisher's; alarm when it differs. */
void settings_second(struct controlplane *cp);

/* What is in force of an item, or of an element of a list, came from the record and not from this node's
 * file. */
bool settings_of_record(struct controlplane *cp, const char *path);
/* NULL: the record may have this value. Else what the item takes. */
const char *settings_check(const char *path, const char *value);
/* Whether it would break a rule between values (t1 above t2) that is kept now: what it says of that, for
 * free(). */
char *settings_conflict(const struct hg_config *config, const char *path, const char *value);
/* Text of an item or list as it stands in the record; for free(). */
char *settings_text(const struct hg_config *config, const char *path);

#endif
