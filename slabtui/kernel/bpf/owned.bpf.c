// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Counts the frees of what a part of all processes has allocated. After common.bpf.h and table.bpf.h; runs in place of
 * frees.bpf.c while frees are requested and not all processes are counted.
 *
 * Who frees an object is often not who allocated it: a kernel thread, an interrupt, or another process. So the address
 * of each object that a process of the scope allocates is kept until any task frees it. An address that is handed out
 * again was freed without an event.
 *
 * kernel/frees.py defines OWNED, the addresses for which there is room, and MOST_OWNED, those of one cache.
 */
enum { LARGE_FREES = TABLE_TALLIES };

/* What is known of the owned objects of one cache. */
struct owner {
	u64 number;   /* objects that are owned now */
	u64 late;     /* frees that were noticed only when the address was handed out again */
	u64 left_out; /* objects that had no room: their frees are not counted */
};

BPF_HASH(owned, u64, u64, OWNED);            /* the cache of each object */
BPF_HASH(owners, u64, struct owner, SLOTS);  /* by the address of the cache */

/* Additions are atomic here: programs of several tracepoints write the same counter. */
static __always_inline void count_owned(u64 cache, u64 epoch)
{
	struct slot *slot;

	if (cache == LARGE) {
		tally(LARGE_FREES, 1);
		return;
	}
	slot = find(cache, epoch);
	if (slot)
		__sync_fetch_and_add(&slot->named, 1);
	else
		tally(LOST_NAMED, 1);
}

/*
 * Counts the free of an object if it is owned; `late`: there was no event. Only then may its cache have been destroyed:
 * what describes it may then be wrong, until its address is that of another cache.
 */
static __always_inline void release(u64 object, u64 late, u64 epoch)
{
	u64 *found = owned.lookup(&object), cache;
	struct owner *owner;

	if (!found)
		return;
	cache = *found;
	if (owned.delete(&object))
		return; /* an interrupt was first */
	owner = owners.lookup(&cache);
	if (owner) {
		__sync_fetch_and_add(&owner->number, -1);
		if (late) /* clang makes an atomic OR of an addition of 0, which needs Linux 5.12 */
			__sync_fetch_and_add(&owner->late, late);
	}
	count_owned(cache, epoch);
}

static __always_inline void own(u64 object, u64 cache)
{
	struct owner *owner = owners.lookup(&cache), fresh = {};

	if (!owner) {
		owners.insert(&cache, &fresh); /* refused where another CPU was first */
		owner = owners.lookup(&cache);
		if (!owner) {
			tally(LOST_NAMED, 1);
			return;
		}
	}
	if (owner->number < MOST_OWNED && !owned.update(&object, &cache))
		__sync_fetch_and_add(&owner->number, 1);
	else
		__sync_fetch_and_add(&owner->left_out, 1);
}

/* Whether an event is of an object, and this program's to count. kmalloc(0) returns an address that is none. */
static __always_inline bool takes(struct settings *now, u64 object, bool classic)
{
	return now && object >= LOWEST_ADDRESS && counts(now, object, classic, LOST_NAMED);
}

static __always_inline int own_named(u64 object, u64 cache, bool named, bool classic)
{
	struct settings *now = current_settings();

	if (takes(now, object, classic)) {
		release(object, 1, now->epoch);
		if (wanted())
			own(object, named ? cache : cache_of(object));
	}
	return 0;
}

/* Some kernels report an allocation from the page allocator twice: the object is owned already then. */
static __always_inline int own_addressed(u64 object, u64 bytes_req, u64 bytes_alloc, bool classic)
{
	struct settings *now = current_settings();
	u64 *before;

	if (!takes(now, object, classic))
		return 0;
	before = owned.lookup(&object);
	if (before && *before == LARGE && bytes_req > KMALLOC_MAX_CACHE)
		return 0;
	release(object, 1, now->epoch);
	if (wanted())
		own(object, cache_of_kmalloc(object, bytes_req, bytes_alloc));
	return 0;
}

static __always_inline int free_owned(u64 object, bool classic)
{
	struct settings *now = current_settings();

	if (takes(now, object, classic))
		release(object, 0, now->epoch);
	return 0;
}

int own_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	return own_named(ctx->args[ARG_PTR], ARG_CACHE < 0 ? 0 : ctx->args[ARG_CACHE], ARG_CACHE >= 0, false);
}

int own_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	return own_addressed(ctx->args[ARG_PTR], ctx->args[ARG_BYTES_REQ], ctx->args[ARG_BYTES_ALLOC], false);
}

int on_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	return free_owned(ctx->args[ARG_PTR], false);
}

int on_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	return free_owned(ctx->args[ARG_PTR], false);
}

#if PREEMPTIBLE
int own_cache_alloc_classic(void *record)
{
	return own_named(in_record(record, RECORD_PTR), 0, false, true);
}

int own_kmalloc_classic(void *record)
{
	u64 bytes_req = in_record(record, RECORD_BYTES_REQ), bytes_alloc = in_record(record, RECORD_BYTES_ALLOC);

	return own_addressed(in_record(record, RECORD_PTR), bytes_req, bytes_alloc, true);
}

int on_cache_free_classic(void *record)
{
	return free_owned(in_record(record, RECORD_PTR), true);
}

int on_kfree_classic(void *record)
{
	return free_owned(in_record(record, RECORD_PTR), true);
}
#endif
