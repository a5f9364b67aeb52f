"""Reads the files of this package, from a directory or from the zip file that slabtui is installed as."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import remedies

_PACKAGE = files(__package__)
_HEADERS = "headers"


def read(*names: str) -> str:
    """Return the files of these names, one after the other.

    Raises:
        SlabtuiError: one of them cannot be read.
    """
    return "\n".join(map(_read, names))


@contextmanager
def headers_directory() -> Iterator[Path]:
    """Yield the directory of the stand-in headers, which clang opens by path; in a zip file, a temporary copy of it.

    Raises:
        SlabtuiError: the copy cannot be written.
    """
    headers = _PACKAGE.joinpath(_HEADERS)
    if isinstance(headers, Path):
        yield headers
        return
    with ExitStack() as stack:
        try:
            copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slabtui-")))
            _copy(headers.iterdir(), copy)
        except OSError as error:
            what = f"cannot write a temporary copy of the headers ({error.strerror})"
            remedy = remedies.after(error, "name a directory with some space, as in TMPDIR=/dev/shm")
            raise SlabtuiError(what, remedy) from error
        yield copy


def _read(name: str) -> str:
    file = _PACKAGE.joinpath(name)
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        remedy = remedies.after(error, "install slabtui again, or run it as root")
        raise SlabtuiError(f"cannot read {file} ({error.strerror})", remedy) from error


def _copy(found: Iterable[Traversable], to: Path) -> None:
    for one in found:
        target = to / one.name
        if one.is_dir():
            target.mkdir()
            _copy(one.iterdir(), target)
        else:
            target.write_bytes(one.read_bytes())
