/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* bcc passes this file to clang with -include; its helpers.h refuses to go on without CONFIG_BPF_SYSCALL. */
#ifndef SLABTUI_LINUX_KCONFIG_H
#define SLABTUI_LINUX_KCONFIG_H

#define CONFIG_BPF_SYSCALL 1

#endif
