"""Slow consumers: a disk that takes writes a fifth of the time, and a printer into a pipe that is read slowly."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slabtui.outputs import formats
from slabtui.queues import SnapshotQueue, SnapshotsEndedError

FROZEN, THAWED, READING = 0.4, 0.1, 0.35  # seconds


@contextmanager
def slow_disk(directory: Path) -> Iterator[Path]:
    """Mount a file system that takes writes only a fifth of the time: it is frozen in between."""
    image, place = directory / "image", directory / "disk"
    place.mkdir()
    for command in (
        ["truncate", "-s", "16M", image],
        ["mkfs.ext4", "-q", image],
        ["mount", "-o", "loop", image, place],
    ):
        subprocess.run(command, check=True)
    over = threading.Event()

    def stall() -> None:
        while not over.is_set():
            subprocess.run(["fsfreeze", "-f", place], check=True)
            time.sleep(FROZEN)
            subprocess.run(["fsfreeze", "-u", place], check=True)
            over.wait(THAWED)

    thread = threading.Thread(target=stall)
    thread.start()
    try:
        yield place
    finally:
        over.set()
        thread.join()
        subprocess.run(["umount", place], check=True)


class Printer:
    """Prints JSON into a pipe that is read slowly, in a thread of its own."""

    def __init__(self) -> None:
        self.queue = SnapshotQueue()
        self.lines: list[bytes] = []
        read_end, self._write_end = os.pipe()
        self._threads = [threading.Thread(target=self._print), threading.Thread(target=self._read, args=(read_end,))]
        for thread in self._threads:
            thread.start()

    def _print(self) -> None:
        with open(self._write_end, "wb", buffering=0) as pipe:
            try:
                while (snapshot := self.queue.get(timeout=None)) is not None:
                    pipe.write(formats.JSON.write(snapshot, snapshot.rows).encode())
            except SnapshotsEndedError:
                pass

    def _read(self, end: int) -> None:
        with open(end, "rb") as pipe:
            for line in pipe:
                self.lines.append(line)
                time.sleep(READING)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)
