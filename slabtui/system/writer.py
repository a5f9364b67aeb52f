"""A thread that writes: what a full pipe or a hanging disk blocks is this thread, and never the main one."""

import queue
import threading
from collections.abc import Callable

from slabtui.system import threads


class Writer:
    """Carries out writes one after the other, in a thread of its own.

    A write to a pipe that nothing reads ends when a signal comes, but one to a disk that hangs (NFS without its server)
    ends by no signal, and no handler of a signal runs in a thread that is in it. The thread is a daemon: the process
    can end although a write does not.

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
        """Carry out a write after those before it; none after one that has failed.

        Args:
            write: what to do; what it raises becomes `failure`.

        Returns:
            What is set when it has been carried out, or left out.
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
            except Exception as error:  # what waits for the write decides
                self.failure = error
            finally:
                done.set()
