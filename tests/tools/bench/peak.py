"""Prints the peak memory, in KiB, of the child processes in which slabtui compiles its programs."""

import resource

from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe
from slabtui.model.inspection import Kind, Request
from tests.support.probes import watch

probe = Probe(offsets.read())
try:
    probe.begin(lambda: None)
    watch(probe, Request(frees=True, cache="filp", kind=Kind.CALLERS))
finally:
    probe.close()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)  # getrusage(2)
