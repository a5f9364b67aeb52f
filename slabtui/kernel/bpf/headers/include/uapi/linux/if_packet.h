/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* bcc's helpers.h includes this for its networking helpers, none of which are used here. */
