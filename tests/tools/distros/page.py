"""Renders docs/distributions.md from the results of one run. Pure; every figure comes from that run."""

from collections.abc import Iterable, Sequence

from tests.support.markdown import NONE, table
from tests.tools.distros.results import WAYS, Result, faults
from tests.tools.kernels.results import LiveTests

_TITLE = "# On Debian's releases"
_EXPLANATION = """\
For each release, debootstrap creates a minimal root file system (`minbase`, with make, sudo, git and ca-certificates).
In it a new user clones this project and follows the [README](../README.md). The user has sudo rights, a home directory
of mode 0700, and an environment of HOME, PATH, TERM and LANG only. All releases run on the kernel of the machine that
ran the command.

- **first table**: time from `sudo make run` to a table with rows on an 80x24 terminal. The first run downloads and
  installs what is missing, so it depends on the network. **next**: the same command once more.
- **tests**: the result of `sudo make test`, passed / failed / skipped. A live test that cannot run fails. Tests of
  a program that the release or the minimal system does not have, as sshd or systemd, are skipped.
- The other columns are the files that `make dist` builds, each installed in a root file system of its own **without
  network**; their dependencies were downloaded before. "works" means: without bcc slabtui names the package to install;
  `slabtui -C 1 2` prints two tables; the demo is drawn on a terminal for the user `nobody`; bash completes options,
  values of `-s`, names of caches and PIDs; and, except for the pyz, `man slabtui` shows the manual page.
  - **pyz**: `slabtui.pyz` copied to `/usr/local/bin/slabtui`; **deb**: the package, installed by `apt-get install`;
  - **pipx**, **uv**: the wheel, installed by `pipx install` and `uv tool install`; **sdist**: the source archive,
    installed by pip in a virtual environment."""
_TITLES = ("distribution", "bcc", "Python", "first table", "next", "tests", *WAYS, "notes")


def render(results: Sequence[Result], *, date: str, command: str, machine: str) -> str:
    """Return the whole page.

    Args:
        results: one for each release, in the order of the table.
        date: of the run.
        command: that started it.
        machine: the kernel, which is the same for all releases.
    """
    written = f"Written on {date} by `{command}`, with the results of that run; {machine}."
    return "\n\n".join((_TITLE, written, _EXPLANATION, table(_TITLES, map(_row, results)))) + "\n"


def summary(result: Result) -> str:
    """Return a line about one release, for the terminal."""
    wrong = len(faults(result))
    state = f"{wrong} faults" if wrong else "works" if result.suite.new_enough else "is refused"
    return f"{state}; tests {_tests(result.tests)} ({result.seconds:.0f} s)"


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.suite.title,
        result.bcc,
        result.python,
        f"{result.start.first:.0f} s" if result.start else "",
        f"{result.start.again:.1f} s" if result.start else "",
        _tests(result.tests),
        *(_install(result, way) for way in WAYS),
        "; ".join(_notes(result)),
    )


def _install(result: Result, way: str) -> str:
    if way not in result.installs:
        return NONE
    return "fails" if result.installs[way] else "works"


def _notes(result: Result) -> Iterable[str]:
    if result.refusal:
        yield f"refused before anything is installed: {result.refusal}"
    if result.child and result.child.live.passed:
        live = _tests(result.child.live)
        yield f"its Python and bcc as the child of Python {result.child.parent}: live tests {live}"
    yield from faults(result)


def _tests(tests: LiveTests | None) -> str:
    return f"{tests.passed} / {len(tests.failed)} / {tests.skipped}" if tests else NONE
