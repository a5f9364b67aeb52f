/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* bcc's helpers.h includes this; the page size comes from the running system instead (kernel/layout.py). */
