/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* bcc's helpers.h sizes one of its own tables with roundup_pow_of_two(), of a constant. */
#ifndef SLABTUI_LINUX_LOG2_H
#define SLABTUI_LINUX_LOG2_H

#define roundup_pow_of_two(n) ((n) <= 1 ? 1ULL : 1ULL << (64 - __builtin_clzll((n) - 1ULL)))

#endif
