"""The programs of one part at their tracepoints: raw ones, and classic ones where raw ones miss events."""

from collections.abc import Mapping

from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.settings import Settings, Way

_CLASSIC = "{}_classic"  # how the programs of classic tracepoints are named


class Tracers:
    """Attaches the programs of a part, and counts the events that the kernel skipped them for.

    Args:
        context: what every module is made with.
        module: has the programs.
        handlers: name of the program of each raw tracepoint, by its name.

    Attributes:
        descriptors: the file descriptor of each program that counts, by its tracepoint.
    """

    def __init__(self, context: BuildContext, module: Module, handlers: Mapping[str, str]) -> None:
        self._context = context
        self._module = module
        self._handlers = dict(handlers)
        self._classic: dict[str, int] = {}
        self._began_raw = True
        self._missed: int | None = 0  # by programs that no longer count
        self._baseline: int | None = 0  # of the programs that count: misses before they did
        self.descriptors: dict[str, int] = {}

    @property
    def has_raw(self) -> bool:
        """Whether programs of raw tracepoints are attached."""
        return any(self._module.is_loaded(name) for name in self._handlers.values())

    def attach(self, settings: Settings) -> None:
        """Attach the programs that count: raw ones, or only classic ones once these have begun to take over.

        Where a trace event has classic programs already, they run before a raw one that comes later: it could not mark
        for them what it counts.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: likewise.
        """
        self._began_raw = settings.way == Way.RAW
        try:
            self.put(settings)
            if self._began_raw:
                for name in self._handlers.values():  # load all of them first, so that the counts begin together
                    self._module.load(name)
                self.descriptors = {
                    tracepoint: self._module.attach(tracepoint, name) for tracepoint, name in self._handlers.items()
                }
            else:
                self.add_classic()
                self.descriptors = self._classic
        except BaseException:
            self.detach()
            raise

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs. Classic ones that were attached without raw ones count from the first.

        Raises:
            OSError: the kernel refused.
        """
        own = Settings.from_buffer_copy(settings)
        if not self._began_raw:
            own.way = Way.CLASSIC
        self._module.put(own)

    def detach(self) -> None:
        """Stop counting and unload the programs."""
        self._forget()
        self._module.unload_all()
        self.descriptors, self._classic = {}, {}

    def add_classic(self) -> None:
        """Attach the programs of classic tracepoints too; the settings say whether they count.

        Raises:
            SlabtuiError: the kernel refused, or tracefs is not mounted.
            OSError: likewise.
        """
        for event, name in self._handlers.items():
            self._classic[event] = self._module.attach_classic(event, _CLASSIC.format(name))

    def drop_classic(self) -> None:
        """Detach the classic programs."""
        for name in self._handlers.values():
            self._module.unload(_CLASSIC.format(name))
        self._classic = {}

    def take_over(self) -> None:
        """Count the misses of the classic programs from now on, instead of those of the raw ones."""
        self._forget()
        self.descriptors = self._classic
        self._baseline = self._context.misses(self.descriptors.values())

    def drop_raw(self) -> None:
        """Detach the raw programs."""
        for name in self._handlers.values():
            self._module.unload(name)

    def misses(self) -> int | None:
        """Return how many events the kernel skipped since the first `attach`; None where it does not say."""
        now = self._context.misses(self.descriptors.values())
        if now is None or self._missed is None or self._baseline is None:
            return None
        return self._missed + now - self._baseline

    def _forget(self) -> None:
        self._missed, self._baseline = self.misses(), 0
