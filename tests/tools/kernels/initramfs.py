"""Builds the guest's first file system: busybox, the modules that reach this machine's files, and init.sh."""

import lzma
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard

_INIT = Path(__file__).with_name("init.sh")
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")


def _unzstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


_UNPACK: dict[str, Callable[[bytes], bytes]] = {".ko": bytes, ".xz": lzma.decompress, ".zst": _unzstd}


def build(kernel: Path, archive: Path) -> None:
    """Write the archive with which this kernel starts.

    Args:
        kernel: where it was unpacked.
        archive: the file to write.
    """
    busybox = shutil.which("busybox")
    assert busybox, "it was installed before"
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "bin").mkdir()
        (root / "modules").mkdir()
        shutil.copy(busybox, root / "bin" / "busybox")
        shutil.copy(_INIT, root / "init")
        (root / "init").chmod(0o755)
        for number, module in enumerate(_in_order(kernel)):
            unpacked = _UNPACK[module.suffix](module.read_bytes())
            (root / "modules" / f"{number:02}").write_bytes(unpacked)  # the shell sorts them by that
        listed = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
        with archive.open("wb") as file:
            subprocess.run(
                ["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=listed.encode(), stdout=file, check=True
            )


def _in_order(kernel: Path) -> Iterator[Path]:
    """Yield the files of the modules, each after those that it needs."""
    release = (kernel / "release").read_text().strip()
    seen = set()
    for module in _MODULES:
        command = ["modprobe", "-d", str(kernel / "root"), "-S", release, "--show-depends", module]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        for line in lines:
            what, _, path = line.strip().partition(" ")
            if what == "insmod" and path not in seen:  # else it is built in
                seen.add(path)
                yield Path(path)
