// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Counts allocations per cache. After common.bpf.h and table.bpf.h; runs from the start of slabtui to its end. */

enum { LARGE_ALLOCS = TABLE_TALLIES, LARGE_BYTES };
enum { SLOW_CACHE_ALLOC, SLOW_KMALLOC, SLOW_PATHS };

BPF_PROG_ARRAY(slow_path, SLOW_PATHS);

/* Counts an object that kmalloc allocated. */
static __always_inline void count_new(u64 object, u64 bytes_req, u64 bytes_alloc, u64 epoch)
{
	u64 cache = cache_of_kmalloc(object, bytes_req, bytes_alloc);

	if (cache == LARGE) {
		tally(LARGE_ALLOCS, 1);
		tally(LARGE_BYTES, bytes_alloc);
	} else {
		count_addressed(cache, epoch);
	}
}

/* Handles every case at kmem_cache_alloc. A failed allocation, here and below, has no object and is not counted. */
static __always_inline int count_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	return on_named(ctx->args[ARG_PTR], ARG_CACHE < 0 ? 0 : ctx->args[ARG_CACHE], ARG_CACHE >= 0, false);
}

/* The same at kmalloc, from either kind of tracepoint. */
static __always_inline int count_kmalloc(u64 object, u64 bytes_req, u64 bytes_alloc, bool classic)
{
	struct settings *now = current_settings();

	if (now && object && counts(now, object, classic, LOST_ADDRESSED))
		count_new(object, bytes_req, bytes_alloc, now->epoch);
	return 0;
}

static __always_inline int count_raw_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	return count_kmalloc(ctx->args[ARG_PTR], ctx->args[ARG_BYTES_REQ], ctx->args[ARG_BYTES_ALLOC], false);
}

/*
 * The hot paths. Rare cases (a cache's first allocation on this CPU or in this interval, a collision, a failed
 * allocation) are in another program, which is called by a tail call: inlined, they would need more registers and time.
 *
 * Without a JIT compiler everything is in one program: the interpreter runs a tail-called program on the stack of its
 * caller, which has room for the caller's variables only.
 */
int on_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	if (!wanted())
		return 0;
#if TAIL_CALLS
#if ARG_CACHE >= 0
	u32 at = SLOT_OF(ctx->args[ARG_CACHE]);
	struct slot *slot = slots.lookup(&at);
	struct settings *now;

	/* The argument is read twice, since keeping it over a call would take one more register. */
	if (slot && slot->cache == ctx->args[ARG_CACHE] && ctx->args[ARG_PTR]) {
		now = current_settings();
		if (now && slot->epoch == now->hot_epoch) {
			count(&slot->named);
			return 0;
		}
	}
#endif
	slow_path.call(ctx, SLOW_CACHE_ALLOC);
	tally(LOST_NAMED, 1); /* reached only if the tail call failed */
	return 0;
#else
	return count_cache_alloc(ctx);
#endif
}

int on_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	if (!wanted())
		return 0;
#if TAIL_CALLS
	struct settings *now;
	struct slot *slot;
	u64 cache;
	u32 at;

	if (base_of_pages() && ctx->args[ARG_PTR] && ctx->args[ARG_BYTES_REQ] <= KMALLOC_MAX_CACHE) {
		cache = cache_of(ctx->args[ARG_PTR]);
		at = SLOT_OF(cache);
		slot = slots.lookup(&at);
		if (slot && slot->cache == cache) {
			now = current_settings();
			if (now && slot->epoch == now->hot_epoch) {
				count(&slot->addressed);
				return 0;
			}
		}
	}
	slow_path.call(ctx, SLOW_KMALLOC);
	tally(LOST_ADDRESSED, 1);
	return 0;
#else
	return count_raw_kmalloc(ctx);
#endif
}

int on_cache_alloc_slow(struct bpf_raw_tracepoint_args *ctx)
{
	return count_cache_alloc(ctx);
}

int on_kmalloc_slow(struct bpf_raw_tracepoint_args *ctx)
{
	return count_raw_kmalloc(ctx);
}

#if PREEMPTIBLE
int on_cache_alloc_classic(void *record)
{
	return wanted() ? on_named(in_record(record, RECORD_PTR), 0, false, true) : 0;
}

int on_kmalloc_classic(void *record)
{
	u64 bytes_req = in_record(record, RECORD_BYTES_REQ), bytes_alloc = in_record(record, RECORD_BYTES_ALLOC);

	return wanted() ? count_kmalloc(in_record(record, RECORD_PTR), bytes_req, bytes_alloc, true) : 0;
}
#endif
