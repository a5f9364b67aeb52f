"""Compiles a source once for several modules: each gets the same programs, and maps of its own."""

import os
import threading
from collections.abc import Sequence
from dataclasses import replace

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import remedies, syscalls
from slabtui.kernel.bpf.child import Compiled
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.bpf.syscalls import MapInfo

_Key = tuple[str, tuple[str, ...]]


class CopyingCompiler:
    """Compiles what it has not compiled before; of the rest it copies the maps, empty. Thread-safe.

    Args:
        compiler: compiles.
    """

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._lock = threading.Lock()
        self._known: dict[_Key, tuple[Compiled, dict[str, MapInfo]]] = {}

    def compile(self, source: str, options: Sequence[str]) -> Compiled:
        """Return the programs of a source, with maps of their own.

        Raises:
            SlabtuiError: the compilation failed, or the kernel refused a map.
        """
        key = source, tuple(options)
        with self._lock:
            if key in self._known:
                return _copy(*self._known[key])
            compiled = self._compiler.compile(source, options)
            maps = {name: syscalls.describe_map(descriptor) for name, descriptor in compiled.maps.items()}
            self._known[key] = replace(compiled, maps={}), maps
            return compiled


def _copy(compiled: Compiled, maps: dict[str, MapInfo]) -> Compiled:
    copies: dict[str, int] = {}
    try:
        for name, like in maps.items():
            copies[name] = syscalls.create_map(like)
    except OSError as error:
        for descriptor in copies.values():
            os.close(descriptor)
        what = f"the kernel refuses the maps ({error.strerror})"
        raise SlabtuiError(what, remedies.after(error, "check `ulimit -l`")) from error
    return replace(compiled, maps=copies)
