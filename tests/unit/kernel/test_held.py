"""Which frames the stack of an allocation in bulk has."""

import pytest

from slabtui.kernel.held import trim_bulk


@pytest.mark.parametrize("name", ["kmem_cache_alloc_bulk", "kmem_cache_alloc_bulk_noprof"])
def test_the_stack_of_an_allocation_in_bulk_begins_where_it_allocates(name: str) -> None:
    assert trim_bulk(("bpf_prog_4a7e [bpf]", "bpf_trampoline", name, "io_submit_sqes")) == (name, "io_submit_sqes")
    assert trim_bulk(("bpf_prog_4a7e [bpf]", "io_submit_sqes")) == ("bpf_prog_4a7e [bpf]", "io_submit_sqes")
    assert trim_bulk(()) == ("kmem_cache_alloc_bulk",)
