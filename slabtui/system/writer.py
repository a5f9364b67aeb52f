"""A thread that writes, so that a full pipe or a hanging disk never blocks the main thread."""

import queue
import threading
from collections.abc import Callable

from slabtui.system import threads


class Writer:
    """Carries out writes one after the other, in a thread of its own.

    A signal interrupts a write to a pipe that nothing reads. It does not interrupt a write to a disk that hangs (NFS
    without its server), and a thread that is blocked in it runs no signal handlers. The thread is a daemon, so the
    process can end while a write hangs.

    Args:
        name: of the thread.

    Raises:
        SlabtuiError: the process may not create another thread.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], threading.Event]] = queue.SimpleQueue()
        self.failure: Exception | None = None
        threads.start(threading.Thread(target=self._run, name=name, daemon=True))

    def put(self, write: Callable[[], None]) -> threading.Event:
        """Queue a write. After a failed write all later ones are skipped.

        Args:
            write: does the write; an exception that it raises becomes `failure`.

        Returns:
            An event that is set when the write is done or skipped.
        """
        done = threading.Event()
        self._jobs.put((write, done))
        return done

    def _run(self) -> None:
        while True:
            write, done = self._jobs.get()
            try:
                if self.failure is None:
                    write()
            except Exception as error:  # the caller handles it
                self.failure = error
            finally:
                done.set()
