/* SPDX-License-Identifier: BSD-2-Clause */
/* Start, turn and stop of the control plane. */
#ifndef CONTROLPLANE_LIFE_LIFE_H
#define CONTROLPLANE_LIFE_LIFE_H

#include <stdbool.h>

struct controlplane;

bool life_start(struct controlplane *cp); /* false: everything was said; life_stop cleans up all the same */
void life_stop(struct controlplane *cp);

#endif
