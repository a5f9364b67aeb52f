"""The results of one release, and the faults in them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.tools.distros.suites import Suite
from tests.tools.kernels.results import LiveTests

WAYS = ("pyz", "deb", "pipx", "uv", "sdist")  # to install slabtui, in the order of the page


@dataclass(frozen=True, slots=True)
class Start:
    """The table as `sudo make run` shows it in a terminal.

    Attributes:
        first: seconds from the first `sudo make run`, which installs what is missing, to the table.
        again: seconds from the next one to the table.
    """

    first: float
    again: float


@dataclass(frozen=True, slots=True)
class Child:
    """The Python and bcc of a release as the child process of a newer Python.

    Attributes:
        parent: the version of the Python that runs slabtui.
        live: the result of the live tests.
    """

    parent: str
    live: LiveTests


@dataclass(frozen=True, slots=True)
class Result:
    """All results of one release.

    Attributes:
        suite: the release.
        seconds: how long everything took.
        python: the version of Python that was installed.
        bcc: the version of bcc that was installed.
        start: None if no table was seen.
        tests: the result of `sudo make test`; None if there is none.
        refusal: the line with which slabtui refuses this release.
        child: its Python and bcc as a child process.
        installs: what is wrong with each way to install, by its name; an empty tuple means that everything works.
        troubles: the steps that failed, in words.
    """

    suite: Suite
    seconds: float = 0.0
    python: str = ""
    bcc: str = ""
    start: Start | None = None
    tests: LiveTests | None = None
    refusal: str | None = None
    child: Child | None = None
    installs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()


def faults(result: Result) -> list[str]:
    """Return the faults, one line each."""
    found = list(result.troubles)
    if result.tests:
        found += _test_faults("sudo make test", result.tests)
    if result.child:
        found += _test_faults("as a child process", result.child.live)
    found += [f"{way}: {trouble}" for way, troubles in result.installs.items() for trouble in troubles]
    return found


def _test_faults(what: str, tests: LiveTests) -> list[str]:
    """Return which tests of one run failed, in one line; a run without any test is a fault too."""
    if not tests.passed and not tests.failed:
        return [f"{what}: no test ran"]
    return [f"{what}: failed: {', '.join(tests.failed)}"] if tests.failed else []
