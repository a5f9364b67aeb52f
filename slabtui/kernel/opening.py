"""Opens the running kernel as a source, once it is known that this process may count.

The child that compiles the programs takes most of that time. It is begun as early as possible: what it does not need is
imported while it works.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from slabtui.kernel import capabilities
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.procfs import mounts, slabinfo

if TYPE_CHECKING:
    from slabtui.kernel.probe import Probe


def demand(cache: str | None = None) -> None:
    """Check what counting needs, before anything begins.

    Args:
        cache: the name or alias of a cache that is to be inspected; None: none is.

    Raises:
        SlabtuiError: /proc or /sys is not mounted, there is no such cache, or this process may not load programs.
    """
    mounts.demand()
    if cache is not None:
        slabinfo.demand(cache)
    capabilities.demand()


def open_probe(
    pids: Collection[int] = (), cgroup: Path | None = None, meanwhile: Callable[[], object] = lambda: None
) -> "Probe":
    """Return the running kernel as a source that counts. Neither the privileges nor the limits of the process change.

    Args:
        pids: count what these processes allocate; none: what any process does.
        cgroup: count what this control group allocates; None: what any one does.
        meanwhile: called while the compiler works, for what would delay the start otherwise.

    Raises:
        SlabtuiError: the probe cannot start; nothing is left attached.
        OSError: the system refuses something, such as another file descriptor.
    """
    compiler = Compiler(meanwhile=meanwhile)
    try:
        compiler.prepare()  # as early as possible: its child imports bcc in the meantime
        from slabtui.kernel.abi import offsets
        from slabtui.kernel.probe import Probe
        from slabtui.kernel.scope import Scope

        return Probe(offsets.read(), Scope(tuple(pids), cgroup), compiler)
    except BaseException:
        compiler.close()
        raise
