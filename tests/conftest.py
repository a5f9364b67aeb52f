"""Skips live tests that cannot run on this machine; in CI they fail instead."""

import os
import signal
from typing import Any

import pytest
from hypothesis import settings

from slabtui.errors import SlabtuiError
from slabtui.kernel import capabilities
from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe

for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):  # ignored in a job in the background, and by nohup(1)
    if signal.getsignal(number) is signal.SIG_IGN:  # then programs that a test starts would ignore them too
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else lambda *_: None)

# No deadline: it would measure other load of the machine. The same examples in every run: who installs slabtui gets the
# result that its developers got. They look for new ones with --hypothesis-profile=search.
settings.register_profile("search", deadline=None)
settings.register_profile("slabtui", deadline=None, derandomize=True)
settings.load_profile("slabtui")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Run the tests that count one after the other."""
    from tests.support.scheduling import Groups  # pytest-xdist need not be installed

    return Groups(config, log)


def why_not_live() -> str | None:
    """Return what this machine lacks to run slabtui for real."""
    try:
        capabilities.demand()
        capabilities.unlimit_locked_memory()  # as the program does; a probe by itself changes no limit
        Probe(offsets.read()).close()
    except SlabtuiError as error:
        return str(error)
    return None


@pytest.fixture(scope="session")
def lacking() -> str | None:
    return why_not_live()


@pytest.fixture(autouse=True)
def _live(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("live") is None:
        return
    lacking = request.getfixturevalue("lacking")
    if lacking and os.environ.get("SLABTUI_LIVE") == "required":
        pytest.fail(f"live tests are required here, but {lacking}")
    if lacking:
        pytest.skip(lacking)
