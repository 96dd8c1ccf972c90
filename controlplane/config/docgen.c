/* SPDX-License-Identifier: BSD-2-Clause */
/* hg-docgen DOCUMENT: prints one of the generated documents. tests/lint/docs.sh compares them with the
 * committed ones. */
#include <stdlib.h>
#include <string.h>

#include "config/docgen.h"

static const struct {
    const char *name;
    void (*print)(FILE *out);
} documents[] = {
    {"sample", docgen_sample},           /* deploy/heliograph.cfg */
    {"config.md", docgen_config_md},     /* docs/config.md */
    {"config.5", docgen_config_man},     /* docs/man/heliograph.cfg.5 */
    {"counters.md", docgen_counters_md}, /* docs/counters.md */
    {"ha.md", docgen_ha_md},             /* docs/ha.md */
    {"hgctl.1", docgen_ctl_man},         /* docs/man/hgctl.1 */
    {"hgctl.bash", docgen_completion},   /* deploy/hgctl.bash */
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(documents) / sizeof(documents[0]); i++)
        if (strcmp(argv[1], documents[i].name) == 0) {
            documents[i].print(stdout);
            return fflush(stdout) == 0 ? 0 : 1;
        }
    fprintf(stderr, "usage: hg-docgen DOCUMENT\n");
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        fprintf(stderr, "  %s\n", documents[i].name);
    return 2;
}
