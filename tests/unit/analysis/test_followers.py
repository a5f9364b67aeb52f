"""Caches that grow because others do: the arrays that the kernel keeps for each slab of an accounted cache."""

import pytest

from slabtui.analysis.followers import objects_per_slab
from slabtui.analysis.growth import Growth
from slabtui.model.snapshot import Snapshot
from tests.support.fakes import snapshot
from tests.support.hosts import START, find, growing, noisy, row


@pytest.mark.parametrize(
    ("size", "array", "number"),
    [
        (192, 192, 21),  # dentry: a page
        (192, 512, 42),  # the same on a machine with more CPUs: two pages
        (192, 256, 0),
        (704, 192, 23),  # proc_inode_cache: four pages
        (1184, 128, 13),  # ext4_inode_cache
        (32, 1024, 128),  # lsm_inode_cache
        (1184, 64, 0),  # a slab has more than 8 objects
        (None, 192, 0),
    ],
)
def test_the_array_of_a_slab_has_a_pointer_for_each_object(size: int | None, array: int, number: int) -> None:
    assert objects_per_slab(size, array) == number


def judged(more: float) -> Snapshot:
    """Return a host on which dentries grow, and kmalloc-192 with their slabs, and by this many more per second."""
    growth, dentries, others = Growth(), noisy(420, 10, 1), noisy(more, 4, 2)
    for at in range(1, 101):
        dentry = dentries(at) or 0
        one = growth.judge(
            snapshot(
                row("dentry", dentry, reclaimable=True, size=192),
                row("kmalloc-192", dentry // 21 + (others(at) or 0), size=192),
                time=START + at,
            )
        )
    return one


def test_what_grows_with_the_slabs_of_another_cache_is_not_marked() -> None:
    one = judged(0)
    assert growing(one) == set()
    assert find(one, "kmalloc-192").growth_objects_s == pytest.approx(20, rel=0.05)
    assert find(one, "kmalloc-192").grows_with == ("dentry",)


def test_what_grows_by_more_than_the_slabs_of_others_is_marked() -> None:
    assert growing(judged(10)) == {"kmalloc-192"}


@pytest.mark.parametrize(("more", "marked"), [(0, set()), (100, {"eventpoll_epi"})])
def test_buckets_of_ports_grow_with_sockets_in_time_wait_and_what_grows_beyond_is_marked(
    more: float, marked: set[str]
) -> None:
    """The three caches of 128 bytes are often one. Each socket has two buckets."""
    growth, sockets, others = Growth(), noisy(180, 10, 1), noisy(more, 4, 2)
    for at in range(1, 61):
        waiting = sockets(at) or 0
        one = growth.judge(
            snapshot(
                row("tw_sock_TCP", waiting, size=256),
                row(
                    "eventpoll_epi",
                    2 * waiting + (others(at) or 0),
                    size=128,
                    aliases=("tcp_bind2_bucket", "tcp_bind_bucket"),
                ),
                time=START + at,
            )
        )
    assert growing(one) == marked
    assert find(one, "eventpoll_epi").grows_with == (() if marked else ("tw_sock_TCP",))
