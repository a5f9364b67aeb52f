"""Writes docs/kernels.md from the results of a run: pure, and every figure in it is of that run."""

from collections.abc import Iterable, Sequence

from tests.support.markdown import NONE, table
from tests.tools.kernels.results import Comparison, Counts, Hidden, LiveTests, Result, SideBySide, Tool

_TITLE = "# On other kernels"
_EXPLANATION = """\
Each kernel is Debian's own build, and lies at random addresses (KASLR). It boots in an emulator (qemu without hardware
virtualisation, two CPUs that take turns) with the files of the machine that the command ran on, so Python, bcc and
clang are the same for all. In one boot it runs the tests of what the kernel is asked for (test_live, test_frees and
test_look in [tests](../tests)) and the comparisons below. **Times are those of the emulator**, several times what a
real machine takes, and two guests run at a time: compare them with each other only, and roughly.

- **kmalloc exact**: kmalloc is counted in its real caches, not by size class.
- **lookup**: how the programs read the cache of an object: by a load that the kernel checks (`bpf_rdonly_cast`, Linux
  6.2 and later), or by a call for each word (`bpf_probe_read_kernel`).
- **lookups compared**: where the kernel has both, what each counts of one process that allocates and frees a known
  number of buffers (kmalloc, kfree), at the same time.
- **counts compared**: one process opens files; slabtui with `-p`, and the kernel's own tracing (the ring buffer of a
  tracefs instance, filtered by thread and caller; no BPF), count the struct files (`filp`) that it allocates, at the
  same time. slabtui's count and what it reports as lost must make up what happened.
- **frees**: those that slabtui counts of a process that frees a known number of buffers (`names_cache`).
- **bulk**: whether what is allocated and freed in bulk is counted too, by probes on functions (fentry); if it is, how
  many requests of io_uring were allocated, in bulk, and freed, while rings came and went; with whatever else used the
  cache that theirs is merged with.
- **modules**: two modules, each of which makes a cache of its own, are loaded and unloaded by turns; in how many of the
  rounds that cache was counted exactly, by its name; it may lie where the other one's had been.
- **time to load**: from reading the kernel's description of itself (BTF) to counting.
- **-**: slabtui does not tell, or there is nothing to tell.

All kernels are taken alike, by raw tracepoints: no kprobe is needed. Before Linux 6.1 the events do not name their
cache; it is then found by the page of the object ([counting.md](counting.md)).

Other machines are not in this table, since a guest works with the files of the machine that boots it. On arm64 slabtui
was run by hand, in emulated machines with Debian's 6.1 and 6.12: there too every open was counted, kmalloc by its real
cache. On real arm64 hardware it was never run, and on others not at all."""
_OTHERWISE = """\
## With other settings of the kernel

In the same boot, afterwards.

- **exact kmalloc with kptr_restrict=2**: whether kmalloc is counted in its real caches where `kernel.kptr_restrict=2`
  hides the addresses of the kernel's variables; and how much of what one process allocates is counted.
- **without JIT**: whether slabtui counts with `net.core.bpf_jit_enable=0`, where the kernel interprets the programs;
  `always on`: this kernel compiles them in any case (`CONFIG_BPF_JIT_ALWAYS_ON`). Every Oops ends the guest, so a crash
  does not pass unseen. The columns after it are of this setting: counts compared, frees and bulk as above; **callers**
  and **stacks**: how many of the opened files an inspection of `filp` finds (by stacks: an estimate)."""
_BESIDE = """\
## The older tools beside it

Debian's packages of the two older tools, and slabtui, each started with an interval of 1 s, watch one load together: a
process that opens a known number of files. They count for the whole machine here. **By others** is what everybody else
opened meanwhile, the tools themselves above all, by the kernel's own tracing; since it spans a little more than the
tables of any tool, what a tool **missed** is between two bounds: what the load opened less what it counted, and that of
all. CPUs that take turns lose less than real ones. **First table** is the time from starting a program to its first
table, the interval included. slabtui starts last, while the others run. The kernel's headers, which only the tool of
bpfcc-tools needs, are there where Debian has them.

The older tools miss what comes between the reading of their table and its clearing, and what a kprobe misses; slabtui
never clears its counters, so its lower bound is 0."""
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
_TOOLS = ("kernel", "tool", "opened", "by others", "counted", "missed", "first table", "notes")


def render(results: Sequence[Result], *, date: str, command: str, machine: str) -> str:
    """Return the whole page.

    Args:
        results: one for each kernel, in the order of the table.
        date: when the run was.
        command: what started it.
        machine: what else there was: the versions that do not differ by kernel.
    """
    return (
        "\n\n".join(
            (
                _TITLE,
                f"Written on {date} by `{command}`, from what that run found; {machine}.",
                _EXPLANATION,
                table(_KERNELS, map(_kernel_row, results)),
                _OTHERWISE,
                table(_SETTINGS, map(_settings_row, results)),
                _BESIDE,
                table(_TOOLS, (row for result in results for row in _tool_rows(result))),
            )
        )
        + "\n"
    )


def summary(result: Result) -> str:
    """Return a line about one kernel, for who waits."""
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
    """Yield what is to be said in words, the gravest first."""
    yield from (f"in a first guest: {fault}" for fault in result.first)
    if result.refused:
        yield f"does not work: slabtui refuses it ({result.refused})"
        return  # all that follows from it goes without saying
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


def _seconds(seconds: float | None) -> str:
    return NONE if seconds is None else f"{seconds:.1f} s"
