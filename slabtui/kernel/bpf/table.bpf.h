// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The counters: on each CPU an open-addressing table, found by the address of the cache. A cache has the same slot on
 * every CPU, so that user space reads all its counters at once. Counters only grow; user space takes differences.
 *
 * Why plain additions are exact: a CPU that runs a program never starts the same program again before the first run
 * ends (since Linux 6.1 the kernel refuses, and counts it in recursion_misses), and each counter is written by one
 * program only. Before 6.1 the kernel lets it, and additions are atomic: NESTS.
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
	u64 addressed; /* events of the one that does not: kmalloc or kfree */
};

BPF_PERCPU_ARRAY(slots, struct slot, SLOTS);
BPF_HASH(caches, u32, struct cache, SLOTS); /* whose a slot is. A hash, since its insert tells who was first */

/* Makes the slot this cache's, or brings its description up to date; false: the map would not take it. */
static __always_inline bool claim(u32 at, struct slot *slot, u64 address, u64 epoch)
{
	struct cache *owner = caches.lookup(&at);
	struct cache fresh = {};

	if (!owner) {
		describe(&fresh, address, epoch);
		caches.insert(&at, &fresh); /* refused where another CPU was first: look who has it */
		owner = caches.lookup(&at);
		if (!owner || owner->address != address)
			return false;
	} else if (owner->epoch != epoch) {
		describe(&fresh, address, epoch);
		caches.update(&at, &fresh);
	}
	slot->cache = address;
	slot->epoch = epoch;
	return true;
}

/* This CPU's slot for the cache; NULL: none to be had. claim() runs once per cache, CPU and interval. */
static __always_inline struct slot *find(u64 address, u64 epoch)
{
	u32 at = SLOT_OF(address);
	struct slot *slot = NULL;
	struct cache *owner;

#pragma clang loop unroll(disable)
	for (int i = 0; i < PROBES; i++) {
		slot = slots.lookup(&at);
		if (!slot)
			return NULL;
		if (slot->cache == address)
			break;
		if (!slot->cache) {
			owner = caches.lookup(&at);
			if (!owner || owner->address == address)
				break;
			slot->cache = owner->address; /* so that the next look passes by at once */
		}
		at = (at + 1) & (SLOTS - 1);
		slot = NULL;
	}
	if (!slot || (slot->cache == address && slot->epoch == epoch))
		return slot;
	return claim(at, slot, address, epoch) ? slot : NULL;
}
