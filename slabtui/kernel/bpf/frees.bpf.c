// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Counts frees per cache. After common.bpf.h and table.bpf.h; runs while frees are requested. */

enum { LARGE_FREES = TABLE_TALLIES };

/* Whether a page belongs to a cache: kfree() also frees pages that came straight from the page allocator. */
static __always_inline bool is_slab(u64 head)
{
	u32 bits = 0;

	bpf_probe_read_kernel(&bits, sizeof(bits), (void *)(head + PAGE_TYPE_AT));
	return (bits >> PAGE_TYPE_SHIFT & PAGE_TYPE_MASK) == PAGE_TYPE_SLAB;
}

/* Counts an object that kfree() frees. */
static __always_inline void count_free(u64 object, u64 epoch)
{
	u64 word = 0;

	if (!(object & ((1 << PAGE_SHIFT) - 1)) && !is_slab(head_page(object, &word)))
		tally(LARGE_FREES, 1);
	else
		count_addressed(cache_of(object), epoch);
}

/* Handles every case at kfree, from either kind of tracepoint. */
static __always_inline int count_kfree(u64 object, bool classic)
{
	struct settings *now = current_settings();

	if (now && object >= LOWEST_ADDRESS && /* not kfree(NULL), kfree(ZERO_SIZE_PTR) */
	    counts(now, object, classic, LOST_ADDRESSED))
		count_free(object, now->epoch);
	return 0;
}

int on_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	u64 cache = ARG_FREED_CACHE < 0 ? 0 : ctx->args[ARG_FREED_CACHE];

	return wanted() ? on_named(ctx->args[ARG_PTR], cache, ARG_FREED_CACHE >= 0, false) : 0;
}

int on_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	return wanted() ? count_kfree(ctx->args[ARG_PTR], false) : 0;
}

#if PREEMPTIBLE
int on_cache_free_classic(void *record)
{
	return wanted() ? on_named(in_record(record, RECORD_PTR), 0, false, true) : 0;
}

int on_kfree_classic(void *record)
{
	return wanted() ? count_kfree(in_record(record, RECORD_PTR), true) : 0;
}
#endif
