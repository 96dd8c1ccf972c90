/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service manager wants to hear (sd_notify(3)). */
#ifndef CONTROLPLANE_LIFE_NOTIFY_H
#define CONTROLPLANE_LIFE_NOTIFY_H

void notify(const char *state); /* "READY=1", "STOPPING=1"; nothing without NOTIFY_SOCKET */

#endif
