"""One BPF module: each failure is one line, and records that C and Python share are checked."""

import ctypes
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import sources
from slabtui.kernel.bpf.instructions import CALL
from slabtui.kernel.bpf.maps import Maps
from slabtui.kernel.bpf.settings import Settings
from tests.support.probes import compiled

INSTRUCTION = struct.Struct("=BBhi")
PROBE_READ_KERNEL, PROBE_READ_KERNEL_STR = 113, 115  # enum bpf_func_id
READS = """\
int on_event(struct bpf_raw_tracepoint_args *context) {
	char value[8] = {};
	bpf_probe_read_kernel(value, 8, (void *)context->args[0]);
	bpf_probe_read_kernel_str(value, 8, (void *)context->args[1]);
	return value[0];
}
"""
SIZES = """\
#include <uapi/linux/bpf.h>
BPF_HASH(sums, u32, u64, 16);
BPF_PERCPU_ARRAY(each, u64, 2);
BPF_ARRAY(one, u64, 1);
"""


@pytest.mark.live
def test_a_program_that_does_not_compile_is_one_line(tmp_path: Path) -> None:
    source = tmp_path / "broken.c"
    source.write_text("int on_event(void *context) { return missing; }\n")
    with (
        pytest.raises(SlabtuiError, match=r"cannot compile the BPF program \(.*error: .*missing.*\)") as raised,
        compiled(source),
    ):
        pass
    assert "\n" not in str(raised.value)


@pytest.mark.live
def test_a_program_that_the_kernel_refuses_is_one_line(tmp_path: Path) -> None:
    source = tmp_path / "refused.c"
    source.write_text("int on_event(u64 *context) { return *(u64 *)context[0]; }\n")
    with compiled(source) as module:
        with pytest.raises(SlabtuiError, match=r"the kernel refused the BPF program on_event \(.*invalid") as raised:
            module.load("on_event")
        assert "\n" not in str(raised.value)


@pytest.mark.live
def test_a_missing_tracepoint_is_one_line(tmp_path: Path) -> None:
    source = tmp_path / "fine.c"
    source.write_text("int on_event(void *context) { return 0; }\n")
    with compiled(source) as module:
        module.load("on_event")
        with pytest.raises(SlabtuiError, match="cannot attach to the tracepoint no_such_event"):
            module.attach("no_such_event", "on_event")


@pytest.mark.live
def test_real_headers_are_used_where_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BCC_KERNEL_SOURCE", str(tmp_path))
    source = tmp_path / "fine.c"
    source.write_text("#include <uapi/linux/bpf.h>\nint on_event(void *context) { return 0; }\n")
    with pytest.raises(SlabtuiError, match="cannot compile"), compiled(source):
        pass
    monkeypatch.delenv("BCC_KERNEL_SOURCE")
    with compiled(source):
        pass


@pytest.mark.live
@pytest.mark.parametrize(
    "use",
    [
        lambda maps: maps.hash("sums", 16),
        lambda maps: maps.per_cpu_array("each", 2),
        lambda maps: maps.put("one", 0, Settings()),
        lambda maps: maps.get("one", 0, ctypes.c_uint64 * 2),
    ],
    ids=["hash", "per_cpu_array", "put", "get"],
)
def test_a_record_of_another_size_than_in_the_program_is_refused(use: Callable[[Maps], object], tmp_path: Path) -> None:
    source = tmp_path / "sizes.c"
    source.write_text(SIZES)
    with compiled(source) as module, pytest.raises(SlabtuiError, match="has 8 bytes in the BPF program and"):
        use(module.maps)


@pytest.mark.live
def test_programs_read_the_memory_of_the_kernel_although_bcc_finds_no_symbols_in_the_child(tmp_path: Path) -> None:
    source = tmp_path / "reads.c"
    source.write_text(f"#define TALLIES 1\n{sources.read('common.bpf.h')}\n{READS}")
    with compiled(source) as module:
        calls = [call for code, *_, call in INSTRUCTION.iter_unpack(module._programs["on_event"]) if code == CALL]
    assert calls == [PROBE_READ_KERNEL, PROBE_READ_KERNEL_STR]
