"""One guest: boots a kernel in the emulator, with this machine's files as its own, and lets it run a few steps."""

import asyncio
import contextlib
import shlex
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OUT = Path("/out")  # the guest's name for the directory that it shares with this machine
EMULATOR = "qemu-system-x86_64"

_TIME_RAN_OUT = {124, 128 + signal.SIGKILL}  # exit statuses of timeout(1)
_GRACE = 5  # seconds between asking and killing


@dataclass(frozen=True, slots=True)
class Step:
    """A command for the guest.

    Attributes:
        name: its output is `NAME.log` in the shared directory, its exit status `NAME.status`.
        command: the program and its arguments.
        seconds: how long it may take: one that hangs must not keep the next from its turn.
    """

    name: str
    command: tuple[str, ...]
    seconds: int


def script(steps: Sequence[Step], directory: Path) -> str:
    """Return the shell script that runs the steps one after the other, whatever becomes of each."""
    lines = [f"cd {shlex.quote(str(directory))} || exit"]
    for step in steps:
        command = shlex.join(("timeout", "-k", str(_GRACE), str(step.seconds), *step.command))
        lines.append(f"{command} >{OUT}/{step.name}.log 2>&1; echo $? >{OUT}/{step.name}.status")
    return "\n".join([*lines, "exit 0", ""])


def ending(step: str, shared: Path) -> str:
    """Return in words how a step ended."""
    path = shared / f"{step}.status"
    if not path.exists():
        return "did not come to its end"
    status = int(path.read_text())
    return "took too long" if status in _TIME_RAN_OUT else f"ended with status {status}"


def emulator(kernel: Path, initramfs: Path, shared: Path) -> list[str]:
    """Return the command that boots a kernel.

    The CPUs take turns (thread=single). With a thread each the emulator races against a kernel that rewrites its own
    code, which it does when a tracepoint is switched: guests crash within seconds. Five-level page tables are off since
    few machines have them, and mitigations since an emulated CPU needs none.
    """
    devices = {"host": (Path("/"), ",readonly=on,multidevs=remap"), "kernel": (kernel / "root", ",readonly=on")}
    shares = {**devices, "out": (shared, "")}
    command = [EMULATOR, "-accel", "tcg,thread=single", "-M", "pc", "-cpu", "max,la57=off", "-smp", "2", "-m", "2G"]
    command += ["-nodefaults", "-no-user-config", "-display", "none", "-nic", "none", "-no-reboot"]
    command += ["-serial", f"file:{shared / 'console'}"]
    for tag, (path, options) in shares.items():
        command += ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none{options}"]
    command += ["-kernel", str(kernel / "vmlinuz"), "-initrd", str(initramfs)]
    return [*command, "-append", "console=ttyS0 panic=-1 mitigations=off quiet"]


async def run(command: Sequence[str], shared: Path, seconds: int) -> str | None:
    """Run the emulator until the guest switches off; if the task is cancelled the emulator is ended too.

    Args:
        command: what boots the guest.
        shared: the directory that the guest knows as /out; `command` in it is what it runs.
        seconds: how long it may take. timeout(1) sees to that, so a guest ends even if this program is killed.

    Returns:
        Why there is no result, in words; None: the guest ran everything.
    """
    limited = ("timeout", "-k", str(_GRACE), str(seconds), *command)
    with (shared / "emulator.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*limited, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()
    if (shared / "status").exists():
        return None
    if status in _TIME_RAN_OUT:
        return f"time ran out after {seconds} s"
    return f"the guest ended without a result ({_last_words(shared)})"


def _last_words(shared: Path) -> str:
    """Return the last line that the kernel, or else the emulator, had to say."""
    for name in ("console", "emulator.log"):
        path = shared / name
        lines = path.read_text(errors="replace").split("\n") if path.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        if said:
            return said[-1]
    return "it said nothing"
