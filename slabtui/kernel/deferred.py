"""A part that is compiled when it is first wanted, in a thread of its own: counting goes on meanwhile."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf.module import Module
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.part import Part, Result
from slabtui.kernel.tracers import Tracers
from slabtui.system import threads

_Part = TypeVar("_Part", bound=Part[Any])


def attach(part: Part[Any], settings: Settings) -> None:
    """Attach a part that needs nothing else."""
    part.attach(settings)


class Deferred(Part[Result], Generic[_Part, Result]):
    """One such part. Used by one thread, apart from `close` and the thread that it starts.

    Nothing that fails is raised: `trouble` says what is wrong until the part is attached again, or detached.

    Args:
        name: what it counts, for `trouble`.
        make: makes the part; runs in the thread.
        nothing: what is read while the part does not exist.
        ready: called in the thread when `advance` has something to do.
        begin: attaches the part, unless that has to wait.

    Attributes:
        part: the part; None while it is not compiled.
        failure: why it does not count although it was asked to; empty if it does, or soon will.
        pending: whether it is being compiled.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], _Part],
        nothing: Result,
        ready: Callable[[], None],
        begin: Callable[[_Part, Settings], None] = attach,
    ) -> None:
        self._name = name
        self._make = make
        self._nothing = nothing
        self._ready = ready
        self._begin = begin
        self._wanted = False
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # for the three that follow
        self._made: _Part | BaseException | None = None
        self._closed = False
        self.part: _Part | None = None
        self.failure = ""

    @property
    def pending(self) -> bool:
        """Whether it is being compiled, or has been and `advance` is still to attach it."""
        return self._thread is not None

    @property
    def modules(self) -> Sequence[Module]:
        """Its programs and maps; none while they are not compiled."""
        return self.part.modules if self.part else ()

    @property
    def descriptors(self) -> Sequence[int]:
        """The file descriptor of each program that counts."""
        return self.part.descriptors if self.part else ()

    @property
    def runs_per_event(self) -> bool:
        """Whether one of its programs runs for each event."""
        return self.part is not None and self.part.runs_per_event

    @property
    def tracers(self) -> Tracers | None:
        """Those of the part."""
        return self.part.tracers if self.part else None

    @property
    def trouble(self) -> str:
        """Why it does not count although it was asked to, or what it cannot do; empty if there is nothing."""
        if self.failure:
            return f"{self._name} not counted: {self.failure}"
        return self.part.trouble if self.part else ""

    def attach(self, settings: Settings) -> None:
        """Begin to count, as soon as the part is compiled."""
        self._wanted = True
        self.failure = ""
        if self.part is not None:
            self._try(lambda part: self._begin(part, settings))
        else:
            self.prepare()

    def prepare(self) -> None:
        """Compile the part, if that has not begun, so that it can count at once when it is wanted."""
        if self.part is None and self._thread is None:
            thread = threading.Thread(target=self._run, name="compile", daemon=True)
            try:
                threads.start(thread)
            except SlabtuiError as error:
                self.failure = str(error)
            else:
                self._thread = thread

    def detach(self) -> None:
        """Stop counting."""
        self._wanted = False
        self.failure = ""
        if self.part is not None:
            self.part.detach()

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs; OSError where the kernel refuses."""
        if self.part is not None:
            self.part.put(settings)

    def read(self) -> Result:
        """Return what was counted so far; OSError where a map cannot be read."""
        if self.part is None:
            return self._nothing
        result: Result = self.part.read()
        return result

    def advance(self, settings: Settings) -> bool:
        """Attach the part if it was compiled since the last call and is still wanted; return whether it was."""
        with self._lock:
            made, self._made = self._made, None
            if isinstance(made, Part):
                self.part = made  # at once, so that `close` finds it here or there
        if made is None:
            return False
        self._thread = None
        if isinstance(made, SlabtuiError | OSError):
            if self._wanted:
                self.failure = str(made)
            return False
        if isinstance(made, BaseException):
            raise made
        if self._wanted:
            self._try(lambda part: self._begin(part, settings))
        return True

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the part is compiled, or has failed, for `seconds` at most (None: without limit)."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def close(self) -> None:
        """Detach the part and release its maps, also if it is being compiled; in any thread, and more than once."""
        with self._lock:
            self._closed = True
            parts, self._made = (self.part, self._made), None
        for part in parts:
            if isinstance(part, Part):
                part.close()

    def _try(self, step: Callable[[_Part], None]) -> None:
        assert self.part is not None
        try:
            step(self.part)
        except (SlabtuiError, OSError) as error:
            self.failure = str(error)

    def _run(self) -> None:
        made: _Part | BaseException
        try:
            made = self._make()
        except BaseException as error:  # the thread that advances reports it
            made = error
        with self._lock:
            closed = self._closed
            if not closed:
                self._made = made
        if closed and isinstance(made, Part):
            made.close()
        self._ready()
