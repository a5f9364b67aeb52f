"""Which tests run one after the other where pytest-xdist runs others beside them."""

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

KERNEL = "kernel"  # the group of the tests that count, mount or compare what is loaded

_COUNTING = (  # directories and files
    "tests/e2e",
    "tests/live",
    "tests/unit/kernel/bpf",
    "tests/unit/recording/test_addresses.py",
    "tests/unit/tools/test_distros.py",
)
# Of the tests of the whole program, those that neither count nor mount a file system.
_BESIDE_OTHERS = {
    "test_dist.py",
    "test_locales.py",
    "test_paste.py",
    "test_setup.py",
    "test_start.py",
    "test_streams.py",
}


def group(node: str) -> str:
    """Return the group of a test, of which one process runs all.

    The tests that count compare programs and events of the whole kernel, which another one would change; and while a
    file system is mounted the kernel repeats lookups, and allocates more files than are opened.

    Args:
        node: pytest's identifier of the test, which begins with its file.
    """
    file = PurePosixPath(node.partition("::")[0])
    if file.name in _BESIDE_OTHERS:
        return file.name  # what they build together is built once
    return KERNEL if any(file.is_relative_to(place) for place in _COUNTING) else node


class Groups(LoadScopeScheduling):
    """Gives each group to one process. pytest-xdist's own marks for this do nothing with pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
