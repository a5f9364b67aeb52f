// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Finds the value of base_of_pages() from allocations whose cache is known. After common.bpf.h; attached to
 * kmem_cache_alloc for a moment at the start.
 *
 * The kernel keeps all struct page in one array, in the order of the pages. The start addresses of the array and of the
 * pages are random on x86-64 (KASLR), and only kernel variables contain them. Both are multiples of 1 GiB or more, so
 * the value is a multiple of PAGE_STEP. The struct page of any page gives a value near it: the difference is the
 * distance of two pages, so there are as many candidates as the machine has GiB. The current task provides such a struct
 * page: its stack is mapped, and the mapping lists its pages. The nearest candidates are tried first, and none that is
 * farther away than two pages can be: beyond the array are the mappings of devices.
 */
#define CANDIDATES 16        /* candidates that one event tries */
#define MOST_CANDIDATES 16384 /* 8 TiB on either side; then the search starts again */

struct calibration {
	u64 centre; /* the candidate tried first, 0: none yet */
	u64 next;   /* number of the candidate that is tried next; odd numbers lie below the centre */
	u64 trial;  /* a candidate that was right once, 0: none */
	u64 agreed; /* further events for which it was right */
};

BPF_ARRAY(calibration, struct calibration, 1);

/* Like cache_of(), but a candidate may be wrong: the helper function reads 0 where nothing is mapped. */
static __always_inline u64 cache_by(u64 candidate, u64 object)
{
	u64 page = candidate + (object >> PAGE_SHIFT) * PAGE_STRUCT_SIZE;
	u64 word = read_word(page + PAGE_COMPOUND_HEAD);

	return read_word((word & 1 ? page & word : page) + PAGE_SLAB_CACHE);
}

/*
 * Whether a candidate gives the cache that the event names. Before Linux 6.1 the event names none: then, whether the
 * sizes of that cache are the two sizes in the event.
 */
static __always_inline bool agrees(struct bpf_raw_tracepoint_args *ctx, u64 candidate)
{
	u64 cache = cache_by(candidate, ctx->args[ARG_PTR]);
#if ARG_CACHE >= 0
	return cache == ctx->args[ARG_CACHE];
#else
	u32 size = 0, object_size = 0;

	bpf_probe_read_kernel(&size, sizeof(size), (void *)(cache + CACHE_SIZE));
	bpf_probe_read_kernel(&object_size, sizeof(object_size), (void *)(cache + CACHE_OBJECT_SIZE));
	return object_size == ctx->args[ARG_BYTES_REQ] && size == ctx->args[ARG_BYTES_ALLOC];
#endif
}

/* The struct page of a page of the task's stack; 0: it has none that is mapped. */
static __always_inline u64 stack_page(void)
{
	u64 area = read_word(bpf_get_current_task() + TASK_STACK_VM_AREA);

	return area ? read_word(read_word(area + VM_STRUCT_PAGES)) : 0;
}

int on_calibration(struct bpf_raw_tracepoint_args *ctx)
{
	u64 page, number, candidate, object = ctx->args[ARG_PTR];
	struct calibration *found;
	u32 only = 0;

	found = calibration.lookup(&only);
	if (!found || !object)
		return 0;
	if (found->trial) {
		if (agrees(ctx, found->trial)) {
			__sync_fetch_and_add(&found->agreed, 1);
		} else {
			found->agreed = 0;
			found->trial = 0;
		}
		return 0;
	}
	if (!found->centre) {
		page = stack_page();
		if (!page)
			return 0;
		found->centre = (page - (object >> PAGE_SHIFT) * PAGE_STRUCT_SIZE) & ~(PAGE_STEP - 1);
	}
	number = found->next < MOST_CANDIDATES ? found->next : 0;
	/* Unrolled: up to Linux 6.1 the verifier refuses a loop that the compiler enters in the middle. */
#pragma unroll
	for (int i = 0; i < CANDIDATES; i++, number++) {
		candidate = found->centre + (number & 1 ? -((number + 1) / 2) : number / 2) * PAGE_STEP;
		if (agrees(ctx, candidate)) {
			found->trial = candidate;
			found->agreed = 0;
			number++;
			break;
		}
	}
	found->next = number;
	return 0;
}
