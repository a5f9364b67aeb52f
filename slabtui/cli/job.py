"""What a consumer that has no screen works with: the choices of the user, the producer, and what it tells the user."""

from collections.abc import Callable
from dataclasses import dataclass

from slabtui.cli.options import Options
from slabtui.producer import Producer
from slabtui.recording.addresses import Concealer


@dataclass(frozen=True, slots=True)
class Job:
    """The work of a consumer.

    Attributes:
        options: what the user asks for.
        producer: not started yet.
        conceal: replaces kernel addresses.
        complain: prints a line on standard error.
        notes: returns what other parts of the program have to say.
    """

    options: Options
    producer: Producer
    conceal: Concealer
    complain: Callable[[str], None]
    notes: Callable[[], tuple[str, ...]]
