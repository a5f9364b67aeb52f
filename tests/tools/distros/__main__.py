"""The command line: makes the root file systems, runs every step in each, writes the page, and reports faults."""

import argparse
import fcntl
import os
import platform
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import FrameType

from slabtui.errors import SlabtuiError
from tests import ROOT
from tests.tools.distros import child, installs, newcomer, page, results, root, suites
from tests.tools.distros.results import Result
from tests.tools.distros.root import Root
from tests.tools.distros.steps import Steps
from tests.tools.distros.suites import Suite
from tests.tools.kernels import debian

_PAGE = ROOT / "docs" / "distributions.md"
_CACHE = "DISTRO_TEST_CACHE"  # in the environment


def main() -> int:
    """Test all releases or those named, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.distros",
        description="Test slabtui in minimal root file systems of Debian's releases; write docs/distributions.md.",
    )
    parser.add_argument("suites", nargs="*", help="only these releases, such as 13; print the page")
    names: Sequence[str] = parser.parse_args().suites
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        chosen = suites.choose(names)
        _demand_root()
        root.leave_mounts()
        state = Path(os.environ.get(_CACHE) or Path.home() / ".cache" / "distro-test").resolve()
        with _alone(state):
            return _test(chosen, state, _PAGE if not names else None)
    except SlabtuiError as error:
        print(f"distros: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _demand_root() -> None:
    if os.geteuid():
        raise SlabtuiError("only root can mount file systems", "run it as root: sudo make test-distros")


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Refuse a second run at the same time, and remove what a killed run has left."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SlabtuiError(f"another run uses {state}", f"wait for its end, or set {_CACHE}") from None
        shutil.rmtree(state / "run", ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(state / "run", ignore_errors=True)


def _test(chosen: Sequence[Suite], state: Path, target: Path | None) -> int:
    begin, today = time.monotonic(), date.today().isoformat()
    debian.install(root.NEEDED)
    if debian.run("git", "-C", ROOT, "status", "--porcelain", remedy="run it in a clone of the project"):
        print("distros: uncommitted changes are not tested", file=sys.stderr)
    logs = state / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    found = [_one(suite, state, logs / suite.name) for suite in chosen]
    text = page.render(found, date=today, command="sudo make test-distros", machine=f"Linux {platform.release()}")
    if target:
        target.write_text(text)
    else:
        print(text)
    wrong = [f"{result.suite.title}: {fault}" for result in found for fault in results.faults(result)]
    print(f"{len(found)} distributions in {time.monotonic() - begin:.0f} s", *wrong, sep="\n")
    if wrong:
        print(f"the logs are in {logs}")
    return 1 if wrong else 0


def _one(suite: Suite, state: Path, logs: Path) -> Result:
    print(f"{suite.title}: begins", flush=True)
    begin = time.monotonic()
    base, run = root.base(suite, state), state / "run" / suite.name
    run.mkdir(parents=True)
    test = _supported if suite.new_enough else _refused
    result = replace(test(suite, base, run, logs), seconds=time.monotonic() - begin)
    shutil.rmtree(run)
    print(f"{suite.title}: {page.summary(result)}", flush=True)
    return result


def _supported(suite: Suite, base: Path, run: Path, logs: Path) -> Result:
    """Follow the README as a new user does, then install every product of `make dist`."""
    done = Steps()
    with Root([base], run / "newcomer") as at:
        at.configure()
        newcomer.clone(at, ROOT)
        start = done.run("sudo make run", lambda: newcomer.start(at, logs))
        tests = done.run("sudo make test", lambda: newcomer.test(at, logs))
        python, bcc = newcomer.versions(at)
    found = installs.test(base, ROOT, run, logs)
    return Result(
        suite, python=python, bcc=bcc, start=start, tests=tests, installs=found, troubles=tuple(done.troubles)
    )


def _refused(suite: Suite, base: Path, run: Path, logs: Path) -> Result:
    """Check that the release is refused, then that its Python and bcc work as the child of this Python."""
    done = Steps()
    with Root([base], run / "newcomer") as at:
        at.configure()
        newcomer.clone(at, ROOT)
        refusal = done.run("sudo make run", lambda: newcomer.refusal(at, logs))
        live = done.run("as a child process", lambda: child.test(at, ROOT, run, logs))
        python, bcc = newcomer.versions(at)
    return Result(suite, python=python, bcc=bcc, refusal=refusal, child=live, troubles=tuple(done.troubles))


if __name__ == "__main__":
    sys.exit(main())
