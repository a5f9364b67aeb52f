"""Builds slabtui.pyz: slabtui and everything that it imports, for charts too, in one file that Python runs directly."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import slabtui

# urwid needs typing_extensions under Python older than 3.13, and pip considers only its own Python.
_BESIDE = ["typing_extensions>=4.5"]
# For any machine and any Python 3: pip must choose a pure Python wheel.
_PURE = ["--only-binary=:all:", "--platform=any", "--abi=none", "--implementation=py"]
_EARLIEST = 315532800  # 1980, the first date that a zip file can hold; seconds since 1970
_OF_PIP = ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json"]  # describe this machine, or a directory


def build(wheel: Path, target: Path, date: int) -> Path:
    """Build slabtui.pyz from the wheel and its dependencies, which pip gets.

    It also contains the man pages and completions, below share/, and all licences.

    Args:
        wheel: slabtui's.
        target: the file.
        date: of everything in it, in seconds since 1970.

    Raises:
        CalledProcessError: pip failed.
    """
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory)
        command = [sys.executable, "-m", "pip", "install", "--no-compile", "--target", directory, *_PURE]
        subprocess.run(
            [*command, f"{wheel}[report]", *_BESIDE],
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        shutil.rmtree(tree / "bin")
        for path in tree.glob("*.dist-info/*"):
            if path.name in _OF_PIP:
                path.unlink()
        shutil.copy(Path(slabtui.__file__).with_name("__main__.py"), tree)
        _zip(tree, target, time.gmtime(max(date, _EARLIEST))[:6])
    return target


def _zip(tree: Path, target: Path, date: tuple[int, ...]) -> None:
    """Make the zip file as zipapp does, but reproducibly: sorted, with one date and one mode."""
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with ZipFile(file, "w") as archive:
            for path in sorted(path for path in tree.rglob("*") if path.is_file()):
                entry = ZipInfo(str(path.relative_to(tree)), date)  # type: ignore[arg-type]
                entry.compress_type = ZIP_DEFLATED
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, path.read_bytes())
    target.chmod(0o755)
