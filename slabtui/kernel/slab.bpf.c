// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Counts slab allocations per cache, in the kernel. Compiled by bcc when slabtui starts.
 *
 * Each CPU has an open-addressing table of counters, found by the address of the cache. A cache has the same slot on
 * every CPU, so that user space reads all its counters at once. Counters only grow; user space takes differences.
 *
 * Why plain additions are exact: a CPU that runs one of these programs never starts the same program again before the
 * first run ends (since Linux 6.1 the kernel refuses, and counts it in recursion_misses), and each counter is written
 * by one program only.
 *
 * kernel/layout.py defines, from the BTF of the running kernel:
 *   ARG_PTR, ARG_CACHE                raw arguments of kmem_cache_alloc: the object, its cache
 *   ARG_BYTES_REQ, ARG_BYTES_ALLOC    raw arguments of kmalloc: bytes asked for, bytes given
 *   CACHE_NAME, CACHE_SIZE, CACHE_OBJECT_SIZE               offsets in struct kmem_cache
 *   PAGE_STRUCT_SIZE, PAGE_COMPOUND_HEAD, PAGE_SLAB_CACHE   size of and offsets in struct page, struct slab
 *   PAGE_SHIFT, KMALLOC_MAX_CACHE     log2 of the page size; the largest kmalloc that a cache serves
 * kernel/probe.py defines SLOT_BITS (log2 of the slots) and, to count one process only, PID; and PID_NS_DEV and
 * PID_NS_INO where that number is one of a PID namespace other than the first.
 */
#include <uapi/linux/bpf.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define SLOTS (1 << SLOT_BITS)
#define PROBES 16 /* slots that are tried before the table counts as full for a cache */
#define NAME_SIZE 128

/* A struct kmem_cache is never shorter than 256 bytes, so caches that lie side by side get slots side by side. */
#define SLOT_OF(cache) (((cache) >> 8) & (SLOTS - 1))

/* Stands in for the address of a kmalloc cache that is not known: no kernel address is that low. */
#define SIZE_CLASS(bytes) ((bytes) << 8)
#define LOWEST_ADDRESS SIZE_CLASS(1ULL << 24)

/* A cache's counters on one CPU. 32 bytes, so that none lies across two cache lines. */
struct slot {
	u64 cache;    /* address of the struct kmem_cache; 0: not seen on this CPU */
	u64 epoch;    /* the interval in which the description was last known to be fresh */
	u64 allocs;   /* written by the kmem_cache_alloc programs only */
	u64 kmallocs; /* written by the kmalloc program only */
};

/* Whose a slot is, on all CPUs. A cache may be destroyed and its address used again, so the first allocation of each
 * interval reads this anew: at that moment the cache is certainly alive. */
struct cache {
	u64 address;
	u64 epoch;
	u32 size;        /* bytes that an object takes in its slab */
	u32 object_size; /* bytes that the cache's creator asked for */
	char name[NAME_SIZE];
};

struct settings {
	u64 epoch;          /* number of the interval, from 1 */
	u64 page_offset;    /* where the direct map of all memory begins */
	u64 vmemmap;        /* where the array of all struct page begins */
	u64 page_offset_at; /* kernel variables that hold these two; 0: take them as they stand */
	u64 vmemmap_at;
	u64 calibrated;     /* whether these are known to be right */
};

/* Sums that belong to no slot; each is written by one kind of program. */
enum { AGREED, DISAGREED, LOST_ALLOCS, LOST_KMALLOCS, LARGE_ALLOCS, LARGE_BYTES, TALLIES };

BPF_PERCPU_ARRAY(slots, struct slot, SLOTS);
BPF_PERCPU_ARRAY(tallies, u64, TALLIES);
BPF_HASH(caches, u32, struct cache, SLOTS); /* a hash, since its insert tells who was first */
BPF_ARRAY(settings, struct settings, 1);
BPF_PROG_ARRAY(slow_path, 1);

static __always_inline void tally(u32 which, u64 amount)
{
	u64 *sum = tallies.lookup(&which);

	if (sum)
		*sum += amount;
}

static __always_inline bool wanted(void)
{
#if defined(PID) && defined(PID_NS_INO)
	struct bpf_pidns_info ids = {};

	return !bpf_get_ns_current_pid_tgid(PID_NS_DEV, PID_NS_INO, &ids, sizeof(ids)) && ids.tgid == PID;
#elif defined(PID)
	return bpf_get_current_pid_tgid() >> 32 == PID;
#else
	return true;
#endif
}

static __always_inline struct settings *current_settings(void)
{
	u32 only = 0;

	return settings.lookup(&only);
}

static __always_inline u64 read_word(u64 address)
{
	u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)address);
	return word;
}

static __always_inline void describe(struct cache *cache, u64 address, u64 epoch)
{
	cache->address = address;
	cache->epoch = epoch;
	if (address < LOWEST_ADDRESS)
		return;
	bpf_probe_read_kernel(&cache->size, sizeof(cache->size), (void *)(address + CACHE_SIZE));
	bpf_probe_read_kernel(&cache->object_size, sizeof(cache->object_size), (void *)(address + CACHE_OBJECT_SIZE));
	bpf_probe_read_kernel_str(cache->name, sizeof(cache->name), (void *)read_word(address + CACHE_NAME));
}

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

/*
 * The cache of an object, by the page it lies in: virt_to_slab(object)->slab_cache. A tail page names its head in a
 * word whose lowest bit is set. Before Linux 7.2 the rest of that word is the head's address, since then it is a mask;
 * heads are aligned to their own length, so that `page & word` is the head in both.
 */
static __always_inline u64 cache_of(u64 object, struct settings *now)
{
	u64 page = now->vmemmap + ((object - now->page_offset) >> PAGE_SHIFT) * PAGE_STRUCT_SIZE;
	u64 word = read_word(page + PAGE_COMPOUND_HEAD);

	if (word & 1)
		page &= word;
	else if (PAGE_SLAB_CACHE == PAGE_COMPOUND_HEAD)
		return word;
	return read_word(page + PAGE_SLAB_CACHE);
}

/*
 * The hot path. All that is rare (a cache's first allocation on this CPU or in this interval, a collision, a failed
 * allocation) goes to another program by a tail call: in here it would cost registers, and these cost time.
 */
int on_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
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
			slot->allocs++;
			return 0;
		}
	}
	slow_path.call(ctx, 0);
	tally(LOST_ALLOCS, 1); /* only where there was nothing to call */
	return 0;
}

int on_cache_alloc_slow(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();
	struct slot *slot;

	if (!now || !ctx->args[ARG_PTR]) /* a failed allocation allocates nothing */
		return 0;
	slot = find(ctx->args[ARG_CACHE], now->epoch);
	if (slot)
		slot->allocs++;
	else
		tally(LOST_ALLOCS, 1);
	return 0;
}

int on_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();
	u64 cache = 0;
	struct slot *slot;

	if (!wanted() || !now || !ctx->args[ARG_PTR])
		return 0;
	if (ctx->args[ARG_BYTES_REQ] > KMALLOC_MAX_CACHE) {
		tally(LARGE_ALLOCS, 1);
		tally(LARGE_BYTES, ctx->args[ARG_BYTES_ALLOC]);
		return 0;
	}
	if (now->calibrated)
		cache = cache_of(ctx->args[ARG_PTR], now);
	if (cache < LOWEST_ADDRESS)
		cache = SIZE_CLASS(ctx->args[ARG_BYTES_ALLOC]);
	slot = find(cache, now->epoch);
	if (slot)
		slot->kmallocs++;
	else
		tally(LOST_KMALLOCS, 1);
	return 0;
}

/* Attached for a moment at start, to kmem_cache_alloc, which names its cache: does cache_of() find the same? */
int on_calibration(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();

	if (!now || !ctx->args[ARG_PTR])
		return 0;
	if (now->page_offset_at) {
		now->page_offset = read_word(now->page_offset_at);
		now->vmemmap = read_word(now->vmemmap_at);
	}
	tally(cache_of(ctx->args[ARG_PTR], now) == ctx->args[ARG_CACHE] ? AGREED : DISAGREED, 1);
	return 0;
}
