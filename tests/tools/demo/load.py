"""A busy host: a service that leaks, connections, a search over the disk and a build, each in a control group."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from slabtui.kernel.procfs.cgroups import hierarchy

LEAK = 50  # eventfds per second that are kept
_POD = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod6f1c02a4_93be_4f0e_8c55_1d2b7ae0c9f3.slice"
_WEB = f"{_POD}/cri-containerd-4be1c9d07a53f8e26d9104bb7c3f52ea08d6791ce4ab35f0127d8e69b0c4a5f3.scope"
_BUILD = "system.slice/docker-90a7d1e4c6b23f58e01d7b9a4c85f36201ed9b7840ca5f613d2e8b0974fa1c6d.scope"
_SESSIONS, _BACKUP = "system.slice/sessiond.service", "system.slice/backup.service"
GROUPS = (_SESSIONS, _WEB, _BACKUP, _BUILD)

_FILES = {
    "sessiond.py": f"""
import os, resource, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
kept = []
while True:
    kept += [os.eventfd(0) for _ in range({LEAK // 10})]
    time.sleep(0.1)
""",
    "server.py": """
import socket
with socket.create_server(("127.0.0.1", 8080), backlog=512) as server:
    while True:
        connection = server.accept()[0]
        connection.recv(64)
        connection.sendall(b"HTTP/1.0 204 No Content\\r\\n\\r\\n")
        connection.close()
""",
    "client.py": """
import socket, sys, time
while True:
    with socket.create_connection(("127.0.0.1", 8080)) as connection:
        connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        connection.recv(64)
    time.sleep(1 / int(sys.argv[1]))
""",
    "unit.c": '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n',
}
_COMMANDS = (  # the control group of each, its delay in seconds, and the command
    (_SESSIONS, 0.0, ("python3", "sessiond.py")),
    (_WEB, 1.0, ("python3", "server.py")),
    (_WEB, 0.0, ("python3", "client.py", "150")),
    (_WEB, 0.0, ("python3", "client.py", "60")),
    (_BACKUP, 0.0, ("sh", "-c", "while :; do find / -xdev -name '*.conf' >/dev/null 2>&1; sleep 2; done")),
    (_BUILD, 0.0, ("sh", "-c", "while :; do gcc -O1 -c unit.c -o unit.o; sleep 0.7; done")),
)


@contextmanager
def running() -> Iterator[None]:
    """Run the load, which needs two CPUs, gcc and a unified hierarchy of control groups."""
    root = hierarchy()
    assert root is not None, "no unified hierarchy is mounted"
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="demo-", dir="/srv")))
        for name, content in _FILES.items():
            (directory / name).write_text(content)
        for group in GROUPS:
            stack.enter_context(_group(root, root / group))
        for group, delay, command in _COMMANDS:
            stack.callback(_end, root / group)
            _start(root / group, directory, command)
            time.sleep(delay)
        yield


@contextmanager
def _group(root: Path, path: Path) -> Iterator[None]:
    """Make a control group and those above it that are missing; remove the same in the end."""
    made = [each for each in (path, *path.parents) if each.is_relative_to(root) and not each.exists()]
    for each in reversed(made):
        each.mkdir()
    try:
        yield
    finally:
        for each in made:
            if not list(each.glob("*/")):
                each.rmdir()


def _start(group: Path, directory: Path, command: tuple[str, ...]) -> None:
    enter = ("sh", "-c", 'echo $$ >"$0"; exec "$@"', str(group / "cgroup.procs"))
    environment = {"PATH": "/usr/bin:/bin"}
    subprocess.Popen([*enter, *command], cwd=directory, env=environment, stderr=subprocess.DEVNULL)


def _end(group: Path) -> None:
    """End all processes of a control group, also those that come meanwhile."""
    deadline = time.monotonic() + 10
    while (pids := (group / "cgroup.procs").read_text().split()) and time.monotonic() < deadline:
        for pid in map(int, pids):
            try:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue
        time.sleep(0.05)
