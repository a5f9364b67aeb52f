"""Compiles BPF C with the first interpreter of the system that has bcc, each source in a child process."""

import errno
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import interpreters, remedies
from slabtui.kernel.bpf.child import Child, Compiled, NoBccError

_NO_ROOM = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)  # with any interpreter
_NO_MODULE = "No module named 'bcc'"  # needs no explanation


class Compiler:
    """Compiles with the first interpreter that has bcc. Thread-safe: each compilation has a child of its own.

    Args:
        candidates: paths of the interpreters to try; None: those of the system.
        meanwhile: called while the first child compiles, for what would delay the start otherwise.

    Attributes:
        bcc: version of the bcc that compiled last; empty before.
    """

    def __init__(self, candidates: Sequence[str] | None = None, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._candidates = tuple(interpreters.candidates() if candidates is None else candidates)
        self._meanwhile = meanwhile
        self._lock = threading.Lock()
        self._children: set[Child] = set()
        self._ready: Child | None = None
        self._closed = False
        self.bcc = ""

    def prepare(self) -> None:
        """Start the child of the next compilation now, so that it can import bcc early."""
        with suppress(OSError):  # the compilation reports it
            self._ready = self._start(self._candidates[0])

    def compile(self, source: str, options: Sequence[str]) -> Compiled:
        """Compile a source.

        Raises:
            SlabtuiError: no interpreter has bcc, or the compilation failed.
        """
        tried, reasons = [], []
        for interpreter in self._candidates:
            ready, self._ready = self._ready, None
            try:
                child = ready or self._start(interpreter)
            except OSError as error:
                if error.errno in _NO_ROOM:
                    what = f"cannot start the compiler ({error.strerror})"
                    raise SlabtuiError(what, remedies.after(error, "try again")) from error
                tried.append(interpreter)
                if not isinstance(error, FileNotFoundError):
                    reasons.append(str(error.strerror))
                continue
            try:
                compiled = child.compile(source, options, self._do_meanwhile)
            except NoBccError as error:
                tried.append(interpreter)
                if str(error) != _NO_MODULE:
                    reasons.append(str(error))
                continue
            finally:
                with self._lock:
                    self._children.discard(child)
            self.bcc = compiled.bcc
            self._candidates = (interpreter,)
            return compiled
        why = "; ".join((f"tried {', '.join(tried)}", *reasons))
        limit = remedies.memory_limit() if reasons else ""
        raise SlabtuiError(f"no Python here can import bcc ({why})", limit or interpreters.installation())

    def close(self) -> None:
        """End all children."""
        with self._lock:
            self._closed = True
            children = tuple(self._children)
        for child in children:
            child.kill()
        if self._ready:
            self._ready.close()

    def _do_meanwhile(self) -> None:
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()

    def _start(self, interpreter: str) -> Child:
        child = Child(interpreter)
        with self._lock:
            self._children.add(child)
            closed = self._closed
        if closed:  # meanwhile
            child.kill()
        return child
