"""Serves metrics, or writes them to a file, until the user ends it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from slabtui import __version__
from slabtui.cli.options import Options
from slabtui.cli.parser import SEE_HELP
from slabtui.columns import query
from slabtui.errors import SlabtuiError, Status
from slabtui.kernel import capabilities
from slabtui.metrics import listing
from slabtui.metrics.address import Address
from slabtui.metrics.keepers import Keepers, list_doubts
from slabtui.metrics.series import Series
from slabtui.metrics.suspects import SuspectListing
from slabtui.model.snapshot import Snapshot
from slabtui.outputs.notes import once
from slabtui.producer import Producer
from slabtui.queues import SnapshotQueue
from slabtui.recording.addresses import AddressHider

Notes = Callable[[], tuple[str, ...]]

_INSTALL = "apt-get install python3-prometheus-client, or pip install prometheus-client"


class Exporter:
    """Exposes what a producer publishes. It listens from the beginning, with the privileges that this may need.

    Args:
        options: what the user asks for.

    Raises:
        SlabtuiError: a library is missing, the address or the file cannot be used, or the web config is wrong.
    """

    def __init__(self, options: Options) -> None:
        try:
            from slabtui.metrics import destination, families, web_config
        except ImportError as error:
            raise SlabtuiError(f"--metrics needs the module {error.name}", _INSTALL) from error
        self._families = families.Families(__version__)
        included, excluded = _matchers(options)
        self._series = Series(listing.Listing(options.maxrows or listing.MOST, included, excluded))
        self._request = options.request
        self._suspects = SuspectListing(excluded) if options.metrics_held else None
        self._keepers = Keepers()
        self._conceal = AddressHider()  # whatever the user asks for: others read it
        self._is_exposed = False
        self._destination: destination.Destination
        registry = families.registry(self._families)
        if isinstance(options.metrics, Path):
            self.place = str(options.metrics)
            self._destination = destination.Textfile(options.metrics, registry)
            return
        assert options.metrics is not None
        web = web_config.read(options.web_config) if options.web_config else web_config.WebConfig()
        listener = options.metrics.listen()
        bound = Address(*listener.getsockname()[:2])
        self.place = f"{'https' if web.tls else 'http'}://{bound}/metrics"
        self._destination = destination.Listener(listener, registry, web, capabilities.drop_all)

    def run(self, producer: Producer, count: int | None, complain: Callable[[str], None], notes: Notes) -> None:
        """Expose until the producer ends.

        Args:
            producer: not started yet.
            count: end after this many intervals; None: when the producer ends.
            complain: prints a line on standard error.
            notes: returns what other parts of the program have to say.

        Raises:
            SlabtuiError: something that the user can remedy.
        """
        queue = SnapshotQueue()
        producer.subscribe(queue)
        say = once(complain)
        try:
            producer.start()
            for snapshot in islice(queue, count):
                self._track(snapshot, producer)
                say((*self._expose(snapshot), *snapshot.notes, *notes()))
                if snapshot.error:
                    complain(snapshot.error)
        finally:
            self.close()

    def close(self) -> None:
        """Expose nothing more; more than once."""
        self._destination.close()

    def _track(self, snapshot: Snapshot, producer: Producer) -> None:
        """Let the producer track what is held of the caches that grow as leaks do, if that is asked for."""
        if self._suspects is None:
            return
        with _refusing_slow_patterns():
            chosen = self._suspects.choose(snapshot) or None  # while there are none, nothing is made ready
        if chosen != self._request.suspects:
            self._request = replace(self._request, suspects=chosen)
            producer.request(self._request)

    def _expose(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Expose what there is after one more interval; return what is worth saying."""
        shown = self._conceal(snapshot)
        with _refusing_slow_patterns():
            exposed = self._series.add(shown)
        self._families.exposed = replace(exposed, keepers=self._keepers.add(shown))
        try:
            self._destination.publish()
        except SlabtuiError as error:
            if not self._is_exposed:
                raise
            return (str(error),)  # a full disk may have room later
        self._is_exposed = True
        return f"metrics: {self.place}", *list_doubts(shown)


@contextmanager
def _refusing_slow_patterns() -> Iterator[None]:
    try:
        yield
    except query.BadFilterError as error:
        raise SlabtuiError(f"a pattern for metrics {error}", SEE_HELP, Status.USAGE) from error


def _matchers(options: Options) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    """Return what finds the caches that always, and those that never, have series of their own."""
    given = (options.metrics_include, options.metrics_exclude)
    included, excluded = (query.matcher(one) if one else listing.nothing for one in given)
    return included, excluded
