// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Counts frees per cache. After common.bpf.h and table.bpf.h; runs while somebody looks at the frees. */

enum { LARGE_FREES = TABLE_TALLIES };

/* Whether a page belongs to a cache: kfree() also gives back what came straight from the page allocator. */
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

int on_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();
	u64 object = ctx->args[ARG_PTR];

	if (!wanted() || !now || !object)
		return 0;
	if (raw_counts(now, object))
		count_named(cache_of_event(ctx, ARG_FREED_CACHE), now->epoch);
	else
		tally(LOST_NAMED, 1);
	return 0;
}

int on_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();
	u64 object = ctx->args[ARG_PTR];

	if (!wanted() || !now || object < LOWEST_ADDRESS) /* kfree(NULL), kfree(ZERO_SIZE_PTR) */
		return 0;
	if (raw_counts(now, object))
		count_free(object, now->epoch);
	else
		tally(LOST_ADDRESSED, 1);
	return 0;
}

#if PREEMPTIBLE
int on_cache_free_classic(void *record)
{
	struct settings *now = current_settings();
	u64 object = in_record(record, RECORD_PTR);

	if (now && object && wanted() && classic_counts(now, object))
		count_named(cache_of(object), now->epoch);
	return 0;
}

int on_kfree_classic(void *record)
{
	struct settings *now = current_settings();
	u64 object = in_record(record, RECORD_PTR);

	if (now && object >= LOWEST_ADDRESS && wanted() && classic_counts(now, object))
		count_free(object, now->epoch);
	return 0;
}
#endif
