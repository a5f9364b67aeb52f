"""Prints the peak memory, in KiB, of the child processes in which slabtui compiles its programs."""

import resource

from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe
from slabtui.model.inspection import InspectionKind
from tests.support.probes import inspecting, request

probe = Probe(offsets.read())
try:
    probe.begin(lambda: None)
    request(probe, inspecting("filp", InspectionKind.CALLERS, frees=True))
finally:
    probe.close()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)  # getrusage(2)
