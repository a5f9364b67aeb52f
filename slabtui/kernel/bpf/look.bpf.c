// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Tells who allocates from one cache: by call site, by stack or by process. After common.bpf.h; one pair of these
 * programs runs while somebody looks at that. What they note is shared by all CPUs and added to atomically: only the
 * events of one cache come that far.
 *
 * kernel/look.py defines ENTRIES and STACKS, how many of either are told apart, and REST: after a stack a CPU takes none
 * for so many times as long as that one took.
 */
#define MOST_STACK (8 << PAGE_SHIFT) /* bytes of a kernel stack, that of a KASAN kernel included */
#define KERNEL_THREAD 0x00200000     /* PF_KTHREAD in include/linux/sched.h */
#define MOST_REST 1000000000ULL      /* ns; a stack that calls for more took so long because the machine was halted */

enum { LOST, STACKS_TAKEN, STOOD_FOR, STACKS_NS };
enum { IN_PROCESS, IN_KERNEL_THREAD, IN_INTERRUPT };
enum { BY_CALLER, BY_STACK, BY_PROCESS };

struct entry {
	u64 allocs;    /* a stack stands for those too of which none was taken */
	u64 bytes;     /* of kmalloc; else user space knows the size */
	u64 epoch;
	u64 call_site;
	u64 cgroup;    /* id in the unified hierarchy */
	char comm[16];
};

struct turn { /* of one CPU */
	u64 left;    /* allocations until the next stack */
	u64 soonest; /* when that may be taken */
	u64 owed;    /* allocations that no stack stands for yet */
};

BPF_HASH(entries, u64, struct entry, ENTRIES);
BPF_STACK_TRACE(stacks, STACKS);
BPF_PERCPU_ARRAY(turns, struct turn, 1);

static __always_inline void note(u64 key, u64 allocs, u64 bytes, u64 call_site, u64 epoch)
{
	struct entry *entry = entries.lookup(&key);
	struct entry fresh = {.call_site = call_site};
	u64 leader;

	if (!entry) {
		entries.insert(&key, &fresh); /* refused where another CPU was first */
		entry = entries.lookup(&key);
		if (!entry) {
			tally(LOST, allocs);
			return;
		}
	}
	__sync_fetch_and_add(&entry->allocs, allocs);
	if (bytes) /* where the compiler knows it is none, it would make an instruction of this that old kernels lack */
		__sync_fetch_and_add(&entry->bytes, bytes);
	if (entry->epoch != epoch) { /* a process may change its name and its cgroup */
		entry->epoch = epoch;
		entry->cgroup = bpf_get_current_cgroup_id();
		leader = read_word(bpf_get_current_task() + TASK_GROUP_LEADER); /* a thread may have a name of its own */
		bpf_probe_read_kernel(entry->comm, sizeof(entry->comm), (void *)(leader + TASK_COMM));
	}
}

/*
 * Interrupts run on stacks of their own (x86: since 5.8 also those that end in a softirq), and the arguments of a raw
 * tracepoint lie on the stack of whoever passes it.
 */
static __always_inline u64 context(struct bpf_raw_tracepoint_args *ctx)
{
	struct bpf_raw_tracepoint_args *arguments = ctx;
	u64 task = bpf_get_current_task(), here = 0;
	u32 flags = 0;

	bpf_probe_read_kernel(&here, sizeof(here), &arguments); /* the verifier lets nobody calculate with the pointer */
	if (here - read_word(task + TASK_STACK) >= MOST_STACK)
		return IN_INTERRUPT;
	bpf_probe_read_kernel(&flags, sizeof(flags), (void *)(task + TASK_FLAGS));
	return flags & KERNEL_THREAD ? IN_KERNEL_THREAD : IN_PROCESS;
}

static __always_inline u64 process(struct bpf_raw_tracepoint_args *ctx)
{
	u64 where = context(ctx);

	return where << 32 | (where == IN_INTERRUPT ? 0 : current_pid());
}

/*
 * Whether it is an allocation's turn to have its stack taken. The turns are random, with the period as their mean: in
 * step with a loop, the same one of its allocations would be taken every time.
 */
static __always_inline bool my_turn(struct settings *now)
{
	u32 only = 0;
	struct turn *turn = turns.lookup(&only);

	if (!turn)
		return false;
	if (!turn->left || turn->left >= 2 * now->period) /* the last one has come, or the period has become shorter */
		turn->left = 1 + bpf_get_prandom_u32() % (2 * now->period - 1);
	return !--turn->left;
}

/*
 * Take the stack of an allocation whose turn it is; return how many it stands for, 0: it was not taken. User space fits
 * the period to the rate of the last interval. Should they come much faster now, or a stack take much longer, a turn is
 * skipped that would come too soon, and the next stack stands for what it would have stood for too.
 */
static __always_inline u64 take_stack(struct bpf_raw_tracepoint_args *ctx, struct settings *now, u64 *key)
{
	u32 only = 0;
	struct turn *turn = turns.lookup(&only);
	u64 began, took, rest, owed;
	s64 stack;

	if (!turn)
		return 0;
	turn->owed += now->period;
	began = bpf_ktime_get_ns();
	if (began < turn->soonest)
		return 0;
	owed = turn->owed;
	turn->owed = 0;
	stack = stacks.get_stackid(ctx, 0);
	took = bpf_ktime_get_ns() - began;
	rest = took * REST;
	turn->soonest = began + took + (rest < MOST_REST ? rest : MOST_REST);
	tally(STACKS_NS, took);
	if (stack < 0) { /* another one has its place, or there is none */
		tally(LOST, owed);
		return 0;
	}
	tally(STACKS_TAKEN, 1);
	tally(STOOD_FOR, owed);
	*key = stack;
	return owed;
}

static __always_inline int look(struct bpf_raw_tracepoint_args *ctx, struct settings *now, u64 bytes, int how)
{
	u64 key = ctx->args[ARG_CALL_SITE], allocs = 1;

	if (how == BY_PROCESS)
		key = process(ctx);
	else if (how == BY_STACK)
		allocs = take_stack(ctx, now, &key);
	if (allocs)
		note(key, allocs, bytes * allocs, ctx->args[ARG_CALL_SITE], now->epoch);
	return 0;
}

static __always_inline int on_alloc(struct bpf_raw_tracepoint_args *ctx, int how)
{
	struct settings *now = current_settings();

	if (!now || !ctx->args[ARG_PTR] || cache_of_event(ctx, ARG_CACHE) != now->target || !wanted())
		return 0;
	if (how == BY_STACK && !my_turn(now))
		return 0;
	return look(ctx, now, 0, how);
}

/* To look up the cache costs most here: only of an object of the right size, and only if it is its turn, comes to that.
 * A turn that another cache has had stands for as many of that cache, so that the shares stay right. */
static __always_inline int on_kmalloc(struct bpf_raw_tracepoint_args *ctx, int how)
{
	struct settings *now = current_settings();

	if (!now || !ctx->args[ARG_PTR] || (now->target_size && ctx->args[ARG_BYTES_ALLOC] != now->target_size))
		return 0;
	if (how == BY_STACK && !my_turn(now))
		return 0;
	if (!wanted() || cache_of_kmalloc(ctx->args[ARG_PTR], ctx->args[ARG_BYTES_REQ], ctx->args[ARG_BYTES_ALLOC]) != now->target)
		return 0;
	return look(ctx, now, ctx->args[ARG_BYTES_ALLOC], how);
}

int callers_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	return on_alloc(ctx, BY_CALLER);
}

int callers_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	return on_kmalloc(ctx, BY_CALLER);
}

int stacks_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	return on_alloc(ctx, BY_STACK);
}

int stacks_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	return on_kmalloc(ctx, BY_STACK);
}

int processes_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	return on_alloc(ctx, BY_PROCESS);
}

int processes_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	return on_kmalloc(ctx, BY_PROCESS);
}
