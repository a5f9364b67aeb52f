/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* bcc carries uapi/linux/bpf.h itself and only expects this name to exist; no socket filter is compiled here. */
