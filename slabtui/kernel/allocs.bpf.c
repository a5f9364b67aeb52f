// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Counts allocations per cache. After common.bpf.h and table.bpf.h; runs from the start of slabtui to its end. */

enum { AGREED, DISAGREED, LOST_NAMED, LOST_ADDRESSED, LARGE_ALLOCS, LARGE_BYTES };

BPF_PROG_ARRAY(slow_path, 1);

/*
 * The hot path. All that is rare (a cache's first allocation on this CPU or in this interval, a collision, a failed
 * allocation) goes to another program by a tail call: in here it would cost registers, and these cost time.
 */
int on_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
#if ARG_CACHE >= 0
	u32 at = SLOT_OF(ctx->args[ARG_CACHE]);
	struct settings *now;
	struct slot *slot;

	if (!wanted())
		return 0;
	slot = slots.lookup(&at);
	/* The argument is read twice, since keeping it over a call would take one more register. */
	if (slot && slot->cache == ctx->args[ARG_CACHE] && ctx->args[ARG_PTR]) {
		now = current_settings();
		if (now && slot->epoch == now->epoch) {
			count(&slot->named);
			return 0;
		}
	}
#else
	if (!wanted())
		return 0;
#endif
	slow_path.call(ctx, 0);
	tally(LOST_NAMED, 1); /* only where there was nothing to call */
	return 0;
}

int on_cache_alloc_slow(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();
	struct slot *slot;

	if (!now || !ctx->args[ARG_PTR]) /* a failed allocation allocates nothing */
		return 0;
	slot = find(cache_of_event(ctx, ARG_CACHE, now), now->epoch);
	if (slot)
		count(&slot->named);
	else
		tally(LOST_NAMED, 1);
	return 0;
}

/*
 * Both in one, for kernels without a JIT compiler for BPF: their interpreter runs a program that is reached by a tail
 * call on the stack of its caller, which has room for the caller only. The programs above overwrite the return address
 * there and crash the kernel.
 */
int on_cache_alloc_whole(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();
	struct slot *slot;

	if (!wanted() || !now || !ctx->args[ARG_PTR])
		return 0;
	slot = find(cache_of_event(ctx, ARG_CACHE, now), now->epoch);
	if (slot)
		count(&slot->named);
	else
		tally(LOST_NAMED, 1);
	return 0;
}

int on_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();
	struct slot *slot;
	u64 cache;

	if (!wanted() || !now || !ctx->args[ARG_PTR])
		return 0;
	cache = cache_of_kmalloc(ctx, now);
	if (cache == LARGE) {
		tally(LARGE_ALLOCS, 1);
		tally(LARGE_BYTES, ctx->args[ARG_BYTES_ALLOC]);
		return 0;
	}
	slot = find(cache, now->epoch);
	if (slot)
		count(&slot->addressed);
	else
		tally(LOST_ADDRESSED, 1);
	return 0;
}

/*
 * Whether cache_of() finds what the event says: the cache itself, or before Linux 6.1 one whose objects have the size
 * that was asked for and the size that was given.
 */
static __always_inline bool agrees(struct bpf_raw_tracepoint_args *ctx, struct settings *now)
{
	u64 cache = cache_of(ctx->args[ARG_PTR], now);
#if ARG_CACHE >= 0
	return cache == ctx->args[ARG_CACHE];
#else
	struct cache found = {};

	describe(&found, cache, 0);
	return found.object_size == ctx->args[ARG_BYTES_REQ] && found.size == ctx->args[ARG_BYTES_ALLOC];
#endif
}

/* Attached for a moment at start, to kmem_cache_alloc. */
int on_calibration(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();

	if (!now || !ctx->args[ARG_PTR])
		return 0;
	if (now->page_offset_at) {
		now->page_offset = read_word(now->page_offset_at);
		now->vmemmap = read_word(now->vmemmap_at);
	}
	tally(agrees(ctx, now) ? AGREED : DISAGREED, 1);
	return 0;
}
