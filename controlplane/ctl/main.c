/* SPDX-License-Identifier: BSD-2-Clause */
#include <locale.h>
#include <signal.h>

#include "ctl/ctl.h"

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_DFL);
    setlocale(LC_CTYPE, "");
    return ctl_main(argc, argv, stdout, stderr);
}
