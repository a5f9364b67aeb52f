"""The table of faults, without a run: every test that it names exists, and every failure is reported."""

import ast
from pathlib import Path

import pytest

from tests.tools.soak import faults
from tests.tools.soak.faults import FAULTS, Fault

FAULT = Fault("it breaks", "it goes on", ("tests/unit/test_a.py::test_one", "tests/live/test_b.py::test_two"))
ONE = "".join(f"<testcase classname='tests.unit.test_a' name='test_one[{number}]'/>" for number in (1, 2))
TWO = "<testcase classname='tests.live.test_b' name='test_two'/>"
OTHER = "<testcase classname='tests.e2e.test_b' name='test_two'><failure message='not of this fault'/></testcase>"


def judged(*cases: str) -> tuple[str, bool]:
    (outcome,) = faults.judged([FAULT], f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return outcome.words, outcome.right


def test_a_fault_whose_tests_all_passed_is_right() -> None:
    assert judged(ONE, TWO, OTHER) == ("3 of 3 tests passed", True)


@pytest.mark.parametrize("what", ["failure", "error", "skipped"])
def test_what_did_not_pass_is_reported_with_its_reason(what: str) -> None:
    bad = TWO.replace("/>", f"><{what} message='why&#10;more'/></testcase>")
    assert judged(ONE, bad) == (f"does not work: test_two: {what}: why", False)


def test_what_did_not_run_is_reported() -> None:
    assert judged(ONE) == ("does not work: tests/live/test_b.py::test_two did not run", False)
    assert judged() == (f"does not work: {'; '.join(f'{test} did not run' for test in FAULT.tests)}", False)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_test_of_the_table_is_there(fault: Fault) -> None:
    for test in fault.tests:
        file, _, function = test.partition("::")
        names = {node.name for node in ast.parse(Path(file).read_text()).body if isinstance(node, ast.FunctionDef)}
        assert function in names
