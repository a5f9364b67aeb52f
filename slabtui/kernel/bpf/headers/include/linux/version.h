/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * bcc's helpers.h asks for a version in a few #ifs. Raw tracepoint programs are not checked against it
 * (only kprobes before Linux 5.0 were), so one fixed answer serves every kernel that slabtui supports.
 */
#ifndef SLABTUI_LINUX_VERSION_H
#define SLABTUI_LINUX_VERSION_H

#define KERNEL_VERSION(major, minor, patch) (((major) << 16) + ((minor) << 8) + (patch))
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 1, 0)

#endif
