"""Decides what a test that needs this machine's kernel does where it cannot run: it is skipped, in CI it fails."""

import os

import pytest
from hypothesis import settings

from slabtui.errors import SlabtuiError
from slabtui.kernel import capabilities, layout
from slabtui.kernel.probe import Probe

settings.register_profile("slabtui", deadline=None)  # it would measure what else the machine does
settings.load_profile("slabtui")


def why_not_live() -> str | None:
    """Return what this machine lacks to run slabtui for real."""
    try:
        capabilities.demand()
        Probe(layout.read()).close()
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
