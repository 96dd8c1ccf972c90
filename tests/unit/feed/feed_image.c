/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hg/config.h"
#include "routes/routes.h"

bool feed_image_make(const char *node, uint64_t generation, struct feed_image_file *out)
{
    char why[256] = "";
    struct hg_config *config = hg_config_defaults();
    struct routes *routes = routes_create(node, 1024, generation);
    struct routes_input input = {.config = config};
    const struct routes_result *result = routes_compile(routes, &input);
    bool ok = result && routes_publish(routes, out->name, why, sizeof(why));
    if (ok) {
        out->generation = result->generation;
        out->size = result->size;
    } else {
        fprintf(stderr, "no image: %s\n", why);
    }
    routes_destroy(routes);
    hg_config_free(config);
    return ok;
}

bool feed_image_damage(const struct feed_image_file *image)
{
    int fd = shm_open(image->name, O_RDWR, 0);
    char zero[32] = {0};
    bool ok = fd >= 0 && pwrite(fd, zero, sizeof(zero), 0) == sizeof(zero);
    if (fd >= 0)
        close(fd);
    return ok;
}

void feed_image_remove(const struct feed_image_file *image)
{
    shm_unlink(image->name);
}
