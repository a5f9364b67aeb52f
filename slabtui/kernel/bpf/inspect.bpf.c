// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Inspects one cache: counts its allocations by call site, by process, and by stack and process; the settings say which
 * of these kinds are wanted. After common.bpf.h and origin.bpf.h; one pair of these programs runs during an inspection,
 * two pairs where classic tracepoints take over. All CPUs share the rows and add to them atomically: only the events of
 * one cache get that far.
 *
 * kernel/inspect.py defines ROWS, STACK_ROWS and STACKS, the greatest number of each; RATE, the nanoseconds that must pass
 * for each nanosecond spent on taking stacks; and BESIDE, the nanoseconds of each stack that are not measured.
 */
#define MOST_PERIOD (1ULL << 24)     /* its square, some thousand times, fits into 64 bits */
#define LEAST_STEP 2000000ULL        /* ns of debt that double the period: ten stacks on a common machine */
#define STACKS_IN_STEP 2             /* or what this number of stacks costs, where that is more */
#define BETWEEN_FITS 64              /* draws: jiffies may be 10 ms, and a burst is over by then */
#define MOST_DOUBLINGS 32            /* MOST_PERIOD comes first */
#define OUTLIER 8                    /* a stack that takes this many times the usual was interrupted */
#define WEIGHT_OF_USUAL 8            /* stacks that the moving average of their cost covers */
#define IDENTITY ((1ULL << 48) - 1)  /* the bits of a key that distinguish the rows of one kind of an inspection */

#if STACKS > 1 << (48 - STACK_SHIFT)
#error "the number of a stack has no room in IDENTITY"
#endif

enum { BY_CALLER, BY_STACK, BY_PROCESS, KINDS };
enum { LOST /* the first of one for each kind */, LOST_EVENTS = KINDS, STACKS_TAKEN, STOOD_FOR, STACKS_NS };

struct row {
	u64 allocs;    /* for stacks an estimate: each stack taken counts for several allocations */
	u64 bytes;     /* for kmalloc; otherwise user space knows the size */
	u64 variance;  /* of `allocs`, where they are an estimate */
	u64 epoch;
	u64 call_site;
	u64 cgroup;    /* id in the unified hierarchy */
	char comm[COMM_SIZE];
};

struct budget { /* of all CPUs */
	u64 paid_at; /* when, by bpf_ktime_get_ns(), enough time has passed for the stacks taken so far */
	u64 usual;   /* ns that taking a stack costs: a moving average */
	u64 raised;  /* how often the period is doubled while `paid_at` is far ahead */
	u64 jiffies; /* when `raised` was last fitted */
};

BPF_HASH(rows, u64, struct row, ROWS);             /* by call site, and by process */
BPF_HASH(stack_rows, u64, struct row, STACK_ROWS); /* by stack and process: apart, since the others are exact */
BPF_STACK_TRACE(stacks, STACKS);
BPF_ARRAY(budgets, struct budget, 1);

/*
 * The key of a row has the inspection and the kind in the upper 16 bits: a program that was still running when its
 * inspection ended may add a row after the next one has begun. The lower 48 bits are
 *   - of a call site: its address, since those of kernel code differ there;
 *   - of a process: its PID in 32 bits, of which the kernel uses 22 (PID_MAX_LIMIT in include/linux/threads.h), and its
 *     context in two;
 *   - of a stack of a process: the same 34 bits, and the number of the stack, which is less than STACKS: 12 bits of 14.
 */
static __always_inline u64 key_of(u64 identity, u64 inspection, int kind)
{
	return (identity & IDENTITY) | (inspection << 2 | kind) << 48;
}

static __always_inline bool is_wanted(struct settings *now, int kind)
{
	return now->kinds >> kind & 1;
}

/* Return a row, which begins with 0; NULL: the table is full. */
static __always_inline struct row *row_of(u64 key, u64 call_site)
{
	struct row *row = rows.lookup(&key);
	struct row fresh = {.call_site = call_site};

	if (!row) {
		rows.insert(&key, &fresh); /* refused where another CPU was first */
		row = rows.lookup(&key);
	}
	return row;
}

static __always_inline struct row *stack_row_of(u64 key, u64 call_site)
{
	struct row *row = stack_rows.lookup(&key);
	struct row fresh = {.call_site = call_site};

	if (!row) {
		stack_rows.insert(&key, &fresh);
		row = stack_rows.lookup(&key);
	}
	return row;
}

static __always_inline void add(struct row *row, u64 allocs, u64 bytes)
{
	__sync_fetch_and_add(&row->allocs, allocs);
	if (bytes) /* for a constant 0 the compiler would emit an instruction that old kernels lack */
		__sync_fetch_and_add(&row->bytes, bytes);
}

/* Note the name and the cgroup of the process of a row, as they are now: a process may change them. */
static __always_inline void name(struct row *row, u64 epoch)
{
	row->epoch = epoch;
	row->cgroup = bpf_get_current_cgroup_id();
	read_name(row->comm);
}

/*
 * Whether a row is to be named: at its first event in an interval; and whenever it has as many allocations as a power of
 * two, so that a process that begins another program and soon ends has the name of that program.
 */
static __always_inline bool is_unnamed(struct row *row, u64 epoch)
{
	u64 allocs = row->allocs;

	return row->epoch != epoch || !(allocs & (allocs - 1));
}

/* Fit the period to the debt, which is the time until `paid_at`: each step of it but the first doubles the period. */
static __always_inline void fit(struct budget *budget, u64 now)
{
	u64 debt = budget->paid_at > now ? budget->paid_at - now : 0;
	u64 step = budget->usual * RATE * STACKS_IN_STEP;
	u64 steps = debt / (step > LEAST_STEP ? step : LEAST_STEP);

	if (steps > MOST_DOUBLINGS)
		steps = MOST_DOUBLINGS;
	budget->raised = steps ? steps - 1 : 0;
}

/*
 * Draw at random whether the stack of an allocation is taken: return how many allocations it stands for, or 0.
 *
 * Each is taken with the probability 1/period, independently of all others, and counts `period` times. The period at
 * the draw depends on earlier allocations only. So the expected sum of each stack is its number of allocations, in
 * whatever order stacks come. No allocation is skipped for another reason, and none is credited to another stack.
 */
static __always_inline u64 draw(struct settings *now)
{
	u32 only = 0;
	struct budget *budget = budgets.lookup(&only);
	u64 jiffies = bpf_jiffies64(); /* read from memory; a clock would cost more than all of the rest */
	u64 random = (u32)bpf_get_prandom_u32(), period;

	if (!budget)
		return 0;
	if (budget->jiffies != jiffies) {
		budget->jiffies = jiffies;
		fit(budget, bpf_ktime_get_ns());
	}
	period = now->period << (budget->raised & 63);
	if (period > MOST_PERIOD)
		period = MOST_PERIOD;
	if (random % BETWEEN_FITS == 0) /* after the period was read: the same random number is compared with it */
		fit(budget, bpf_ktime_get_ns());
	return random * period < 1ULL << 32 ? period : 0;
}

/* Charge the cost of a stack to the budget; only a part, if it was interrupted or its machine was halted meanwhile. */
static __always_inline void charge(u64 took, u64 now)
{
	u32 only = 0;
	struct budget *budget = budgets.lookup(&only);

	if (!budget)
		return;
	if (took > budget->usual * OUTLIER)
		took = budget->usual * OUTLIER;
	budget->usual = (budget->usual * (WEIGHT_OF_USUAL - 1) + took) / WEIGHT_OF_USUAL + 1;
	if (budget->paid_at < now)
		budget->paid_at = now;
	__sync_fetch_and_add(&budget->paid_at, (took + BESIDE) * RATE);
	fit(budget, now);
}

/* Take the stack of an allocation that counts for `allocs`; return its number, or less than 0: it could not be stored. */
static __always_inline s64 take_stack(void *ctx, u64 allocs)
{
	u64 began = bpf_ktime_get_ns(), ended;
	s64 stack = stacks.get_stackid(ctx, 0);

	ended = bpf_ktime_get_ns();
	tally(STACKS_NS, ended - began);
	charge(ended - began, ended);
	if (stack < 0) { /* another stack has the same hash, or the map is full */
		tally(LOST + BY_STACK, allocs);
		return stack;
	}
	tally(STACKS_TAKEN, 1);
	tally(STOOD_FOR, allocs);
	return stack;
}

static __always_inline void add_caller(struct event *event, u64 inspection, u64 bytes)
{
	struct row *row = row_of(key_of(event->call_site, inspection, BY_CALLER), event->call_site);

	if (row)
		add(row, 1, bytes);
	else
		tally(LOST + BY_CALLER, 1);
}

static __always_inline void add_process(struct settings *now, u64 inspection, u64 process, u64 bytes)
{
	struct row *row = row_of(key_of(process, inspection, BY_PROCESS), 0);

	if (!row) {
		tally(LOST + BY_PROCESS, 1);
		return;
	}
	add(row, 1, bytes);
	if (is_unnamed(row, now->epoch))
		name(row, now->epoch);
}

/*
 * Add a stack that counts for `allocs`. It has a row for each process, and from the first one on a row without a process:
 * there it is counted once the table is full. Processes come and go without an end, and stacks are a few hundred.
 */
static __always_inline void add_stack(struct event *event, struct settings *now, u64 inspection, u64 process, u64 allocs,
				      u64 bytes)
{
	s64 stack = take_stack(event->ctx, allocs);
	u64 identity = (u64)stack << STACK_SHIFT;
	struct row *row, *rest;

	if (stack < 0)
		return;
	rest = stack_row_of(key_of(identity | (u64)ANYWHERE << CONTEXT_SHIFT, inspection, BY_STACK), event->call_site);
	row = stack_row_of(key_of(identity | process, inspection, BY_STACK), event->call_site);
	if (!row)
		row = rest;
	if (!row) {
		tally(LOST + BY_STACK, allocs);
		return;
	}
	add(row, allocs, bytes * allocs);
	/* The variance of a count of `allocs` with the probability 1/allocs, whose mean is 1. */
	if (allocs > 1)
		__sync_fetch_and_add(&row->variance, allocs * (allocs - 1));
	name(row, now->epoch);
}

/* Count an allocation of the inspected cache in each kind that is wanted; `allocs`: what its stack counts for, or 0. */
static __always_inline void inspect(struct event *event, struct settings *now, u64 inspection, u64 allocs, u64 bytes)
{
	u64 who = 0;

	if (is_wanted(now, BY_CALLER))
		add_caller(event, inspection, bytes);
	if (is_wanted(now, BY_PROCESS) || allocs)
		who = process(event);
	if (is_wanted(now, BY_PROCESS))
		add_process(now, inspection, who, bytes);
	if (allocs)
		add_stack(event, now, inspection, who, allocs, bytes);
}

/* The number of the inspection. Read it before the target and the kinds: if the number is the new one, so are they. */
static __always_inline u64 inspection_of(struct settings *now)
{
	return *(volatile u64 *)&now->inspection;
}

static __always_inline int on_alloc(struct event *event, u64 cache)
{
	struct settings *now = current_settings();
	u64 inspection;

	if (!now || !event->object)
		return 0;
	inspection = inspection_of(now);
	if (cache == now->target && wanted() && counts(now, event->object, event->classic, LOST_EVENTS))
		inspect(event, now, inspection, is_wanted(now, BY_STACK) ? draw(now) : 0, 0);
	return 0;
}

/* The cache lookup is the expensive step, so check the size and draw first. */
static __always_inline int on_kmalloc(struct event *event)
{
	struct settings *now = current_settings();
	u64 inspection, allocs;

	if (!now || !event->object)
		return 0;
	inspection = inspection_of(now);
	if ((now->target_size && event->bytes_alloc != now->target_size) ||
	    !counts(now, event->object, event->classic, LOST_EVENTS))
		return 0;
	allocs = is_wanted(now, BY_STACK) ? draw(now) : 0;
	if (!allocs && !is_wanted(now, BY_CALLER) && !is_wanted(now, BY_PROCESS))
		return 0;
	if (wanted() && cache_of_kmalloc(event->object, event->bytes_req, event->bytes_alloc) == now->target)
		inspect(event, now, inspection, allocs, event->bytes_alloc);
	return 0;
}

int inspect_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct event event = {.ctx = ctx, .call_site = ctx->args[ARG_CALL_SITE], .object = ctx->args[ARG_PTR]};

	return on_alloc(&event, cache_of_event(ctx, ARG_CACHE));
}

int inspect_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct event event = {.ctx = ctx, .call_site = ctx->args[ARG_CALL_SITE], .object = ctx->args[ARG_PTR],
			      .bytes_req = ctx->args[ARG_BYTES_REQ], .bytes_alloc = ctx->args[ARG_BYTES_ALLOC]};

	return on_kmalloc(&event);
}

#if PREEMPTIBLE
int inspect_alloc_classic(void *record)
{
	struct event event = {.ctx = record, .classic = true, .call_site = in_record(record, RECORD_CALL_SITE),
			      .object = in_record(record, RECORD_PTR)};

	return on_alloc(&event, cache_of(event.object));
}

int inspect_kmalloc_classic(void *record)
{
	struct event event = {.ctx = record, .classic = true, .call_site = in_record(record, RECORD_CALL_SITE),
			      .object = in_record(record, RECORD_PTR),
			      .bytes_req = in_record(record, RECORD_BYTES_REQ),
			      .bytes_alloc = in_record(record, RECORD_BYTES_ALLOC)};

	return on_kmalloc(&event);
}
#endif
