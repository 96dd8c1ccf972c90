/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetching a line in order to write to it: when another core has it, too, one way instead of two. What
 * __builtin_prefetch makes of its second argument is a fetch for reading, unless the compiler may count on
 * the instruction, which CPUs without it (before Broadwell) take for nothing. */
#ifndef LIB_PREFETCH_H
#define LIB_PREFETCH_H

static inline void prefetch_write(const void *p)
{
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
}

#endif
