"""One child process that compiles BPF C: each of its failures, crashes included, becomes one line for the user."""

import errno
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import interpreters, remedies, sources
from slabtui.text import printable, visible

PATIENCE = 60.0  # seconds: emulated machines, and those short of memory, take 10

_OLDEST = (0, 18)  # version of bcc
_MOST_MAPS = 64
_MOST_ANSWER = 4 << 20  # bytes: a module has some 10 kB
_DESCRIPTORS = 48  # a child takes 7 for a moment, a module up to 24; the rest is for other threads
_BOOT = "exec(compile(open({script}).read(), 'loader.py', 'exec'))"
_ANOTHER_BCC = f"update bcc, or name the interpreter of another one in {interpreters.SETTING}"


class NoBccError(Exception):
    """The interpreter cannot import bcc; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled module.

    Attributes:
        bcc: version of the bcc that compiled it.
        programs: instructions, by the name of the function.
        maps: file descriptors, by the name of the map; the receiver closes them.
        references: the numbers that the instructions have for these maps, by the name of the map.
        values: how a value of each map is laid out, see records.find_difference(); by the name of the map.
    """

    bcc: str
    programs: dict[str, bytes]
    maps: dict[str, int]
    references: dict[str, int]
    values: dict[str, str] = field(default_factory=dict)


class Child:
    """One child process, which imports bcc from its start on and compiles one source; kernel/bpf/loader.py is its side.

    It has a session of its own: Ctrl-C at the terminal is for slabtui, which ends its children itself.

    Args:
        interpreter: path of the Python that runs it.

    Raises:
        OSError: it cannot be started, or so few descriptors are free that other threads could find none meanwhile.
    """

    def __init__(self, interpreter: str) -> None:
        _demand_descriptors()
        with ExitStack() as undo, ExitStack() as given:
            self._socket, theirs = socket.socketpair()
            undo.callback(self._socket.close)
            given.callback(theirs.close)
            self._log = _file("log")
            undo.callback(os.close, self._log)
            script = _file("loader", sources.read("loader.py"))
            given.callback(os.close, script)
            self._process = subprocess.Popen(
                [interpreter, "-I", "-c", _BOOT.format(script=script), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(script, theirs.fileno()),
                start_new_session=True,
                cwd="/",
            )
            self._files = undo.pop_all()

    def compile(self, source: str, options: Sequence[str], meanwhile: Callable[[], None] = lambda: None) -> Compiled:
        """Compile, and end the child.

        Args:
            source: BPF C.
            options: for clang.
            meanwhile: called while the child works.

        Raises:
            NoBccError: the interpreter has no bcc that works.
            SlabtuiError: the compilation failed.
        """
        deadline = time.monotonic() + PATIENCE
        try:
            with sources.headers_directory() as headers:
                request = {"source": source, "cflags": list(options), "headers": str(headers)}
                with suppress(BrokenPipeError, ConnectionResetError):  # then the answer says why
                    self._socket.settimeout(PATIENCE)
                    self._socket.sendall(json.dumps(request).encode())
                    self._socket.shutdown(socket.SHUT_WR)
                meanwhile()
                encoded, descriptors = self._receive(deadline)
            return self._read(encoded, descriptors)
        except TimeoutError as error:
            raise SlabtuiError(
                f"the compiler did not finish within {PATIENCE:g} s", f"try again when less runs; {_ANOTHER_BCC}"
            ) from error
        finally:
            self.close()

    def kill(self) -> None:
        """End the child at once, from any thread; a thread that waits for its answer gets an error."""
        self._process.kill()

    def close(self) -> None:
        """End the child and forget it."""
        self._process.kill()
        self._process.wait()
        self._files.close()

    def _receive(self, deadline: float) -> tuple[bytes, list[int]]:
        """Return the answer, which is cut short if the child fails, and the descriptors that come with it."""
        descriptors: list[int] = []
        encoded = bytearray()
        try:
            while len(encoded) <= _MOST_ANSWER:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                part, received, flags, _ = socket.recv_fds(self._socket, 1 << 16, _MOST_MAPS, socket.MSG_CMSG_CLOEXEC)
                descriptors += received
                if flags & socket.MSG_CTRUNC:
                    raise SlabtuiError("Too many open files", "raise the limit, as in ulimit -n 1024")
                if not part:
                    break
                encoded += part
        except ConnectionResetError:
            pass
        except BaseException:
            _close(descriptors)
            raise
        return bytes(encoded), descriptors

    def _read(self, encoded: bytes, descriptors: list[int]) -> Compiled:
        try:
            answer = json.loads(encoded)
            if "failure" not in answer:
                return Compiled(
                    bcc=answer["bcc"],
                    programs={name: bytes.fromhex(code) for name, code in answer["programs"].items()},
                    maps=dict(zip(answer["maps"], descriptors, strict=True)),
                    references=dict(zip(answer["maps"], answer["descriptors"], strict=True)),
                    values={name: str(layout) for name, layout in answer.get("values", {}).items()},
                )
            failure = answer["failure"]
            reason, version = visible(str(answer["reason"])), visible(str(answer.get("bcc", "")))
        except (ValueError, KeyError, TypeError, AttributeError):
            _close(descriptors)
            raise self._explain_end() from None
        if failure == "import":
            raise NoBccError(reason)
        raise self._explain_failure(reason, version)

    def _explain_failure(self, reason: str, version: str) -> SlabtuiError:
        """Return the error for a compilation that failed inside bcc."""
        if _is_too_old(version):
            needed = ".".join(map(str, _OLDEST))
            return SlabtuiError(f"bcc {version} is too old: slabtui needs {needed}", interpreters.installation())
        why = self._printed("rror") or reason
        return SlabtuiError(
            f"bcc {version} cannot compile the BPF program ({why})",
            remedies.memory_limit() or remedies.after_words(why, _ANOTHER_BCC),
        )

    def _explain_end(self) -> SlabtuiError:
        """Return the error for a child that ended without an answer."""
        try:
            status = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:  # it has closed the socket but has not ended
            return SlabtuiError("the compiler gave no answer", _ANOTHER_BCC)
        last = self._printed()
        words = f": {last}" if last else ""
        if status >= 0:
            what = f"the compiler ended with status {status}{words}"
            return SlabtuiError(what, remedies.memory_limit() or _ANOTHER_BCC)
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        remedy = "free some memory; see dmesg for what killed it" if -status == signal.SIGKILL else _ANOTHER_BCC
        return SlabtuiError(f"the compiler was ended by {name}{words}", remedies.memory_limit() or remedy)

    def _printed(self, part: str = "") -> str:
        """Return the last line that bcc printed, or the first one with this part; empty if there is none."""
        os.lseek(self._log, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._log), "rb") as log:
            lines = [printable(line.strip()) for line in log.read().splitlines() if line.strip()]
        return next((line for line in lines if part in line), "") if part else (lines or [""])[-1]


def _demand_descriptors() -> None:
    """Refuse to begin if it would take the last descriptors: urwid's loop needs one for each key that it reads."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most - len(os.listdir("/proc/self/fd")) < _DESCRIPTORS:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def _file(name: str, content: str = "") -> int:
    """Return the descriptor of a file in memory: the disk may be full, or read-only."""
    descriptor = os.memfd_create(f"slabtui-{name}")
    os.write(descriptor, content.encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _is_too_old(version: str) -> bool:
    """Return whether a version is older than the oldest; a build from a repository may have any text."""
    number = re.match(r"(\d+)\.(\d+)", version)
    return number is not None and (int(number[1]), int(number[2])) < _OLDEST
