/* SPDX-License-Identifier: BSD-2-Clause */
/* Feeds every file of a corpus folder to a fuzz target once: what was found stays found. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "replay: cannot open %s\n", path);
        return -1;
    }
    uint8_t *buf = NULL;
    size_t size = 0;
    for (;;) {
        uint8_t chunk[65536];
        size_t got = fread(chunk, 1, sizeof(chunk), f);
        if (got == 0)
            break;
        buf = realloc(buf, size + got);
        if (!buf)
            abort();
        memcpy(buf + size, chunk, got);
        size += got;
    }
    fclose(f);
    /* An exact allocation: one byte past the end is an error that the sanitizer sees. */
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    memcpy(exact, buf ? buf : (const uint8_t *)"", size);
    free(buf);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) {
            fprintf(stderr, "replay: no corpus folder %s\n", argv[i]);
            return 1;
        }
        for (struct dirent *e; (e = readdir(dir));) {
            if (e->d_name[0] == '.')
                continue;
            char path[4096];
            snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
            if (replay_file(path) < 0)
                return 1;
            files++;
        }
        closedir(dir);
    }
    printf("replayed %u inputs\n", files);
    return files ? 0 : 1;
}
