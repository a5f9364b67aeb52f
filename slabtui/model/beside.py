"""What the kernel itself counts beside the objects of a cache: what they are, and which code allocated them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SideCount:
    """A number that the kernel keeps apart from the allocator, and that says what the objects of a cache are.

    Attributes:
        name: what is counted, as `negative dentries`.
        number: now.
        began: when the inspection began.
    """

    name: str
    number: int
    began: int


@dataclass(frozen=True, slots=True)
class KernelSite:
    """Code that allocated, and what of it is in use, as the kernel's own debugging knows it: since boot.

    Attributes:
        source: where the kernel says so: `/proc/allocinfo` or `slab_debug`.
        objects: in use when the inspection began.
        bytes: their size.
        frames: the functions, the innermost first; harmless to print.
        place: file and line of the source; empty where unknown.
        pids: PIDs of the processes, as the kernel writes them: one, or the lowest and the highest; empty where unknown.
    """

    source: str
    objects: int
    bytes: int
    frames: tuple[str, ...] = ()
    place: str = ""
    pids: str = ""
