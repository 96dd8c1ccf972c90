/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to segment*.c: names and the order of the arrays. */
#ifndef IMPL_SEGMENT_LAYOUT_H
#define IMPL_SEGMENT_LAYOUT_H

#include "impl/segment.h"

/* Bytes of the object on which each side holds a lock while it lives: the kernel drops them with the process.
 */
#define SEGMENT_LOCK_DP 0
#define SEGMENT_LOCK_CP 1

bool segment_path(const char *node, char *out, size_t size);
/* Locks one byte for writing, without waiting. */
bool segment_lock(int fd, int byte);
uint64_t segment_align(uint64_t n);
uint32_t segment_layout(void);
uint32_t segment_dpdk(void); /* version of the ring layout compiled in */
/* Fills view->core from the offsets in the mapping, checking each; false: error says which. */
bool segment_view(struct hg_segment *view, char *error);

#endif
