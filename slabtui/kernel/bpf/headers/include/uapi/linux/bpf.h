/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A pointer to the copy that bcc brings with it: it always matches bcc's own helpers. */
#include <bcc/bpf.h>
