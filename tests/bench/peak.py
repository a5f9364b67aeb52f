"""Prints the most memory, in KiB, that one of the children takes in which slabtui compiles its programs."""

import resource

from slabtui.detail import Kind, Watch
from slabtui.kernel import layout
from slabtui.kernel.probe import Probe
from tests.probes import watch

probe = Probe(layout.read())
try:
    probe.begin(lambda: None)
    watch(probe, Watch(frees=True, cache="filp", kind=Kind.CALLERS))
finally:
    probe.close()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)  # getrusage(2)
