/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiled route images between the main thread, which maps and checks them, and the cores, which swap them
 * in between two bursts. An image is unmapped when no core uses it or was promised it. */
#ifndef DATAPLANE_FEED_IMAGES_H
#define DATAPLANE_FEED_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/records.h"

struct images;

/* cores: how many will ask. 0: no memory. */
struct images *images_create(unsigned cores);
void images_destroy(struct images *images);

/* Main thread, every few milliseconds: serves the requests, frees what nobody uses. Returns how many it
 * served. */
unsigned images_serve(struct images *images);
/* How many are mapped now. */
unsigned images_mapped(const struct images *images);

/* ---- a core ---- */
/* Asks for an image; one request at a time. */
void images_ask(struct images *images, unsigned core, const struct hg_down_image *wanted);
enum images_answer { IMAGES_WAIT, IMAGES_READY, IMAGES_REFUSED };
/* READY: *base .. *size is the image; the core puts it in force and then calls images_in_force. REFUSED: why.
 */
enum images_answer images_poll(struct images *images, unsigned core, const void **base, uint64_t *size,
                               const char **why);
/* The core uses the image that it was given last, and no older one any more. */
void images_in_force(struct images *images, unsigned core);

#endif
