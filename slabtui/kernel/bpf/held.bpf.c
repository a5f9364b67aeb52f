// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Tracks which objects of one cache are held: those that were allocated since the programs began, and not freed. After
 * common.bpf.h and origin.bpf.h.
 *
 * The sample is one of addresses: an object is in it if the hash of its address is low enough. So the free of an object
 * finds out without any lookup whether its allocation was tracked, and most events leave after the hash. One address in N
 * is in the sample; each time N doubles, the addresses that stay in are half of those before.
 *
 * To take a stack costs microseconds, and a cache that turns over hands out a few addresses again and again, one of which
 * may be in the sample. So of the allocations in the sample only one in M is tracked, drawn at random. M differs between
 * strata: the allocations with the same call site and the same stack pointer, which nearly always have the same stack and
 * task. Each stratum has a budget, and its M rises while its stacks cost more. While all stacks cost more than the budget
 * for all, the budgets of all strata shrink alike. So a stratum that allocates rarely is tracked completely, M = 1, beside
 * others that allocate all the time. A tracked object stands for N * M objects. N and M depend on earlier events only, so
 * the estimates are unbiased, whatever the strata.
 *
 * Some frees have no event. If an address is handed out again, its object was freed: the entry is replaced, or deleted if
 * the new object is not drawn. held_check deletes entries whose page no longer belongs to the cache.
 *
 * kernel/held.py defines ENTRIES, the greatest number of tracked objects, and GOAL, the number at which N doubles; STACKS
 * and STRATA, the greatest numbers of both; RATE and STRATUM_RATE, the nanoseconds that must pass for each nanosecond
 * spent on taking stacks, of all and of one stratum; BESIDE, the nanoseconds of each stack that are not measured; USUAL,
 * those that it takes until that is known; and CHUNK, the entries that one run of held_check examines.
 */
#define LEAST_STEP 2000000ULL /* ns of debt that double M: two stacks on a common machine */
#define LEAST_STEP_OF_ALL 20000000ULL /* ns of debt that halve the budgets of strata: 0.2 ms of work */
#define STACKS_IN_STEP 2      /* or what this number of stacks costs, where that is more */
#define OUTLIER 4             /* a stack that takes this many times the usual was interrupted */
#define WEIGHT_OF_USUAL 8     /* stacks that the moving average of their cost covers */
#define MOST_RAISED 16        /* doublings of M, and of what a stack is charged to a stratum */
#define MOST_DOUBLINGS 32     /* of N */
#define LIFETIMES 40          /* powers of two: the last one is 6 days */
#define SPREAD 0x9E3779B97F4A7C15ULL /* odd, with its bits spread evenly: 2^64 divided by the golden ratio */

/* The sums are in objects: those of the sample count N times, those that were drawn N * M times. */
enum { LOST_EVENTS, ALLOCATED, FREED, REPLACED, MOVED_ON, LOST_TRACKED, STACKS_TAKEN, STACKS_NS, EVENTS, SKIPPED };

struct entry {
	u64 hash;      /* of its address */
	u64 time;      /* of its allocation, by bpf_ktime_get_ns() */
	u64 identity;  /* number of its stack, context and PID: those of a row of stacks in inspect.bpf.c */
	u64 draws;     /* M, when it was drawn */
	u64 call_site;
	u64 cgroup;    /* id in the unified hierarchy */
	char comm[COMM_SIZE];
};

struct sample {
	u64 salt;      /* makes the sample another one each time */
	u64 doublings; /* log2 of N; it only rises */
	u64 entries;   /* those of the sample in `held`, about; user space corrects it */
};

struct held_budget {
	u64 paid_at; /* when, by bpf_ktime_get_ns(), enough time has passed for the stacks taken so far */
	u64 usual;   /* of the budget for all: ns that taking a stack costs, a moving average */
	u64 raised;  /* while `paid_at` is far ahead: how often M is doubled; of the budget for all, how often others halve */
	u64 jiffies; /* when `raised` was last fitted */
	u64 pressure; /* of a stratum: `raised` of the budget for all, when it was last fitted */
};

struct lifetimes {
	u64 freed[LIFETIMES]; /* objects, by log2 of the microseconds that they lived */
};

struct checked {
	u64 doublings; /* what those of the sample are to be at least */
	u64 entries;   /* how many entries of the sample there are; 0: leave the number as it is */
	u64 number;    /* of addresses */
	u64 addresses[CHUNK]; /* of entries; 0: it is kept */
};

BPF_HASH(held, u64, struct entry, ENTRIES); /* by address */
BPF_ARRAY(sample, struct sample, 1);
BPF_ARRAY(held_budgets, struct held_budget, STRATA + 1); /* the last is the one for all */
BPF_ARRAY(lifetimes, struct lifetimes, STACKS + 1); /* by number of stack; the last is of those that have none */
BPF_ARRAY(checked, struct checked, 1);
BPF_STACK_TRACE(stacks, STACKS);

static __always_inline struct sample *current_sample(void)
{
	u32 only = 0;

	return sample.lookup(&only);
}

static __always_inline u64 hash_of(u64 object, u64 salt)
{
	u64 hash = (object ^ salt) * SPREAD;

	return (hash ^ hash >> 32) * SPREAD;
}

static __always_inline bool is_sampled(u64 hash, u64 doublings)
{
	return hash <= ~0ULL >> (doublings & 63);
}

/*
 * Double N. Another CPU may do it at the same moment: N is then four times as large, which is larger than needed but not
 * wrong. Entries that left the sample stay until held_check deletes them.
 */
static __always_inline void thin(struct sample *now, u64 doublings)
{
	now->entries /= 2;
	if (doublings < MOST_DOUBLINGS)
		now->doublings = doublings + 1;
}

static __always_inline void forget(struct sample *now, u64 object)
{
	if (!held.delete(&object))
		__sync_fetch_and_add(&now->entries, -1);
}

static __always_inline u64 debt_of(struct held_budget *budget, u64 now)
{
	return budget->paid_at > now ? budget->paid_at - now : 0;
}

/* The smallest debt that counts, or more where stacks cost more than usual machines take. */
static __always_inline u64 step_of(u64 usual, u64 rate, u64 least)
{
	u64 step = usual * rate * STACKS_IN_STEP;

	return step > least ? step : least;
}

/* Fit `raised` to the debt: to each step of it but the first. */
static __always_inline void fit(struct held_budget *budget, u64 step, u64 now)
{
	u64 steps = debt_of(budget, now) / step;

	if (steps > MOST_RAISED)
		steps = MOST_RAISED;
	budget->raised = steps ? steps - 1 : 0;
}

/* Fit a stratum, whose budget is halved as often as `pressure` says; so a debt from another pressure is another one. */
static __always_inline void fit_stratum(struct held_budget *own, u64 usual, u64 pressure, u64 now)
{
	u64 debt = debt_of(own, now);

	if (own->pressure != pressure) {
		debt = own->pressure > pressure ? debt >> (own->pressure - pressure) : debt << (pressure - own->pressure);
		own->pressure = pressure;
		own->paid_at = now + debt;
	}
	fit(own, step_of(usual, STRATUM_RATE, LEAST_STEP) << pressure, now);
}

/* Fit a budget again in each jiffy: read from memory, a clock would cost more than all of the rest. */
static __always_inline bool is_outdated(struct held_budget *budget)
{
	u64 jiffies = bpf_jiffies64();

	if (budget->jiffies == jiffies)
		return false;
	budget->jiffies = jiffies;
	return budget->raised;
}

static __always_inline void charge(struct held_budget *budget, u64 amount, u64 now)
{
	if (budget->paid_at < now)
		budget->paid_at = now;
	__sync_fetch_and_add(&budget->paid_at, amount);
}

static __always_inline u64 usual_of(struct held_budget *all)
{
	return all->usual ? all->usual : USUAL;
}

/* Take the stack of an allocation and charge what it costs; return its number. */
static __always_inline u64 take_stack(void *ctx, struct held_budget *own, struct held_budget *all, u64 began)
{
	s64 stack = stacks.get_stackid(ctx, 0);
	u64 now = bpf_ktime_get_ns(), took = now - began, usual = usual_of(all);

	tally(STACKS_TAKEN, 1);
	tally(STACKS_NS, took);
	if (took > usual * OUTLIER) /* it was interrupted, or its machine was halted meanwhile */
		took = usual * OUTLIER;
	usual = (usual * (WEIGHT_OF_USUAL - 1) + took) / WEIGHT_OF_USUAL + 1;
	all->usual = usual;
	charge(all, (took + BESIDE) * RATE, now);
	fit(all, step_of(usual, RATE, LEAST_STEP_OF_ALL), now);
	charge(own, (took + BESIDE) * STRATUM_RATE << (own->pressure & 31), now);
	fit_stratum(own, usual, all->raised, now);
	return stack < 0 ? STACKS : stack; /* another stack has the same hash, or the map is full */
}

/* Store an object that was drawn. */
static __always_inline void track(struct event *event, struct sample *now, struct entry *entry, u64 doublings)
{
	struct entry *known = held.lookup(&event->object);
	u64 draws = known ? known->draws : 0;

	if (held.update(&event->object, entry)) {
		tally(LOST_TRACKED, entry->draws << doublings); /* the table is full */
		return;
	}
	if (known) {
		tally(REPLACED, draws << doublings);
		return;
	}
	__sync_fetch_and_add(&now->entries, 1);
	if ((s64)now->entries > GOAL)
		thin(now, doublings);
}

/* An address that is handed out again, and whose new object is not tracked: the object before was freed. */
static __always_inline void drop(u64 object, struct sample *now, u64 doublings)
{
	struct entry *known = held.lookup(&object);

	if (!known)
		return;
	tally(REPLACED, known->draws << doublings);
	forget(now, object);
}

/* Draw at random whether an allocation of the sample is tracked, and do it. */
static __always_inline void draw(struct event *event, struct sample *now, u64 hash, u64 doublings)
{
	u32 last = STRATA, place = hash_of(stack_of(event) ^ event->call_site, 0) >> 32 & (STRATA - 1);
	struct held_budget *all = held_budgets.lookup(&last), *own = held_budgets.lookup(&place);
	struct entry entry = {.hash = hash, .call_site = event->call_site, .draws = 1};
	u64 raised;

	if (!all || !own)
		return;
	if (is_outdated(all))
		fit(all, step_of(usual_of(all), RATE, LEAST_STEP_OF_ALL), bpf_ktime_get_ns());
	if (is_outdated(own))
		fit_stratum(own, usual_of(all), all->raised, bpf_ktime_get_ns());
	raised = own->raised;
	if (raised) {
		entry.draws = 1ULL << (raised & 31);
		if (bpf_get_prandom_u32() & (entry.draws - 1)) {
			tally(SKIPPED, 1ULL << (doublings & 63));
			drop(event->object, now, doublings);
			return;
		}
	}
	entry.time = bpf_ktime_get_ns();
	entry.identity = take_stack(event->ctx, own, all, entry.time) << STACK_SHIFT | process(event);
	entry.cgroup = bpf_get_current_cgroup_id();
	read_name(entry.comm);
	track(event, now, &entry, doublings);
}

/* Handle an allocation of the cache whose address is in the sample. */
static __always_inline void hold(struct event *event, struct settings *now, struct sample *sample, u64 hash, u64 doublings)
{
	if (!counts(now, event->object, event->classic, LOST_EVENTS))
		return;
	tally(EVENTS, 1);
	if (!wanted()) {
		drop(event->object, sample, doublings);
		return;
	}
	tally(ALLOCATED, 1ULL << (doublings & 63));
	draw(event, sample, hash, doublings);
}

static __always_inline int hold_named(struct event *event, u64 cache)
{
	struct settings *now = current_settings();
	struct sample *sample = current_sample();
	u64 hash, doublings;

	if (!now || !sample || !event->object || cache != now->target)
		return 0;
	doublings = sample->doublings;
	hash = hash_of(event->object, sample->salt);
	if (is_sampled(hash, doublings))
		hold(event, now, sample, hash, doublings);
	return 0;
}

/* The cache lookup is the expensive step, so check the size and the hash first. */
static __always_inline int hold_kmalloc(struct event *event)
{
	struct settings *now = current_settings();
	struct sample *sample = current_sample();
	u64 hash, doublings;

	if (!now || !sample || !event->object || (now->target_size && event->bytes_alloc != now->target_size))
		return 0;
	doublings = sample->doublings;
	hash = hash_of(event->object, sample->salt);
	if (is_sampled(hash, doublings) && cache_of(event->object) == now->target)
		hold(event, now, sample, hash, doublings);
	return 0;
}

static __always_inline void end(u64 object, struct sample *now, u64 doublings)
{
	struct entry *entry = held.lookup(&object);
	struct lifetimes *of_stack;
	u64 micros, power = 0;
	u32 stack;

	if (!entry)
		return;
	micros = (bpf_ktime_get_ns() - entry->time) / 1000;
	stack = entry->identity >> STACK_SHIFT;
	of_stack = lifetimes.lookup(&stack);
#pragma unroll
	for (int bits = 32; bits; bits /= 2) { /* log2 */
		if (micros >> bits) {
			micros >>= bits;
			power += bits;
		}
	}
	if (power >= LIFETIMES)
		power = LIFETIMES - 1;
	if (of_stack)
		__sync_fetch_and_add(&of_stack->freed[power], entry->draws << doublings);
	forget(now, object);
}

/* Handle a free, whichever process does it. `cache`: the one that the event names; 0: it names none. */
static __always_inline int release(u64 object, u64 cache, bool classic)
{
	struct settings *now = current_settings();
	struct sample *sample = current_sample();
	u64 doublings;

	if (!now || !sample || object < LOWEST_ADDRESS || (cache && cache != now->target))
		return 0;
	doublings = sample->doublings;
	if (!is_sampled(hash_of(object, sample->salt), doublings) || (!cache && cache_of(object) != now->target))
		return 0;
	if (!counts(now, object, classic, LOST_EVENTS))
		return 0;
	tally(EVENTS, 1);
	tally(FREED, 1ULL << (doublings & 63));
	end(object, sample, doublings);
	return 0;
}

int held_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct event event = {.ctx = ctx, .call_site = ctx->args[ARG_CALL_SITE], .object = ctx->args[ARG_PTR]};

	return hold_named(&event, cache_of_event(ctx, ARG_CACHE));
}

int held_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct event event = {.ctx = ctx, .call_site = ctx->args[ARG_CALL_SITE], .object = ctx->args[ARG_PTR],
			      .bytes_alloc = ctx->args[ARG_BYTES_ALLOC]};

	return hold_kmalloc(&event);
}

int held_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	return release(ctx->args[ARG_PTR], ARG_FREED_CACHE < 0 ? 0 : ctx->args[ARG_FREED_CACHE], false);
}

int held_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	return release(ctx->args[ARG_PTR], 0, false);
}

#if PREEMPTIBLE
int held_alloc_classic(void *record)
{
	struct event event = {.ctx = record, .classic = true, .call_site = in_record(record, RECORD_CALL_SITE),
			      .object = in_record(record, RECORD_PTR)};

	return hold_named(&event, cache_of(event.object));
}

int held_kmalloc_classic(void *record)
{
	struct event event = {.ctx = record, .classic = true, .call_site = in_record(record, RECORD_CALL_SITE),
			      .object = in_record(record, RECORD_PTR),
			      .bytes_alloc = in_record(record, RECORD_BYTES_ALLOC)};

	return hold_kmalloc(&event);
}

int held_cache_free_classic(void *record)
{
	return release(in_record(record, RECORD_PTR), 0, true);
}

int held_kfree_classic(void *record)
{
	return release(in_record(record, RECORD_PTR), 0, true);
}
#endif

/* The cache of an object, by helper functions only: with bpf_rdonly_cast() the loop would be too complex. */
static __always_inline u64 owner_of(u64 object)
{
	u64 page = base_of_pages() + (object >> PAGE_SHIFT) * PAGE_STRUCT_SIZE;
	u64 word = read_word(page + PAGE_COMPOUND_HEAD);

	return read_word((word & 1 ? page & word : page) + PAGE_SLAB_CACHE);
}

/* Whether an entry is of the sample and its object may still be held. */
static __always_inline bool is_current(struct entry *entry, u64 object, u64 target, u64 doublings)
{
	if (!is_sampled(entry->hash, doublings))
		return false;
	if (owner_of(object) == target)
		return true;
	tally(MOVED_ON, entry->draws << doublings);
	return false;
}

/* Attached to nothing: user space runs it (BPF_PROG_TEST_RUN) for some entries after the other. */
int held_check(struct bpf_raw_tracepoint_args *ctx)
{
	struct settings *now = current_settings();
	struct sample *sample = current_sample();
	struct checked *these;
	struct entry *entry;
	u32 only = 0, place;
	u64 object;

	these = checked.lookup(&only);
	if (!now || !sample || !these)
		return 0;
	if (these->doublings > sample->doublings)
		thin(sample, these->doublings - 1);
#pragma clang loop unroll(disable)
	for (place = 0; place < CHUNK; place++) {
		if (place >= these->number)
			break;
		object = these->addresses[place & (CHUNK - 1)];
		entry = held.lookup(&object);
		if (entry && is_current(entry, object, now->target, sample->doublings))
			these->addresses[place & (CHUNK - 1)] = 0;
		else
			held.delete(&object);
	}
	if (these->entries)
		sample->entries = these->entries;
	return 0;
}
