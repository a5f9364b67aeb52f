"""Finds how to get from an object to its cache: calibration.bpf.c searches while slabtui allocates."""

import os
import socket

from slabtui.kernel.bpf.module import Module
from slabtui.kernel.bpf.records import Calibration

FILE = "calibration.bpf.c"

_PROGRAM = "on_calibration"
_TRACEPOINT = "kmem_cache_alloc"
_ENOUGH = 500  # events that a candidate must agree with, one after the other
_ROUNDS = 100  # until the search fails: each candidate has been tried several times then


def calibrate(module: Module) -> int:
    """Return what base_of_pages() in common.bpf.h is to return; 0: no candidate is right.

    The addresses in question are hidden where kernel.kptr_restrict is 2, and random (KASLR), but what events say of
    their objects can be checked: a candidate is right if it leads from each object to the cache that it came from. A
    wrong one may do so by chance for one cache, hence the objects are of five.

    Raises:
        SlabtuiError: the kernel refused the program.
        OSError: the map could not be read; or no socket can be had.
    """
    module.attach(_TRACEPOINT, _PROGRAM)
    try:
        for _ in range(_ROUNDS):
            _allocate()
            found = module.maps.get("calibration", 0, Calibration)
            if found.trial and found.agreed >= _ENOUGH:
                return int(found.trial)
    finally:
        module.unload(_PROGRAM)
    return 0


def _allocate() -> None:
    """Allocate objects of names_cache, filp, UNIX, sock_inode_cache and dentry, about 100."""
    for _ in range(10):
        os.stat("/")
        for end in socket.socketpair():
            end.close()
