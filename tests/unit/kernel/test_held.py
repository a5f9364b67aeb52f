"""When the sample of what is held becomes smaller, and which frames the stack of an allocation in bulk has."""

import pytest

from slabtui.kernel.held import BUDGET, PATIENCE, Spending, trim_bulk


def test_events_within_the_budget_never_double_n() -> None:
    spending = Spending()
    assert not any(spending.add(BUDGET, 1.0) for _ in range(1000))


def test_a_cost_that_is_above_the_budget_in_half_of_the_intervals_and_below_it_on_average_does_not_double_n() -> None:
    spending = Spending()
    assert not any(spending.add(BUDGET * (1.5 if number % 2 else 0.4), 1.0) for number in range(1000))


@pytest.mark.parametrize(("times", "doublings"), [(1.5, 1), (2.0, 1), (3.0, 2), (16.0, 4)])
@pytest.mark.parametrize("seconds", [0.2, 1.0, 5.0])
def test_a_cost_that_stays_above_the_budget_doubles_n_until_it_fits(
    times: float, doublings: int, seconds: float
) -> None:
    spending, passed, found = Spending(), 0.0, 0
    while not found:
        passed += seconds
        found = spending.add(times * BUDGET * seconds, seconds)
    assert found == doublings
    assert passed * (times - 1) == pytest.approx(PATIENCE, abs=seconds * (times - 1) + 1e-6)
    assert spending.add(BUDGET * seconds, seconds) == 0


@pytest.mark.parametrize("name", ["kmem_cache_alloc_bulk", "kmem_cache_alloc_bulk_noprof"])
def test_the_stack_of_an_allocation_in_bulk_begins_where_it_allocates(name: str) -> None:
    assert trim_bulk(("bpf_prog_4a7e [bpf]", "vring_alloc", name, "io_submit_sqes")) == (name, "io_submit_sqes")


def test_where_that_function_is_not_in_the_stack_it_is_added() -> None:
    tracer = "bpf_prog_4a7e [bpf]"
    assert trim_bulk((tracer, tracer, "io_submit_sqes")) == ("kmem_cache_alloc_bulk", "io_submit_sqes")
    assert trim_bulk(()) == ("kmem_cache_alloc_bulk",)
