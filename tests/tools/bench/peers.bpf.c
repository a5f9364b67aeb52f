// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Programs to compare slabtui's counting with: one that does nothing, and the two implementations of slabratetop, reduced
 * to the counting, without their filter by process. kernel/abi/offsets.py defines the macros.
 */
#include <uapi/linux/bpf.h>

#define NAME_SIZE 32

struct name {
	char text[NAME_SIZE];
};

struct sums {
	u64 count;
	u64 bytes;
};

struct named_sums {
	char text[NAME_SIZE];
	u64 count;
	u64 bytes;
};

BPF_HASH(by_name, struct name, struct sums);
BPF_HASH(by_pointer, u64, struct named_sums);

static inline __attribute__((always_inline)) u64 name_of(u64 cache)
{
	u64 name = 0;

	bpf_probe_read_kernel(&name, sizeof(name), (void *)(cache + CACHE_NAME));
	return name;
}

static inline __attribute__((always_inline)) u32 size_of(u64 cache)
{
	u32 size = 0;

	bpf_probe_read_kernel(&size, sizeof(size), (void *)(cache + CACHE_SIZE));
	return size;
}

int on_nothing(struct bpf_raw_tracepoint_args *ctx)
{
	return 0;
}

/* As in bcc's tools: one hash for all CPUs; its key is the name itself, which is read at each event. */
int on_alloc_by_name(struct bpf_raw_tracepoint_args *ctx)
{
	u64 cache = ctx->args[ARG_CACHE];
	struct sums none = {}, *sums;
	struct name key = {};

	bpf_probe_read_kernel_str(key.text, sizeof(key.text), (void *)name_of(cache));
	sums = by_name.lookup_or_try_init(&key, &none);
	if (sums) {
		sums->count++;
		sums->bytes += size_of(cache);
	}
	return 0;
}

/* As in libbpf-tools: one hash for all CPUs; its key is the address of the name, which is read once. */
int on_alloc_by_pointer(struct bpf_raw_tracepoint_args *ctx)
{
	u64 cache = ctx->args[ARG_CACHE];
	u64 name = name_of(cache);
	struct named_sums *sums = by_pointer.lookup(&name);
	struct named_sums fresh = {};

	if (!sums) {
		bpf_probe_read_kernel_str(fresh.text, sizeof(fresh.text), (void *)name);
		by_pointer.insert(&name, &fresh);
		sums = by_pointer.lookup(&name);
	}
	if (sums) {
		sums->count++;
		sums->bytes += size_of(cache);
	}
	return 0;
}
