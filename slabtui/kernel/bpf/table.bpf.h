// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The counters: on each CPU an open-addressing table, found by the address of the cache. A cache has the same slot on
 * every CPU, so that user space reads all its counters at once. Counters only grow; user space takes differences.
 *
 * Why plain additions are exact: a CPU that runs a program never starts the same program again before the first run
 * ends (since Linux 6.1 the kernel refuses, and counts it in recursion_misses), and each counter is written by one
 * program only. Before 6.1 the kernel allows it (NESTS), and on Linux 7 the programs of a raw and a classic tracepoint
 * write the same counter (PREEMPTIBLE): additions are atomic on both.
 *
 * kernel/counters.py defines SLOT_BITS, log2 of the number of slots.
 */
#define SLOTS (1 << SLOT_BITS)
#define PROBES 16 /* slots that are tried before the table counts as full for a cache */

/* A struct kmem_cache is never shorter than 256 bytes, so caches that lie side by side get slots side by side. */
#define SLOT_OF(cache) (((cache) >> 8) & (SLOTS - 1))

/* A cache's counters on one CPU. 32 bytes, so that none lies across two cache lines. */
struct slot {
	u64 cache;     /* address of the struct kmem_cache; 0: not seen on this CPU */
	u64 epoch;     /* the interval in which the description was last known to be fresh */
	u64 named;     /* events of the tracepoint that names the cache: kmem_cache_alloc or kmem_cache_free */
	u64 addressed; /* events of the tracepoint that does not: kmalloc or kfree */
};

BPF_PERCPU_ARRAY(slots, struct slot, SLOTS);
BPF_HASH(caches, u32, struct cache, SLOTS); /* the owner of each slot. A hash, because only the first insert succeeds */

/*
 * Return the owner of a slot; a slot without one gets this cache. Another CPU, or on Linux 7 a task that preempts this
 * one, may insert another cache first: the caller compares the address. NULL: the insert failed.
 *
 * An owner never changes. No element is updated or deleted either, since the kernel reuses it for another slot at once,
 * while other CPUs still read it: alloc_htab_elem() in kernel/bpf/hashtab.c. A description is written in place instead.
 */
static __always_inline struct cache *owner_of(u32 at, u64 address, u64 epoch)
{
	struct cache *owner = caches.lookup(&at);
	struct cache fresh = {};

	if (owner)
		return owner;
	describe(&fresh, address, epoch);
	caches.insert(&at, &fresh); /* refused where another one came first */
	return caches.lookup(&at);
}

/* This CPU's slot for the cache; NULL: there is none. owner_of() runs once per cache, CPU and interval. */
static __always_inline struct slot *find(u64 address, u64 epoch)
{
	u32 at = SLOT_OF(address);
	struct cache *owner;
	struct slot *slot;

#pragma clang loop unroll(disable)
	for (int i = 0; i < PROBES; i++) {
		asm volatile("" : "+r"(address)); /* else clang makes a second loop, for size classes */
		slot = slots.lookup(&at);
		if (!slot)
			return NULL;
		if (slot->cache == address && slot->epoch == epoch)
			return slot;
		if (!slot->cache || slot->cache == address) {
			owner = owner_of(at, address, epoch);
			if (!owner)
				return NULL;
			slot->cache = owner->address; /* if that is another cache, the next event passes the slot at once */
			if (owner->address == address) {
				if (owner->epoch != epoch)
					describe(owner, address, epoch);
				slot->epoch = epoch;
				return slot;
			}
		}
		at = (at + 1) & (SLOTS - 1);
	}
	return NULL;
}

enum { LOST_NAMED, LOST_ADDRESSED, TABLE_TALLIES }; /* events without a slot; the tallies of a program follow */

/* Counts an event of the tracepoint that names the cache: kmem_cache_alloc or kmem_cache_free. */
static __always_inline void count_named(u64 cache, u64 epoch)
{
	struct slot *slot = find(cache, epoch);

	if (slot)
		count(&slot->named);
	else
		tally(LOST_NAMED, 1);
}

/* Counts an event of the tracepoint that does not name the cache: kmalloc or kfree. */
static __always_inline void count_addressed(u64 cache, u64 epoch)
{
	struct slot *slot = find(cache, epoch);

	if (slot)
		count(&slot->addressed);
	else
		tally(LOST_ADDRESSED, 1);
}

/* Handles every case at the tracepoint that names the cache; `cache` is used only if `named`. */
static __always_inline int on_named(u64 object, u64 cache, bool named, bool classic)
{
	struct settings *now = current_settings();

	if (now && object && counts(now, object, classic, LOST_NAMED))
		count_named(named ? cache : cache_of(object), now->epoch);
	return 0;
}
