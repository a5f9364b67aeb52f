// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Tracks which objects of one cache are held: those that were allocated since the programs began, and not freed. After
 * common.bpf.h and origin.bpf.h.
 *
 * The sample is one of addresses: an object is in it if the hash of its address is low enough. So the free of an object
 * finds out without any lookup whether its allocation was tracked, and most events leave after the hash. One address in N
 * is in the sample; each time N doubles, the addresses that stay in are half of those before.
 *
 * To take a stack costs microseconds, and a cache that turns over hands out a few addresses again and again, one of
 * which may be in the sample. So of the allocations in the sample only one in M is tracked, drawn at random. M differs
 * between strata: the allocations with the same call site and the same stack pointer, which nearly always have the
 * same stack and task. Each stratum has a budget, and its M rises while its stacks cost more. While all stacks cost
 * more than the budget for all, the budgets of the strata shrink, but less of a stratum that keeps its objects. So a
 * stratum that allocates rarely is tracked completely, M = 1, beside others that allocate all the time. A tracked
 * object stands for N * M objects. N and M depend on earlier events only, so the estimates are unbiased, whatever the
 * strata.
 *
 * Some frees have no event. If an address is handed out again, its object was freed: the entry is replaced, or deleted if
 * the new object is not drawn. held_check deletes entries whose page no longer belongs to the cache. Where the kernel has
 * probes on functions (fentry), what is allocated and freed in bulk is followed.
 *
 * kernel/held.py defines ENTRIES, the greatest number of tracked objects, and GOAL, the number at which N doubles;
 * STACKS and STRATA, the greatest numbers of both; RATE and STRATUM_RATE, the nanoseconds that must pass for each
 * nanosecond spent on taking stacks, of all and of one stratum; TIMED, the number of events of the sample of which one
 * is timed; BESIDE, the nanoseconds of each stack that are not measured; USUAL, those that it takes until that is
 * known; CHUNK, the entries that one run of held_check examines; and SHEAF_RESULT, see bulk.bpf.c.
 */
#define LEAST_STEP 16000000ULL /* ns of debt that double M: 16 stacks on a common machine */
#define LEAST_STEP_OF_ALL 20000000ULL /* ns of debt that halve the budgets of strata: 0.2 ms of work */
#define STACKS_IN_STEP 16     /* or what this number of stacks costs, where that is more */
#define FAVOUR 4              /* halvings that the budget of a stratum is spared that keeps its objects */
#define KEPT_PART 4           /* it keeps them if less than a quarter of its last tracked objects were freed */
#define LEAST_TAKEN 4         /* tracked objects by which this is judged */
#define MOST_TAKEN 64         /* above that number half of them are forgotten */
#define OUTLIER 4             /* a stack that takes this many times the usual was interrupted */
#define WEIGHT_OF_USUAL 8     /* stacks that the moving average of their cost covers */
#define MOST_RAISED 12        /* doublings of M, and halvings of budgets: 4096 is enough for a million events per second */
#define CREDIT 16             /* steps of debt of a stratum before M doubles: a burst of 256 objects is tracked in full */
#define CREDIT_OF_ALL 64      /* steps of debt before the budgets of strata halve: 13 ms of work */
#define MOST_DOUBLINGS 32     /* of N */
#define MOST_NS 1000          /* an event that takes longer was interrupted; and each object in bulk */
#define LIFETIMES 40          /* powers of two: the last one is 6 days */
#define MOST_FREED 512        /* objects of one free in bulk: kfree_rcu() gathers fewer in a page */
#define MOST_ALLOCATED 64     /* objects of one allocation in bulk: io_uring asks for 8, NAPI for 16 or more; others are lost */
#define SPREAD 0x9E3779B97F4A7C15ULL /* odd, with its bits spread evenly: 2^64 divided by the golden ratio */

/*
 * The sums are in objects: those of the sample count N times, those of entries N * M times. An allocation of the sample is
 * either DRAWN or SKIPPED. TIMED_NS is what events of the sample took that were timed, without those that took a stack.
 */
enum { LOST_EVENTS, DRAWN, SKIPPED, FREED, REPLACED, MOVED_ON, LOST_TRACKED, STACKS_TAKEN, STACKS_NS, TIMED_NS };

struct entry {
	u64 hash;      /* of its address */
	u64 time;      /* of its allocation, by bpf_ktime_get_ns() */
	u64 identity;  /* number of its stack, context and PID: those of a row of stacks in inspect.bpf.c */
	u32 draws;     /* M, when it was drawn */
	u32 stratum;   /* of its allocation */
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
	u64 pressure; /* of a stratum: how often it was halved, when it was last fitted */
	u64 taken;    /* of a stratum: the objects that were tracked lately */
	u64 freed;    /* of a stratum: tracked objects that were freed meanwhile */
};

struct budgets {
	struct held_budget *own; /* of the stratum of an allocation */
	struct held_budget *all;
	u32 stratum;
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
BPF_PERCPU_ARRAY(random_states, u64, 1);

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
 * A random number by a xorshift generator of this CPU, seeded at its first use. bpf_get_prandom_u32() takes up to 80 ns
 * where the CPU does other work between two events. A program that interrupts this one may get the same number, which
 * does no harm.
 */
static __always_inline u32 draw_random(void)
{
	u32 only = 0;
	u64 *state = random_states.lookup(&only), next;

	if (!state)
		return 0;
	next = *state ? *state : bpf_get_prandom_u32() | 1ULL << 32;
	next ^= next << 13;
	next ^= next >> 7;
	next ^= next << 17;
	*state = next;
	return next * SPREAD >> 32;
}

/* Return when the handling of an event began, if it is one of those that are timed; else 0. */
static __always_inline u64 begin_timing(u32 random)
{
	return (u64)random * TIMED >> 32 ? 0 : bpf_ktime_get_ns(); /* by its upper bits: is_drawn() uses the lower ones */
}

/* Add up what the handling of an event took, if it is timed. The clock takes about as long as the hash before it did. */
static __always_inline void end_timing(u64 began, u64 objects)
{
	u64 took;

	if (!began)
		return;
	took = bpf_ktime_get_ns() - began;
	tally(TIMED_NS, took < MOST_NS * objects ? took : MOST_NS * objects);
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

/* Note in the stratum of a tracked object that it was freed. */
static __always_inline void count_freed(u32 stratum)
{
	struct held_budget *own = held_budgets.lookup(&stratum);

	if (own)
		__sync_fetch_and_add(&own->freed, 1);
}

static __always_inline u64 debt_of(struct held_budget *budget, u64 now)
{
	return budget->paid_at > now ? budget->paid_at - now : 0;
}

static __always_inline u64 usual_of(struct held_budget *all)
{
	return all->usual ? all->usual : USUAL;
}

/* The smallest debt that counts, or more where stacks cost more than usual machines take. */
static __always_inline u64 step_of(u64 usual, u64 rate, u64 least)
{
	u64 step = usual * rate * STACKS_IN_STEP;

	return step > least ? step : least;
}

/* Fit `raised` to the debt: to each step of it after the first `credit` ones. */
static __always_inline void fit(struct held_budget *budget, u64 step, u64 credit, u64 now)
{
	u64 steps = debt_of(budget, now) / step;

	steps = steps > credit ? steps - credit : 0;
	budget->raised = steps < MOST_RAISED ? steps : MOST_RAISED;
}

/*
 * How often the budget of a stratum is halved while all of them have too much to do. What is held is in question: one that
 * keeps its objects, as a leak does, needs its stacks more than another one whose objects are soon freed.
 */
static __always_inline u64 pressure_on(struct held_budget *own, struct held_budget *all)
{
	u64 pressure = all->raised;

	if (own->taken < LEAST_TAKEN || own->freed * KEPT_PART >= own->taken)
		return pressure;
	return pressure > FAVOUR ? pressure - FAVOUR : 0;
}

static __always_inline void fit_all(struct held_budget *all, u64 now)
{
	fit(all, step_of(usual_of(all), RATE, LEAST_STEP_OF_ALL), CREDIT_OF_ALL, now);
}

/* Fit a stratum. Its budget is halved as often as the pressure says, so a debt from another pressure is another one. */
static __always_inline void fit_stratum(struct budgets *of, u64 now)
{
	struct held_budget *own = of->own;
	u64 debt = debt_of(own, now), pressure = pressure_on(own, of->all);

	if (own->pressure != pressure) {
		debt = own->pressure > pressure ? debt >> (own->pressure - pressure) : debt << (pressure - own->pressure);
		own->pressure = pressure;
		own->paid_at = now + debt;
	}
	fit(own, step_of(usual_of(of->all), STRATUM_RATE, LEAST_STEP) << pressure, CREDIT >> (pressure & 63), now);
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

/* Charge what it has cost to take a stack, and to track an object with it. */
static __always_inline void charge_stack(struct budgets *of, u64 began)
{
	struct held_budget *own = of->own, *all = of->all;
	u64 now = bpf_ktime_get_ns(), took = now - began, usual = usual_of(all);

	tally(STACKS_TAKEN, 1);
	tally(STACKS_NS, took);
	if (took > usual * OUTLIER) /* it was interrupted, or its machine was halted meanwhile */
		took = usual * OUTLIER;
	all->usual = (usual * (WEIGHT_OF_USUAL - 1) + took) / WEIGHT_OF_USUAL + 1;
	charge(all, (took + BESIDE) * RATE, now);
	fit_all(all, now);
	charge(own, (took + BESIDE) * STRATUM_RATE << (own->pressure & 31), now);
	if (++own->taken > MOST_TAKEN) {
		own->taken /= 2;
		own->freed /= 2;
	}
	fit_stratum(of, now);
}

/* Take the stack of an allocation; return its number. */
static __always_inline u64 take_stack(void *ctx)
{
	s64 stack = stacks.get_stackid(ctx, 0);

	return stack < 0 ? STACKS : stack; /* another stack has the same hash, or the map is full */
}

/* Store an object that was drawn. */
static __always_inline void track(u64 object, struct sample *now, struct entry *entry, u64 doublings)
{
	struct entry *known = held.lookup(&object);
	u64 draws = known ? known->draws : 0;
	u32 stratum = known ? known->stratum : 0;

	if (held.update(&object, entry)) {
		tally(LOST_TRACKED, (u64)entry->draws << doublings); /* the table is full */
		return;
	}
	if (known) {
		tally(REPLACED, draws << doublings);
		count_freed(stratum);
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
	tally(REPLACED, (u64)known->draws << doublings);
	count_freed(known->stratum);
	forget(now, object);
}

/* Find the budgets of an allocation, and fit them to this moment; false: there are none. */
static __always_inline bool find_budgets(struct event *event, struct budgets *of)
{
	u32 last = STRATA;

	of->stratum = hash_of(stack_of(event) ^ event->call_site, 0) >> 32 & (STRATA - 1);
	of->all = held_budgets.lookup(&last);
	of->own = held_budgets.lookup(&of->stratum);
	if (!of->all || !of->own)
		return false;
	if (is_outdated(of->all))
		fit_all(of->all, bpf_ktime_get_ns());
	if (is_outdated(of->own))
		fit_stratum(of, bpf_ktime_get_ns());
	return true;
}

/* Draw whether an allocation of the sample is tracked: one in `draws` is. `random` has another value for each. */
static __always_inline bool is_drawn(u64 object, u32 random, struct sample *now, u32 draws, u64 doublings)
{
	if (!(random & (draws - 1))) {
		tally(DRAWN, 1ULL << (doublings & 63));
		return true;
	}
	tally(SKIPPED, 1ULL << (doublings & 63));
	drop(object, now, doublings);
	return false;
}

/* Describe in an entry how likely it was to be drawn. */
static __always_inline void describe_draw(struct entry *entry, struct budgets *of)
{
	entry->draws = 1U << (of->own->raised & 31);
	entry->stratum = of->stratum;
}

/* Describe in an entry who allocates. */
static __always_inline void describe_holder(struct entry *entry, struct event *event)
{
	entry->time = bpf_ktime_get_ns();
	entry->identity = take_stack(event->ctx) << STACK_SHIFT | process(event);
	entry->call_site = event->call_site;
	entry->cgroup = bpf_get_current_cgroup_id();
	read_name(entry->comm);
}

/* Track an allocation of the sample if it is drawn; return whether it is. */
static __always_inline bool draw(struct event *event, u32 random, struct sample *now, u64 hash, u64 doublings)
{
	struct entry entry = {.hash = hash};
	struct budgets of;

	if (!find_budgets(event, &of))
		return false;
	describe_draw(&entry, &of);
	if (!is_drawn(event->object, random, now, entry.draws, doublings))
		return false;
	describe_holder(&entry, event);
	track(event->object, now, &entry, doublings);
	charge_stack(&of, entry.time);
	return true;
}

/* Handle an allocation of the cache whose address is in the sample. */
static __always_inline void hold(struct event *event, struct settings *now, struct sample *sample, u64 hash, u64 doublings)
{
	u32 random;
	u64 began;

	if (!counts(now, event->object, event->classic, LOST_EVENTS))
		return;
	random = draw_random();
	began = begin_timing(random);
	if (!wanted())
		drop(event->object, sample, doublings);
	else if (draw(event, random, sample, hash, doublings))
		return;
	end_timing(began, 1);
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

/* Without a branch or a shift by a variable: the verifier follows each way through each round of a loop. */
static __always_inline u64 log2_of(u64 number)
{
	number |= 1;
#pragma unroll
	for (int bits = 1; bits < 64; bits *= 2) /* set all bits below the highest one, and count them */
		number |= number >> bits;
	number -= number >> 1 & 0x5555555555555555;
	number = (number & 0x3333333333333333) + (number >> 2 & 0x3333333333333333);
	number = (number + (number >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (number * 0x0101010101010101 >> 56) - 1;
}

/* Handle the end of a tracked object; return how many entries are deleted: none if another CPU was first. */
static __always_inline u64 end(struct entry *entry, u64 object, u64 doublings)
{
	u64 power = log2_of((bpf_ktime_get_ns() - entry->time) / 1000);
	u32 stack = entry->identity >> STACK_SHIFT;
	struct lifetimes *of_stack = lifetimes.lookup(&stack);
	s64 error;

	if (power >= LIFETIMES)
		power = LIFETIMES - 1;
	if (of_stack)
		__sync_fetch_and_add(&of_stack->freed[power], (u64)entry->draws << doublings);
	count_freed(entry->stratum);
	error = held.delete(&object);
	return 1 + (error >> 63);
}

/* Handle the free of an object of the sample; `entry` is NULL where it is not tracked. */
static __always_inline void release_sampled(u64 object, struct entry *entry, struct sample *sample, u64 doublings)
{
	tally(FREED, 1ULL << (doublings & 63));
	if (entry)
		__sync_fetch_and_add(&sample->entries, -end(entry, object, doublings));
}

/* Handle a free, whichever process does it. `cache`: the one that the event names; 0: it names none. */
static __always_inline int release(u64 object, u64 cache, bool classic)
{
	struct settings *now = current_settings();
	struct sample *sample = current_sample();
	u64 doublings, began;

	if (!now || !sample || object < LOWEST_ADDRESS || (cache && cache != now->target))
		return 0;
	doublings = sample->doublings;
	if (!is_sampled(hash_of(object, sample->salt), doublings) || (!cache && cache_of(object) != now->target))
		return 0;
	if (!counts(now, object, classic, LOST_EVENTS))
		return 0;
	began = begin_timing(draw_random());
	release_sampled(object, held.lookup(&object), sample, doublings);
	end_timing(began, 1);
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

	return read_word((page & (word | ((word & 1) - 1))) + PAGE_SLAB_CACHE); /* the head of a tail page, see head_page() */
}

static __always_inline u64 object_at(u64 objects, u32 place)
{
	return read_word(objects + place * sizeof(u64));
}

/*
 * kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t size, void **p), see bulk.bpf.c. Each object is drawn
 * by itself, so that estimates and errors are those of single allocations; all of them share one stack.
 *
 * The arguments are read from memory: up to Linux 6.18 at least the verifier refuses one that points to pointers.
 */
int held_alloc_bulk(u64 *ctx)
{
	struct event event = {.ctx = ctx}; /* its caller is in its stack */
	struct settings *now = current_settings();
	struct sample *sample = current_sample();
	struct entry entry = {};
	struct budgets of;
	u64 args[5] = {}, doublings, began;
	bool is_wanted;
	u32 seen;

	bpf_probe_read_kernel(args, sizeof(args), ctx);
	if (!now || !sample || args[0] != now->target || !(u32)args[4] || !find_budgets(&event, &of))
		return 0;
	began = begin_timing(draw_random());
	describe_draw(&entry, &of);
	is_wanted = wanted();
#pragma clang loop unroll(disable)
	for (seen = 0; seen < MOST_ALLOCATED; seen++) {
		if (seen >= args[2])
			break;
		doublings = sample->doublings;
		event.object = object_at(args[3], seen);
		entry.hash = hash_of(event.object, sample->salt);
		if (!is_sampled(entry.hash, doublings))
			continue;
		if (!is_wanted) {
			drop(event.object, sample, doublings);
			continue;
		}
		if (!is_drawn(event.object, draw_random(), sample, entry.draws, doublings))
			continue;
		if (!entry.time)
			describe_holder(&entry, &event);
		track(event.object, sample, &entry, doublings);
	}
	if (entry.time)
		charge_stack(&of, entry.time);
	else
		end_timing(began, seen);
	if (args[2] > seen)
		tally(LOST_EVENTS, args[2] - seen);
	return 0;
}

/* void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p); s is NULL where caches are mixed, as they are
 * for kfree_rcu(). The program runs before the function: afterwards the addresses may be handed out again. Sums in local
 * variables would be too complex for the verifier of Linux 6.1. */
int held_free_bulk(u64 *ctx)
{
	struct settings *now = current_settings();
	struct sample *sample = current_sample();
	u64 args[3] = {}, object, doublings, began;
	struct entry *entry;
	u32 seen;

	bpf_probe_read_kernel(args, sizeof(args), ctx);
	if (!now || !sample || (args[0] && args[0] != now->target))
		return 0;
	began = begin_timing(draw_random());
#pragma clang loop unroll(disable)
	for (seen = 0; seen < MOST_FREED; seen++) {
		if (seen >= args[1])
			break;
		doublings = sample->doublings;
		object = object_at(args[2], seen);
		if (!is_sampled(hash_of(object, sample->salt), doublings))
			continue;
		entry = held.lookup(&object);
		if (entry || owner_of(object) == now->target)
			release_sampled(object, entry, sample, doublings);
	}
	end_timing(began, seen);
	return 0;
}

/* bool __kfree_rcu_sheaf(struct kmem_cache *s, void *obj, ...), see bulk.bpf.c. */
int held_free_to_sheaf(u64 *ctx)
{
	struct settings *now = current_settings();
	struct sample *sample = current_sample();
	u64 args[SHEAF_RESULT + 1] = {}, doublings;

	bpf_probe_read_kernel(args, sizeof(args), ctx);
	if (!now || !sample || args[0] != now->target || !(u8)args[SHEAF_RESULT])
		return 0;
	doublings = sample->doublings;
	if (is_sampled(hash_of(args[1], sample->salt), doublings))
		release_sampled(args[1], held.lookup(&args[1]), sample, doublings);
	return 0;
}

/* Whether an entry is of the sample and its object may still be held. */
static __always_inline bool is_current(struct entry *entry, u64 object, u64 target, u64 doublings)
{
	if (!is_sampled(entry->hash, doublings))
		return false;
	if (owner_of(object) == target)
		return true;
	tally(MOVED_ON, (u64)entry->draws << doublings);
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
