// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Lists the caches of the kernel, including those that have not allocated yet. After common.bpf.h; attached to
 * kmem_cache_alloc for a moment.
 *
 * All caches are in one circular list, slab_caches in mm/slab_common.c, by the member `list` of struct kmem_cache: from
 * the cache of any event it leads to all others. It is read without its mutex, so user space checks the result. The head
 * of the list is not a cache. kernel/inventory.py defines CHUNK, the number of members that one event reads.
 */
struct walk {
	u64 wanted; /* whether the next event is to read a chunk */
	u64 first;  /* address of the list member where the walk began */
	u64 next;   /* address of the member to read next; 0: the walk is over */
	u64 read;   /* number of members in the last chunk */
};

BPF_ARRAY(walk, struct walk, 1);
BPF_ARRAY(chunk, struct cache, CHUNK);

int on_inventory(struct bpf_raw_tracepoint_args *ctx)
{
	u32 only = 0, number = 0, at;
	struct cache *cache;
	struct walk *state;
	u64 member;

	state = walk.lookup(&only);
	if (!state || !state->wanted || !ctx->args[ARG_PTR])
		return 0;
	if (!state->first) {
		state->first = cache_of_event(ctx, ARG_CACHE) + CACHE_LIST;
		state->next = state->first;
	}
	member = state->next;
#pragma clang loop unroll(disable)
	for (number = 0; number < CHUNK; number++) {
		if (!member)
			break;
		at = number;
		cache = chunk.lookup(&at);
		if (!cache)
			break;
		describe(cache, member - CACHE_LIST, 1);
		member = read_word(member);
		if (member == state->first)
			member = 0;
	}
	state->next = member;
	state->read = number;
	state->wanted = 0;
	return 0;
}
