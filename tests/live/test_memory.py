"""The parts of the memory of this machine follow what a process really takes, and nothing is in two of them."""

import fcntl
import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from slabtui.kernel.procfs.memory import MemoryFiles
from slabtui.model.memory import Part, divide

MIB = 1 << 20
SIZE = 100 * MIB
SLACK = 24 * MIB  # what other processes and the counters of the CPUs change meanwhile
THREADS = 1500
LEAST_STACK = 4 << 10


@pytest.fixture
def files() -> Iterator[MemoryFiles]:
    found = MemoryFiles()
    yield found
    found.close()


def parts(files: MemoryFiles) -> dict[Part, int]:
    memory = files.read(cpu_free=True)
    assert memory is not None
    return divide(memory)


def changes(before: dict[Part, int], after: dict[Part, int]) -> dict[Part, int]:
    """Return the parts that changed by more than others change them, without those of files that others read."""
    others = {Part.FREE, Part.PAGE_CACHE, Part.RECLAIMABLE}
    found = {part: after[part] - before[part] for part in after.keys() - others}
    return {part: change for part, change in found.items() if abs(change) > SLACK}


def test_a_memfd_is_shared_memory_and_no_page_cache(files: MemoryFiles) -> None:
    before = parts(files)
    descriptor = os.memfd_create("test")
    try:
        os.posix_fallocate(descriptor, 0, SIZE)
        found = changes(before, parts(files))
    finally:
        os.close(descriptor)
    assert found.pop(Part.SHARED) == pytest.approx(SIZE, abs=SLACK)
    assert not found.keys() - {Part.ANONYMOUS}  # of others


def test_memory_of_a_process_is_anonymous_and_nothing_else(files: MemoryFiles) -> None:
    before = parts(files)
    with mmap.mmap(-1, 4 * SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        for offset in range(0, 4 * SIZE, mmap.PAGESIZE):
            memory[offset] = 1
        found = changes(before, parts(files))
    assert found.keys() == {Part.ANONYMOUS}
    assert found[Part.ANONYMOUS] > 2 * SIZE


def test_pages_of_pipes_are_not_explained(files: MemoryFiles) -> None:
    before = parts(files)
    with ExitStack() as stack:
        for _ in range(SIZE // MIB):
            reader, writer = os.pipe()
            stack.callback(os.close, reader)
            stack.callback(os.close, writer)
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, MIB)
            os.write(writer, bytes(MIB))
        found = changes(before, parts(files))
    assert found[Part.UNEXPLAINED] == pytest.approx(SIZE, abs=SLACK)


def test_kernel_stacks_are_not_in_vmalloc_too(files: MemoryFiles) -> None:
    before, end = parts(files), threading.Event()
    threads = [threading.Thread(target=end.wait) for _ in range(THREADS)]
    size = threading.stack_size(64 << 10)
    try:
        for thread in threads:
            thread.start()
        after = parts(files)
    finally:
        threading.stack_size(size)
        end.set()
        for thread in threads:
            if thread.ident:
                thread.join()
    stacks = after[Part.KERNEL_STACKS] - before[Part.KERNEL_STACKS]
    assert stacks > THREADS * LEAST_STACK
    assert abs(after[Part.VMALLOC] - before[Part.VMALLOC]) < stacks / 2
