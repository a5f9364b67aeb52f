// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * What the BPF programs share: which events count, and which cache an object lies in. kernel/bpf/module.py puts it before
 * each program, since bcc rewrites its own calls in one file only.
 *
 * kernel/abi/offsets.py defines, from the BTF of the running kernel:
 *   ARG_CALL_SITE, ARG_PTR            raw arguments of all four tracepoints: the caller, the object
 *   ARG_CACHE, ARG_FREED_CACHE        raw arguments of kmem_cache_alloc, kmem_cache_free: the object's cache; -1 before
 *                                     Linux 6.1, where the events do not name it
 *   NESTS                             1 where a program may interrupt itself, as a raw tracepoint's may before 6.1
 *   ARG_BYTES_REQ, ARG_BYTES_ALLOC    raw arguments of kmalloc: bytes asked for, bytes given
 *   CACHE_NAME, CACHE_SIZE, CACHE_OBJECT_SIZE, CACHE_LIST   offsets in struct kmem_cache
 *   PAGE_STRUCT_SIZE, PAGE_COMPOUND_HEAD, PAGE_SLAB_CACHE   size of and offsets in struct page, struct slab
 *   PAGE_STEP                         base_of_pages() is a multiple of this
 *   VM_STRUCT_PAGES, TASK_STACK_VM_AREA   offsets in struct vm_struct, struct task_struct
 *   PAGE_TYPE_AT, PAGE_TYPE_SHIFT, PAGE_TYPE_MASK, PAGE_TYPE_SLAB   which bits of struct page mark a slab
 *   TASK_STACK, TASK_FLAGS, TASK_GROUP_LEADER, TASK_COMM    offsets in struct task_struct
 *   TASK_THREAD_PID, PID_LEVEL, PID_NUMBERS, UPID_SIZE, UPID_NR, UPID_NS, PID_NS_INUM   where the number of a process in
 *                                     each PID namespace is: offsets in struct task_struct, pid, upid, pid_namespace
 *   PAGE_SHIFT, KMALLOC_MAX_CACHE     log2 of the page size; the largest kmalloc that a cache serves
 *   PREEMPTIBLE                       1 where the program of a raw tracepoint may be preempted: Linux 7.0
 *   RECORD_CALL_SITE, RECORD_PTR      offsets in the record that a classic tracepoint passes, of all four events
 *   RECORD_BYTES_REQ, RECORD_BYTES_ALLOC   the same for kmalloc
 *   REGISTERS_SP                      offset of the stack pointer in struct pt_regs
 * kernel/bpf/module.py defines, by what the kernel can do:
 *   TAIL_CALLS                        1 where a program may call another one
 *   RDONLY_CAST                       where there is bpf_rdonly_cast(): the number of a call that stands for it in the
 *                                     compiled program, until the kernel's number of the function is put there; and
 *   WORD_TYPE                         the BTF id of a type whose first member is an unsigned long
 *   BASE_OF_PAGES                     a number that stands for what base_of_pages() returns, likewise
 * kernel/scope.py defines, where not all processes are counted: PID_IS(pid), and CGROUP; and PID_NS_DEV and PID_NS_INO
 * where slabtui runs in a PID namespace other than the first.
 */
#include <uapi/linux/bpf.h>

/* bcc defines these as bpf_probe_read() and bpf_probe_read_str() where it does not find the functions in /proc/kallsyms,
 * which hides their addresses. Every kernel that slabtui runs on has them: Linux 5.5. */
#undef bpf_probe_read_kernel
#undef bpf_probe_read_kernel_str

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define NAME_SIZE 128
#define MOST_PID_LEVEL 32 /* MAX_PID_NS_LEVEL in include/linux/pid_namespace.h */
#define AS_WRITTEN(text) #text
#define STRING(macro) AS_WRITTEN(macro)

/* Numbers in place of the address of a cache that has none, or an unknown one. Kernel addresses are higher. */
#define LARGE 1ULL /* kmalloc beyond the largest cache */
#define SIZE_CLASS(bytes) ((bytes) << 8)
#define LOWEST_ADDRESS SIZE_CLASS(1ULL << 24)

/* A cache may be destroyed and its address used again, so the first event of each interval describes it again: at that
 * moment the cache exists for certain. */
struct cache {
	u64 address;
	u64 epoch;
	u32 size;        /* bytes that an object takes in its slab */
	u32 object_size; /* bytes that the cache's creator asked for */
	char name[NAME_SIZE];
};

/*
 * Which programs count. The program of a raw tracepoint can be preempted since Linux 7.0, and until it goes on the kernel
 * skips it for every other event of that CPU (prog->active). Where that happens often, classic tracepoints take over:
 * they pass a record that costs more, but preemption is off while their programs run. No event is missed or counted
 * twice during the change: for some intervals both kinds are attached, and the raw one, which runs first, marks the
 * objects that it counts.
 */
enum {
	RAW,     /* raw tracepoints count */
	MARKING, /* raw tracepoints count and mark the object; classic ones remove the mark */
	TAKING,  /* the same, and classic ones count an object that has no mark */
	CLASSIC, /* classic tracepoints count; raw ones are detached */
};

struct settings {
	u64 epoch;          /* number of the interval, from 1 */
	u64 hot_epoch;      /* the same while a hot path may count, 0 while it may not */
	u64 way;            /* which programs count */
	u64 target;         /* the inspected cache */
	u64 target_size;    /* bytes that its objects take; 0: they differ */
	u64 period;         /* at most one stack is taken per `period` allocations of it, on average; from 1 */
	u64 kinds;          /* of the inspection, one bit each */
	u64 inspection;     /* number of the inspection, of 14 bits; written last */
};

BPF_ARRAY(settings, struct settings, 1);
BPF_PERCPU_ARRAY(tallies, u64, TALLIES); /* sums that belong to no cache */
#ifdef CGROUP
BPF_CGROUP_ARRAY(cgroups, 1);
#endif

static __always_inline void count(u64 *counter)
{
	if (NESTS || PREEMPTIBLE)
		__sync_fetch_and_add(counter, 1);
	else
		++*counter;
}

static __always_inline void tally(u32 which, u64 amount)
{
	u64 *sum = tallies.lookup(&which);

	if (sum)
		__sync_fetch_and_add(sum, amount); /* from more than one program */
}

static __always_inline u64 read_word(u64 address)
{
	u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)address);
	return word;
}

static __always_inline u32 read_int(u64 address)
{
	u32 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), (void *)address);
	return number;
}

#ifdef PID_NS_INO
/*
 * The PID, in slabtui's PID namespace, of a current process of a nested namespace: a process has a PID in its own
 * namespace and in each one above it, pid_nr_ns() in kernel/pid.c. 0: none, the process is of another namespace.
 */
static __always_inline u32 pid_from_above(void)
{
	u64 pid = read_word(read_word(bpf_get_current_task() + TASK_GROUP_LEADER) + TASK_THREAD_PID);
	u64 numbers = pid + PID_NUMBERS;
	u32 own = read_int(pid + PID_LEVEL), level;

	for (level = 1; level < MOST_PID_LEVEL; level++) { /* level 0 is the first namespace of all */
		asm volatile("" : "+r"(own)); /* else clang makes one limit of the two, which the verifier does not know */
		if (level >= own)
			break;
		numbers += UPID_SIZE;
		if (read_int(read_word(numbers + UPID_NS) + PID_NS_INUM) == PID_NS_INO)
			return read_int(numbers + UPID_NR);
	}
	return 0;
}
#endif

/* The number of the current process in slabtui's PID namespace; 0: it has none there. */
static __always_inline u32 current_pid(void)
{
#ifdef PID_NS_INO
	struct bpf_pidns_info ids = {};

	if (!bpf_get_ns_current_pid_tgid(PID_NS_DEV, PID_NS_INO, &ids, sizeof(ids)))
		return ids.tgid;
	return pid_from_above(); /* the helper knows only processes of this namespace itself */
#else
	return bpf_get_current_pid_tgid() >> 32;
#endif
}

static __always_inline bool wanted(void)
{
#ifdef CGROUP
	if (cgroups.check_current_task(0) != 1)
		return false;
#endif
#ifdef PID_IS
	u32 pid = current_pid();

	return PID_IS(pid);
#else
	return true;
#endif
}

static __always_inline struct settings *current_settings(void)
{
	u32 only = 0;

	return settings.lookup(&only);
}

#if PREEMPTIBLE
#define MARKS 4096 /* objects between two programs: one for each task that allocates or frees at that moment */

BPF_HASH(marks, u64, u8, MARKS); /* by the address of the object: no other event has it before this one ends */
#endif

/* Whether the program of a raw tracepoint counts an event. */
static __always_inline bool raw_counts(struct settings *now, u64 object)
{
#if PREEMPTIBLE
	u8 mark = 1;

	return now->way == RAW || !marks.update(&object, &mark);
#else
	return true;
#endif
}

#if PREEMPTIBLE
/* Whether the program of a classic tracepoint counts an event. */
static __always_inline bool classic_counts(struct settings *now, u64 object)
{
	if (now->way == CLASSIC)
		return true;
	return now->way != RAW && marks.delete(&object) && now->way == TAKING;
}

static __always_inline u64 in_record(void *record, int offset)
{
	return *(u64 *)(record + offset);
}
#endif

/* Whether this program counts an event, and not the other kind's program; `lost`: the tally if neither can count it. */
static __always_inline bool counts(struct settings *now, u64 object, bool classic, u32 lost)
{
#if PREEMPTIBLE
	if (classic)
		return classic_counts(now, object);
#endif
	if (raw_counts(now, object))
		return true;
	tally(lost, 1);
	return false;
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

#ifdef RDONLY_CAST
/* A variable, as in bcc's declarations of helper functions: bcc 0.18 aborts if the callee of a call is an expression. */
static u64 *(*rdonly_cast)(u64 address, u32 type) = (void *)RDONLY_CAST;
#endif

/*
 * The address that the struct page of page number 0 would have, if addresses began at 0; 0: it is unknown. It is written
 * into the program as a constant when it is loaded, since reading it from a map takes some 2 ns. In assembler, so that
 * the compiler does not calculate with the number that stands for it.
 */
static __always_inline u64 base_of_pages(void)
{
	u64 base;

	asm volatile("%0 = " STRING(BASE_OF_PAGES) " ll" : "=r"(base));
	return base;
}

/*
 * Read a word of a struct page. Where the kernel has bpf_rdonly_cast() this is one load, which reads 0 where nothing is
 * mapped; elsewhere it is a call of a helper function, which takes several times as long.
 */
static __always_inline u64 read_page_word(u64 address)
{
#ifdef RDONLY_CAST
	return *rdonly_cast(address, WORD_TYPE);
#else
	return read_word(address);
#endif
}

/*
 * The page that an object lies in: virt_to_head_page(). A tail page names its head in a word whose lowest bit is set.
 * Before Linux 7.2 the rest of that word is the head's address, since then it is a mask; heads are aligned to their own
 * length, so that `page & word` is the head in both.
 */
static __always_inline u64 head_page(u64 object, u64 *word)
{
	u64 page = base_of_pages() + (object >> PAGE_SHIFT) * PAGE_STRUCT_SIZE;

	*word = read_page_word(page + PAGE_COMPOUND_HEAD);
	return *word & 1 ? page & *word : page;
}

/* The cache of an object that lies in a slab: virt_to_slab(object)->slab_cache. */
static __always_inline u64 cache_of(u64 object)
{
	u64 word = 0, head = head_page(object, &word);

	if (PAGE_SLAB_CACHE == PAGE_COMPOUND_HEAD && !(word & 1))
		return word;
	return read_page_word(head + PAGE_SLAB_CACHE);
}

/* The cache that an event of kmem_cache_alloc or kmem_cache_free names; if it names none, the cache of its object. */
static __always_inline u64 cache_of_event(struct bpf_raw_tracepoint_args *ctx, int argument)
{
	return argument < 0 ? cache_of(ctx->args[ARG_PTR]) : ctx->args[argument];
}

/* The address of the cache of a new object of kmalloc, or the number in its place. */
static __always_inline u64 cache_of_kmalloc(u64 object, u64 bytes_req, u64 bytes_alloc)
{
	u64 cache = 0;

	if (bytes_req > KMALLOC_MAX_CACHE)
		return LARGE;
	if (base_of_pages())
		cache = cache_of(object);
	return cache < LOWEST_ADDRESS ? SIZE_CLASS(bytes_alloc) : cache;
}
