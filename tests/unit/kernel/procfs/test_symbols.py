"""Names of the kernel's functions, and the reason if the kernel hides them."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from slabtui.kernel.capabilities import Capability
from slabtui.kernel.procfs.symbols import Symbols
from tests.e2e.test_privileges import with_only

KALLSYMS = """\
ffffffff81000000 T _stext
ffffffff81000100 t do_one_initcall
ffffffff81000180 D no_function
ffffffffc0500000 t of_a_module\t[ext4]
ffffffffc0400000 t of_another\t[xfs]
"""
HIDDEN = "".join(f"{0:016x} {line.partition(' ')[2]}" for line in KALLSYMS.splitlines(keepends=True))
NAME = [
    sys.executable,
    "-c",
    "from slabtui.kernel.procfs.symbols import *; s = Symbols(); print(s.name(2**64 - 1)); print(s.trouble)",
]
SETTING = "/proc/sys/kernel/kptr_restrict"


@pytest.fixture
def kallsyms(tmp_path: Path) -> Path:
    return tmp_path / "kallsyms"


def test_a_function_has_its_name_its_module_and_how_far_into_it(kallsyms: Path) -> None:
    kallsyms.write_text(KALLSYMS)
    symbols = Symbols(kallsyms)
    assert symbols.name(0xFFFFFFFF81000100) == "do_one_initcall"
    assert symbols.name(0xFFFFFFFF81000190, offset=True) == "do_one_initcall+0x90"
    assert symbols.name(0xFFFFFFFFC0500001, offset=True) == "of_a_module+0x1 [ext4]"
    assert symbols.name(0xFFFFFFFFC0400001) == "of_another [xfs]"  # the modules are in no order
    assert symbols.name(0xFFFFFFFF80FFFFFF) == "0xffffffff80ffffff"
    assert symbols.name(0xFFFFFFFF91000000) == "0xffffffff91000000"
    assert symbols.name(0x1000) == "0x1000"
    assert symbols.trouble == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2\n", "no names of functions (kernel.kptr_restrict is 2): sysctl kernel.kptr_restrict=1"),
        ("1\n", "no names of functions (no CAP_SYSLOG): run it as root"),
        ("0\n", "no names of functions (no CAP_SYSLOG): run it as root"),
        ("?\n", "no names of functions (no CAP_SYSLOG): run it as root"),
        (None, "no names of functions (no CAP_SYSLOG): run it as root"),
    ],
)
def test_hidden_names_are_reported_with_the_setting_that_hides_them(
    kallsyms: Path, tmp_path: Path, value: str | None, expected: str
) -> None:
    kallsyms.write_text(HIDDEN)
    if value is not None:
        (tmp_path / "setting").write_text(value)
    symbols = Symbols(kallsyms, tmp_path / "setting")
    assert symbols.trouble == ""  # nothing has been asked for yet
    assert symbols.name(0xFFFFFFFF81000100, offset=True) == "0xffffffff81000100"
    assert symbols.trouble == expected


def test_a_list_that_is_missing_or_empty_is_reported(kallsyms: Path) -> None:
    symbols = Symbols(kallsyms)
    assert symbols.name(0xFFFF0000) == "0xffff0000"
    assert symbols.trouble == f"no names of functions ({kallsyms}: No such file or directory): run it as root"
    kallsyms.write_text("")
    symbols = Symbols(kallsyms)
    assert symbols.name(0xFFFF0000) == "0xffff0000"
    remedy = "boot a kernel built with CONFIG_KALLSYMS=y"
    assert symbols.trouble == f"no names of functions ({kallsyms} is empty): {remedy}"


@pytest.mark.live
def test_this_kernel_shows_names_to_root() -> None:
    assert trouble([]) == ""


@pytest.mark.live
def test_this_kernel_hides_names_without_the_capability() -> None:
    """The setting is global: the file that it is read from is replaced, in a mount namespace."""
    without = with_only(Capability.BPF, Capability.PERFMON, Capability.DAC_READ_SEARCH)
    assert trouble(without) == "no names of functions (no CAP_SYSLOG): run it as root"
    script = f'mount -t tmpfs none /mnt\necho 2 >/mnt/2\nmount --bind /mnt/2 {SETTING}\nexec {shlex.join(without)} "$@"'
    restricted = ["unshare", "--mount", "sh", "-ec", script, "sh"]
    expected = "no names of functions (kernel.kptr_restrict is 2): sysctl kernel.kptr_restrict=1"
    assert trouble(restricted) == expected


def trouble(command: list[str]) -> str:
    """Return what another process reports about the names of this kernel."""
    ended = subprocess.run([*command, *NAME], capture_output=True, text=True, timeout=60, check=True)
    name, expected = ended.stdout.splitlines()
    assert name == "0xffffffffffffffff"
    return expected
