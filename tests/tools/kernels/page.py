"""Renders docs/kernels.md from the results of one run. Pure; every figure comes from that run."""

from collections.abc import Iterable, Sequence

from tests.support.markdown import NONE, table
from tests.tools.kernels.results import (
    Comparison,
    Counts,
    Hidden,
    LiveTests,
    Result,
    SideBySide,
    Tool,
    Tracker,
    Trackers,
)

_TITLE = "# On other kernels"
_EXPLANATION = """\
Each kernel is Debian's own build, at random addresses (KASLR). It boots in an emulator (qemu without hardware
virtualisation, with two CPUs that run in turns) and uses the files of the machine that ran the command, so Python, bcc
and clang are the same for all kernels. Each kernel boots once, runs the live tests whose result depends on the kernel
([tests/live](../tests/live)), and then the comparisons below. **All times are times of the emulator**, several times
longer than on real hardware, and two guests run at a time: compare them only with each other, and roughly.

- **kmalloc exact**: whether kmalloc is counted in its real caches, not by size class.
- **lookup**: how the programs read the cache of an object: by a load that the kernel checks (`bpf_rdonly_cast`, Linux
  6.2 and later), or by one call per word (`bpf_probe_read_kernel`).
- **lookups compared**: where the kernel has both, the counts of each for one process that allocates and frees a known
  number of buffers (kmalloc, kfree), at the same time.
- **frees**: how many frees slabtui counts of a process that frees a known number of buffers (`names_cache`).
- **bulk**: whether bulk allocations and frees are counted, by probes on functions (fentry). If they are: how many
  io_uring requests were allocated in bulk, and freed, while rings were created and closed. This includes other users of
  the cache that the kernel merged theirs with.
- **modules**: two modules, each with a cache of its own, are loaded and unloaded in turns. The cell shows in how many
  rounds the cache was counted exactly under its name; it can be at the address of the other module's cache. Where the
  kernel merges it with another cache, slabtui knows its name up to 10 intervals later, so the first rounds fail.
- **counts compared**: one process opens files. slabtui with `-p`, and the kernel's own tracing (the ring buffer of a
  tracefs instance, filtered by thread and caller, without BPF), count the struct files (`filp`) that it allocates, at
  the same time. The sum of slabtui's count and `lost` must be at least the number of opens, and the count must not
  exceed it.
- **time to load**: from reading the kernel's description of its types (BTF) until counting starts.
- **-**: unknown, or not applicable.

All kernels are counted by raw tracepoints; no kprobe is needed. Before Linux 6.1 the events do not name their cache,
and slabtui looks it up through the page of the object ([counting.md](counting.md)).

Other architectures are not in this table, because a guest uses the files of the machine that boots it. On arm64 slabtui
was run by hand, on emulated machines with Debian's 6.1 and 6.12: every open was counted, and kmalloc in its real cache.
It was never run on real arm64 hardware, or on other architectures."""
_OTHERWISE = """\
## With other settings of the kernel

These tests run afterwards, in the same boot.

- **exact kmalloc with kptr_restrict=2**: whether kmalloc is counted in its real caches if `kernel.kptr_restrict=2`
  hides the addresses of the kernel's variables, and how many allocations of one process are counted.
- **without JIT**: whether slabtui counts with `net.core.bpf_jit_enable=0`, which makes the kernel interpret BPF
  programs. `always on`: this kernel always compiles them (`CONFIG_BPF_JIT_ALWAYS_ON`). Every Oops ends the guest, so
  every crash is noticed.
- The columns after it are for this setting: counts compared, frees and bulk as above. **callers** and **stacks** show
  how many of the opened files an inspection of `filp` finds; for stacks this is an estimate."""
_BESIDE = """\
## Compared with the older tools

Debian's packages of the two older tools and slabtui observe the same load at the same time, each with an interval of 1
s and for the whole machine. The load is one process that opens a known number of files.

- **by others**: files opened by other processes in that time, mainly by the tools, according to the kernel's own
  tracing.
- **missed**: a lower and an upper bound. The lower bound counts the opens of the load only, the upper bound those of
  others too, because the tracing covers a little more time than the tables of a tool. CPUs that run in turns lose fewer
  events than real ones.
- **first table**: from the start of the program to its first table, including the interval. slabtui starts last, while
  the others run.

The kernel's headers, which only the tool of bpfcc-tools needs, are installed where Debian has them. The older tools
miss events between reading and clearing their table, and events that a kprobe misses. slabtui never clears its
counters, so its lower bound is 0."""
_TRACKING = """\
## Tracking what is held, compared with memleak

The same load, a process that opens and closes files on two CPUs, runs alone, with `slabtui --held filp`, and with
memleak of Debian's bcc, which tracks every allocation of the kernel (`-s 100`: one in a hundred). Each has an interval
of 2 s, they run one after the other, and the fastest of three runs counts. BPF programs run in the context of the
process whose event they see, so what they cost is in the processor time of the load.

- **with nothing**: the processor time for one open and close, in the emulator.
- **with the tool**: the same while the tool runs, and as a multiple of it."""
_KERNELS = (
    "kernel",
    "attached by",
    "kmalloc exact",
    "lookup",
    "lookups compared",
    "frees",
    "bulk",
    "modules",
    "live tests: passed / failed / skipped",
    "counts compared",
    "time to load",
    "notes",
)
_SETTINGS = (
    "kernel",
    "exact kmalloc with kptr_restrict=2",
    "without JIT",
    "counts compared",
    "frees",
    "callers",
    "stacks",
    "bulk",
)
_COSTS = ("kernel", "tool", "with nothing", "with the tool", "notes")
_TOOLS = ("kernel", "tool", "opened", "by others", "counted", "missed", "first table", "notes")


def render(results: Sequence[Result], *, date: str, command: str, machine: str) -> str:
    """Return the whole page.

    Args:
        results: one for each kernel, in the order of the table.
        date: of the run.
        command: that started it.
        machine: the versions that are the same for all kernels.
    """
    return (
        "\n\n".join(
            (
                _TITLE,
                f"Written on {date} by `{command}`, with the results of that run; {machine}.",
                _EXPLANATION,
                table(_KERNELS, map(_kernel_row, results)),
                _OTHERWISE,
                table(_SETTINGS, map(_settings_row, results)),
                _BESIDE,
                table(_TOOLS, (row for result in results for row in _tool_rows(result))),
                _TRACKING,
                table(_COSTS, (row for result in results for row in _tracker_rows(result))),
            )
        )
        + "\n"
    )


def summary(result: Result) -> str:
    """Return a line about one kernel, for the terminal."""
    return f"{'; '.join((f'live tests {_live(result.live)}', *_notes(result)))} ({result.seconds:.0f} s)"


def _kernel_row(result: Result) -> tuple[str, ...]:
    comparison = result.comparison or Comparison(result.kernel.release, NONE)
    return (
        result.kernel.release,
        comparison.attachment,
        comparison.exact_kmalloc,
        comparison.lookup,
        _lookups(comparison),
        comparison.frees,
        comparison.bulk,
        comparison.modules,
        _live(result.live),
        _counts(comparison.counts),
        _seconds(comparison.load_seconds),
        "; ".join(_notes(result)) or NONE,
    )


def _settings_row(result: Result) -> tuple[str, ...]:
    jitless = result.jitless
    hidden = _hidden(result.hidden)
    if jitless is None or jitless.trouble or jitless.always_on:
        works = "no result" if jitless is None else f"no: {jitless.trouble}" if jitless.trouble else "always on"
        return result.kernel.release, hidden, works, *[NONE] * (len(_SETTINGS) - 3)
    stacks = f"about {jitless.stacks.counted:,} of {jitless.stacks.happened:,}" if jitless.stacks else NONE
    counted = _counts(jitless.counts), _ratio(jitless.frees), _ratio(jitless.callers), stacks, jitless.bulk
    return result.kernel.release, hidden, "yes", *counted


def _hidden(hidden: Hidden | None) -> str:
    if hidden is None:
        return "no result"
    if hidden.refused:
        return f"no: slabtui refuses to count ({hidden.refused})"
    return f"{'yes' if hidden.exact_kmalloc else 'no'}: {_ratio(hidden.counts)}"


def _lookups(comparison: Comparison) -> str:
    each = (
        f"{lookup.way}: allocated {_ratio(lookup.allocs)}, freed {_ratio(lookup.frees)}"
        for lookup in comparison.lookups
    )
    return "; ".join(each) or NONE


def _notes(result: Result) -> Iterable[str]:
    """Yield the notes, the most serious first."""
    yield from (f"in a first guest: {fault}" for fault in result.first)
    if result.refused:
        yield f"does not work: slabtui refuses it ({result.refused})"
        return  # every other note follows from this one
    yield from (f"does not work: {trouble}" for trouble in result.troubles)
    if result.comparison:
        yield from result.comparison.notes
        if result.comparison.counts and not result.comparison.counts.agree:
            yield "the counts do not agree"
    if result.live and result.live.failed:
        yield f"failed: {', '.join(result.live.failed)}"


def _live(live: LiveTests | None) -> str:
    return f"{live.passed} / {len(live.failed)} / {live.skipped}" if live else "no result"


def _counts(counts: Counts | None) -> str:
    if counts is None:
        return NONE
    by_kernel = "?" if counts.kernel is None else f"{counts.kernel:,}"
    return f"{counts.happened:,} opened; kernel {by_kernel}; slabtui {counts.counted:,}, lost {_lost(counts)}"


def _ratio(counts: Counts | None) -> str:
    return f"{counts.counted:,} of {counts.happened:,}, lost {_lost(counts)}" if counts else NONE


def _lost(counts: Counts) -> str:
    return "?" if counts.lost is None else f"{counts.lost:,}"


def _tool_rows(result: Result) -> Iterable[tuple[str, ...]]:
    if result.side_by_side is None:
        yield (result.kernel.release, *[NONE] * (len(_TOOLS) - 2), "no result")
        return
    for tool in result.side_by_side.tools:
        yield result.kernel.release, *_tool(tool, result.side_by_side)


def _tool(tool: Tool, among: SideBySide) -> tuple[str, ...]:
    counted = NONE if tool.counted is None else f"{tool.counted:,}"
    missed = among.missed(tool)
    trouble = f"does not run: {tool.trouble}" if tool.trouble else NONE
    bounds = NONE if missed is None else f"{missed[0]:,} to {missed[1]:,}"
    return tool.name, f"{among.happened:,}", f"{among.others:,}", counted, bounds, _seconds(tool.first_table), trouble


def _tracker_rows(result: Result) -> Iterable[tuple[str, ...]]:
    if result.trackers is None:
        yield (result.kernel.release, *[NONE] * (len(_COSTS) - 2), "no result")
        return
    for tool in result.trackers.tools:
        yield result.kernel.release, *_tracker(tool, result.trackers)


def _tracker(tool: Tracker, among: Trackers) -> tuple[str, ...]:
    alone = f"{1e6 * among.alone / among.opened:.1f} us"
    if tool.seconds is None:
        return tool.name, alone, NONE, f"does not run: {tool.trouble}"
    return tool.name, alone, f"{1e6 * tool.seconds / among.opened:.1f} us, x {tool.seconds / among.alone:.1f}", NONE


def _seconds(seconds: float | None) -> str:
    return NONE if seconds is None else f"{seconds:.1f} s"
