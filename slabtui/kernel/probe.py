"""Counts allocations in the running kernel: attaches the BPF program, calibrates it, reads its totals."""

import ctypes
import os
import struct
from dataclasses import asdict, replace
from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel import directmap, program
from slabtui.kernel.layout import Layout
from slabtui.kernel.maps import Maps
from slabtui.kernel.process import Process
from slabtui.snapshot import CacheRow, Totals
from slabtui.text import printable

SLOT_BITS = 12  # 4096 caches; kernels have 150 to 500. 128 KiB per CPU
LARGE = CacheRow(cache=1, name="kmalloc-large", size=None, object_size=None, allocs=0, bytes=0)

_SLOT_WORDS = 4  # struct slot
_CACHE = struct.Struct("=QQII128s")  # struct cache
_ALLOCS, _KMALLOCS = 2, 3  # words of struct slot
_AGREED, _DISAGREED, _LOST_ALLOCS, _LOST_KMALLOCS, _LARGE_ALLOCS, _LARGE_BYTES, _TALLIES = range(7)  # the tallies
_LOWEST_ADDRESS = 1 << 32
_MISSES = "recursion_misses"
_SIZE_CLASS_SHIFT = 8
_CALIBRATION_EVENTS = 500
_HANDLERS = {"kmem_cache_alloc": "on_cache_alloc", "kmalloc": "on_kmalloc"}  # by tracepoint
_PID_NS = Path("/proc/self/ns/pid")
_FIRST_PID_NS = 0xEFFFFFFC  # PROC_PID_INIT_INO, include/linux/proc_ns.h


class _Settings(ctypes.Structure):
    """struct settings."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in ("epoch", "page_offset", "vmemmap", "page_offset_at", "vmemmap_at", "calibrated")
    ]


class Probe:
    """The running kernel as a source of totals. Counts from the moment it is made until it is closed.

    Args:
        where: the layout of the running kernel.
        pid: count only what is allocated in the context of this process, all its threads; None: everything.

    Raises:
        SlabtuiError: the kernel, bcc or the privileges are not enough; nothing is left attached.
    """

    def __init__(self, where: Layout, pid: int | None = None) -> None:
        program.demand_privileges()
        bcc = program.import_bcc()
        macros = [*where.macros(), f"-DSLOT_BITS={SLOT_BITS}", *_pid_macros(pid)]
        self._process = Process(pid) if pid else None
        self._bpf = program.compile_program(bcc, program.SOURCE, macros)
        try:
            self._maps = Maps(bcc, self._bpf)
            self._slots = self._maps.per_cpu_array("slots", _SLOT_WORDS, 1 << SLOT_BITS)
            self._tallies = self._maps.per_cpu_array("tallies", 1, _TALLIES)
            self._caches = self._maps.hash("caches", _CACHE.size, 1 << SLOT_BITS)
            self._settings = _Settings(epoch=1)
            self.exact_kmalloc = self._calibrate()
            self._programs = self._attach()
        except OSError as error:
            self.close()
            raise SlabtuiError(f"the kernel refuses the maps ({error})", "check `ulimit -l`") from error
        except BaseException:
            self.close()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """What cannot be told on this kernel, or no more, in words for the user."""
        by_size = () if self.exact_kmalloc else ("kmalloc by size class (~)",)
        return (*by_size, *(self._process.notes if self._process else ()))

    def totals(self) -> Totals:
        """Read everything counted so far, and let the kernel read the caches' names anew from here on.

        Raises:
            OSError: a map could not be read.
        """
        self._slots.read()
        rows = [
            _row(cache, self._slots.total(slot, _ALLOCS) + self._slots.total(slot, _KMALLOCS))
            for slot, cache in self._caches.read().items()
        ]
        tallies = self._tally()
        if tallies[_LARGE_ALLOCS]:
            rows.append(replace(LARGE, allocs=tallies[_LARGE_ALLOCS], bytes=tallies[_LARGE_BYTES]))
        missed = [statistics(descriptor).get(_MISSES) for descriptor in self._programs.values()]
        lost = None if None in missed else sum(filter(None, missed)) + tallies[_LOST_ALLOCS] + tallies[_LOST_KMALLOCS]
        self._settings.epoch += 1
        self._maps.put("settings", 0, self._settings)
        return Totals(tuple(rows), lost)

    def close(self) -> None:
        """Detach; the kernel then frees the program and its maps."""
        self._bpf.cleanup()
        if self._process:
            self._process.close()

    def program_descriptors(self) -> dict[str, int]:
        """Return the file descriptor of each attached program, by its tracepoint; their statistics are in fdinfo."""
        return dict(self._programs)

    def _tally(self) -> list[int]:
        self._tallies.read()
        return [self._tallies.total(which) for which in range(_TALLIES)]

    def _calibrate(self) -> bool:
        """Find where the direct map lies; False: no guess agrees with the kernel, so kmalloc's caches stay unknown."""
        program.load(self._bpf, "on_calibration")
        for guess in directmap.guesses():
            self._settings = _Settings(epoch=1, **asdict(guess))
            self._maps.put("settings", 0, self._settings)
            before = self._tally()
            program.attach(self._bpf, "kmem_cache_alloc", "on_calibration")
            for _ in range(_CALIBRATION_EVENTS):
                os.stat("/")  # allocates a buffer for the path
            self._bpf.detach_raw_tracepoint(b"kmem_cache_alloc")
            after = self._tally()
            agreed, disagreed = (after[which] - before[which] for which in (_AGREED, _DISAGREED))
            if agreed >= _CALIBRATION_EVENTS and not disagreed:
                self._keep_bases()
                return True
        self._settings = _Settings(epoch=1)
        self._maps.put("settings", 0, self._settings)
        return False

    def _keep_bases(self) -> None:
        """Take over the bases that the kernel read from its own variables."""
        found = self._maps.get("settings", 0, _Settings)
        self._settings = _Settings(epoch=1, page_offset=found.page_offset, vmemmap=found.vmemmap, calibrated=1)
        self._maps.put("settings", 0, self._settings)

    def _attach(self) -> dict[str, int]:
        slow = program.load(self._bpf, "on_cache_alloc_slow")
        self._maps.put("slow_path", 0, ctypes.c_int(slow))
        loaded = {tracepoint: program.load(self._bpf, name) for tracepoint, name in _HANDLERS.items()}
        for tracepoint, name in _HANDLERS.items():
            program.attach(self._bpf, tracepoint, name)
        return loaded


def _row(cache: memoryview, allocs: int) -> CacheRow:
    address, _, size, object_size, name = _CACHE.unpack(cache)
    if address < _LOWEST_ADDRESS:
        size = object_size = address >> _SIZE_CLASS_SHIFT
        return CacheRow(address, f"kmalloc-{size}", size, object_size, allocs, allocs * size, approximate=True)
    shown = printable(name.partition(b"\0")[0]) or f"{address:#x}"
    return CacheRow(address, shown, size, object_size, allocs, allocs * size)


def statistics(descriptor: int) -> dict[str, int]:
    """Return the numbers that the kernel keeps of a loaded program, by their names in its fdinfo.

    From bpf_prog_show_fdinfo() in kernel/bpf/syscall.c: run_time_ns and run_cnt, kept while kernel.bpf_stats_enabled
    is 1, and since Linux 5.12 recursion_misses: runs that the kernel skipped, since the program was running on that
    CPU already.
    """
    pairs = (line.split(":", 1) for line in Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines())
    return {key: int(value) for key, value in pairs if value.strip().isdecimal()}


def _pid_macros(pid: int | None) -> list[str]:
    if pid is None:
        return []
    namespace = _PID_NS.stat()
    if namespace.st_ino == _FIRST_PID_NS:
        return [f"-DPID={pid}"]
    return [f"-DPID={pid}", f"-DPID_NS_DEV={namespace.st_dev}", f"-DPID_NS_INO={namespace.st_ino}"]
