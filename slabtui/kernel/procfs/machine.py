"""What the running system says about itself: its distribution, its CPUs, and for how long it is up."""

import os
import platform
import time
from contextlib import suppress

from slabtui.model.report import Machine
from slabtui.text import printable


def read() -> Machine:
    """Return what is known of this machine.

    The distribution is that of the root directory that slabtui sees: in a container that of the container.
    """
    name = ""
    with suppress(OSError):  # there is no such file
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    return Machine(
        distribution=printable(os.fsencode(name)),
        cpus=os.sysconf("SC_NPROCESSORS_ONLN"),  # os.cpu_count() may be changed by PYTHON_CPU_COUNT
        uptime=time.clock_gettime(time.CLOCK_BOOTTIME),
    )
