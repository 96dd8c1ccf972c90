/* SPDX-License-Identifier: BSD-2-Clause */
/* Route images for tests of the feed, from the real compiler. */
#ifndef TESTS_FEED_IMAGE_H
#define TESTS_FEED_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

struct feed_image_file {
    uint64_t generation, size;
    char name[64];
};

/* An image without routes, published under a name of its own; the generation given becomes its own. */
bool feed_image_make(const char *node, uint64_t generation, struct feed_image_file *out);
/* Its bytes are damaged where the check sees it. */
bool feed_image_damage(const struct feed_image_file *image);
void feed_image_remove(const struct feed_image_file *image);

#endif
