// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Where an allocation comes from: its process, or the kernel thread or interrupt. After common.bpf.h. */
#define MOST_STACK (8 << PAGE_SHIFT) /* bytes of a kernel stack, that of a KASAN kernel included */
#define KERNEL_THREAD 0x00200000     /* PF_KTHREAD in include/linux/sched.h */
#define CONTEXT_SHIFT 32             /* above a PID; a context has two bits */
#define STACK_SHIFT 34               /* above both */
#define COMM_SIZE 16                 /* TASK_COMM_LEN */

enum { IN_PROCESS, IN_KERNEL_THREAD, IN_INTERRUPT, ANYWHERE };

/* An allocation, from either kind of tracepoint. */
struct event {
	void *ctx;       /* what the tracepoint passes, for a helper that takes the stack */
	bool classic;
	u64 call_site;
	u64 object;
	u64 bytes_req;   /* of kmalloc only, like bytes_alloc */
	u64 bytes_alloc;
};

/* Return an address on the stack that an allocation runs on. */
static __always_inline u64 stack_of(struct event *event)
{
	void *passed = event->ctx;
	u64 address = 0;

#if PREEMPTIBLE
	/* While a program of a classic tracepoint runs, its record begins with the address of the caller's registers. */
	if (event->classic) {
		bpf_probe_read_kernel(&address, sizeof(address), passed);
		return read_word(address + REGISTERS_SP);
	}
#endif
	/* The arguments lie on the stack of the caller. The verifier allows no arithmetic with the pointer: read it. */
	bpf_probe_read_kernel(&address, sizeof(address), &passed);
	return address;
}

/* Interrupts run on stacks of their own (x86: since 5.8 also those that end in a softirq). */
static __always_inline u64 context(struct event *event)
{
	u64 task = bpf_get_current_task();
	u32 flags = 0;

	if (stack_of(event) - read_word(task + TASK_STACK) >= MOST_STACK)
		return IN_INTERRUPT;
	bpf_probe_read_kernel(&flags, sizeof(flags), (void *)(task + TASK_FLAGS));
	return flags & KERNEL_THREAD ? IN_KERNEL_THREAD : IN_PROCESS;
}

static __always_inline u64 process(struct event *event)
{
	u64 where = context(event);

	return where << CONTEXT_SHIFT | (where == IN_INTERRUPT ? 0 : current_pid());
}

/* The name of the current process; a thread may have a name of its own. */
static __always_inline void read_name(char *comm)
{
	u64 leader = read_word(bpf_get_current_task() + TASK_GROUP_LEADER);

	bpf_probe_read_kernel(comm, COMM_SIZE, (void *)(leader + TASK_COMM));
}
