"""One guest: boots a kernel in the emulator with the files of this machine, and runs a few steps there."""

import asyncio
import contextlib
import re
import shlex
import signal
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

OUT = Path("/out")  # the guest's name for the directory that it shares with this machine
EMULATOR = "qemu-system-x86_64"
CRASHED = "the kernel crashed"

_TIME_RAN_OUT = {124, 128 + signal.SIGKILL}  # exit statuses of timeout(1)
_TIME = re.compile(r"^\[ *\d+\.\d+\] ")  # before messages of the kernel
_CRASH = re.compile(r"BUG: |Oops: |general protection fault|Kernel panic")
_FUNCTION = re.compile(r"(?:RIP: [\da-f]+:|\? )?(\w[\w.]*\+0x[\da-f]+)/0x")  # there, or in a line of the call trace
_GRACE = 5  # seconds between asking and killing


@dataclass(frozen=True, slots=True)
class Step:
    """A command for the guest.

    Attributes:
        name: its output is `NAME.log` in the shared directory, its exit status `NAME.status`.
        command: the program and its arguments.
        seconds: its time limit; one that hangs must not keep the next from running.
    """

    name: str
    command: tuple[str, ...]
    seconds: int


def script(steps: Sequence[Step], directory: Path) -> str:
    """Return the shell script that runs the steps in turn, even if some fail."""
    lines = [f"cd {shlex.quote(str(directory))} || exit"]
    for step in steps:
        command = shlex.join(("timeout", "-k", str(_GRACE), str(step.seconds), *step.command))
        lines.append(f"{command} >{OUT}/{step.name}.log 2>&1; echo $? >{OUT}/{step.name}.status")
    return "\n".join([*lines, "exit 0", ""])


def ending(step: str, shared: Path) -> str:
    """Return in words how a step ended."""
    if not has_ended(step, shared):
        return "did not end"
    status = int((shared / f"{step}.status").read_text())
    return "took too long" if status in _TIME_RAN_OUT else f"ended with status {status}"


def has_ended(step: str, shared: Path) -> bool:
    """Return whether a step has ended, in any way."""
    return (shared / f"{step}.status").exists()


def unfinished(steps: Iterable[str], shared: Path) -> str | None:
    """Return the step that has begun and not ended, during which the guest was interrupted."""
    begun = (step for step in steps if (shared / f"{step}.log").exists())
    return next((step for step in begun if not has_ended(step, shared)), None)


def emulator(kernel: Path, initramfs: Path, shared: Path) -> list[str]:
    """Return the command that boots a kernel.

    The CPUs take turns (thread=single). With a thread each the emulator races against a kernel that rewrites its own
    code, which it does when a tracepoint is switched: guests crash within seconds. Five-level page tables are off since
    few machines have them, and mitigations since an emulated CPU needs none. An Oops ends the guest at once: by
    itself it kills one process, and the others go on or hang, so that it may not be noticed.
    """
    devices = {"host": (Path("/"), ",readonly=on,multidevs=remap"), "kernel": (kernel / "root", ",readonly=on")}
    shares = {**devices, "out": (shared, "")}
    command = [EMULATOR, "-accel", "tcg,thread=single", "-M", "pc", "-cpu", "max,la57=off", "-smp", "2", "-m", "2G"]
    command += ["-nodefaults", "-no-user-config", "-display", "none", "-nic", "none", "-no-reboot"]
    command += ["-serial", f"file:{shared / 'console'}"]
    for tag, (path, options) in shares.items():
        command += ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none{options}"]
    command += ["-kernel", str(kernel / "vmlinuz"), "-initrd", str(initramfs)]
    return [*command, "-append", "console=ttyS0 oops=panic panic=-1 mitigations=off quiet"]


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
    console = _text(shared / "console")
    report = crash(console)
    if report:
        return f"{CRASHED} ({report})"
    if status in _TIME_RAN_OUT:
        return f"time ran out after {seconds} s"
    words = _last_line(console) or _last_line(_text(shared / "emulator.log")) or "it said nothing"
    return f"the guest ended without a result ({words})"


def crash(console: str) -> str | None:
    """Return the kernel's message about its first crash, and the innermost function; None: no crash."""
    lines = [_TIME.sub("", line).strip() for line in console.splitlines()]
    begin = next((number for number, line in enumerate(lines) if _CRASH.match(line)), None)
    if begin is None:
        return None
    functions = (found[1] for line in lines[begin:] if (found := _FUNCTION.match(line)))
    return " in ".join((lines[begin], *islice(functions, 1)))


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _last_line(text: str) -> str | None:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), None)
