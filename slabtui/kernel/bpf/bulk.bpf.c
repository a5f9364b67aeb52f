// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Counts bulk allocations and frees, which no tracepoint reports, by probes on the functions themselves (fentry), on
 * kernels that have them. After common.bpf.h. kernel/bulk.py defines BULKS, the number of caches that can be counted
 * (few are used in bulk), and SHEAF_RESULT, the place of the return value of __kfree_rcu_sheaf() in the context: the
 * function has two arguments in Linux 6.18 and three in 7.3.
 */
#define MOST 512      /* objects of one free of mixed caches that are counted: kfree_rcu() gathers fewer in a page */

enum { LOST_ALLOCS, LOST_FREES };

struct bulk {
	struct cache cache;
	u64 allocs; /* written by any CPU */
	u64 frees;
};

BPF_HASH(bulks, u64, struct bulk, BULKS);

static __always_inline struct bulk *bulk_of(u64 address, u64 epoch)
{
	struct bulk *bulk = bulks.lookup(&address);
	struct bulk fresh = {};

	if (!bulk) {
		describe(&fresh.cache, address, epoch);
		bulks.insert(&address, &fresh);
		bulk = bulks.lookup(&address);
	} else if (bulk->cache.epoch != epoch) {
		describe(&bulk->cache, address, epoch);
	}
	return bulk;
}

/* kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t size, void **p): allocates all or none, and returns how
 * many; in Linux 7.3 it returns only whether it did. */
int on_bulk_alloc(u64 *ctx)
{
	struct settings *now = current_settings();
	u64 size = ctx[2];
	u32 given = ctx[4];
	struct bulk *bulk;

	if (!wanted() || !now || !given)
		return 0;
	bulk = bulk_of(ctx[0], now->epoch);
	if (bulk)
		__sync_fetch_and_add(&bulk->allocs, size);
	else
		tally(LOST_ALLOCS, size);
	return 0;
}

/* void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p); s is NULL where caches are mixed, as they are
 * for kfree_rcu(). The program runs before the function: afterwards the pages may have another owner. */
int on_bulk_free(u64 *ctx)
{
	struct settings *now = current_settings();
	u64 cache = ctx[0], size = ctx[1], objects = 0, object = 0;
	struct bulk *bulk;
	u32 seen = 0;

	if (!wanted() || !now)
		return 0;
	if (cache) {
		bulk = bulk_of(cache, now->epoch);
		if (bulk)
			__sync_fetch_and_add(&bulk->frees, size);
		else
			tally(LOST_FREES, size);
		return 0;
	}
	/* Not ctx[2]: up to Linux 6.18 at least the verifier refuses an argument that points to pointers. */
	bpf_probe_read_kernel(&objects, sizeof(objects), ctx + 2);
#pragma clang loop unroll(disable)
	for (seen = 0; seen < MOST && base_of_pages(); seen++) {
		if (seen >= size)
			break;
		bpf_probe_read_kernel(&object, sizeof(object), (void *)(objects + seen * sizeof(object)));
		bulk = bulk_of(cache_of(object), now->epoch);
		if (!bulk)
			break;
		__sync_fetch_and_add(&bulk->frees, 1);
	}
	if (size > seen)
		tally(LOST_FREES, size - seen);
	return 0;
}

/* bool __kfree_rcu_sheaf(struct kmem_cache *s, void *obj, ...): frees an object for kfree_rcu() after a grace period, if
 * the cache has sheaves and there is room; neither a tracepoint nor kmem_cache_free_bulk() sees that free. */
int on_sheaf_free(u64 *ctx)
{
	struct settings *now = current_settings();
	u8 taken = ctx[SHEAF_RESULT];
	struct bulk *bulk;

	if (!wanted() || !now || !taken)
		return 0;
	bulk = bulk_of(ctx[0], now->epoch);
	if (bulk)
		__sync_fetch_and_add(&bulk->frees, 1);
	else
		tally(LOST_FREES, 1);
	return 0;
}
