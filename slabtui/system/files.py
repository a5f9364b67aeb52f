"""Creates the files that the user names: always new ones, which only their owner can read."""

import os
from io import FileIO
from pathlib import Path

_MODE = 0o600  # recordings and exports name the processes of all users


def create(path: Path) -> FileIO:
    """Create a file and open it for writing, without a buffer; a link is not followed.

    Raises:
        FileExistsError: the file exists; its mode and its content stay as they are.
        OSError: it cannot be created.
        ValueError: there is a null byte in the name.
    """
    return FileIO(path, "x", opener=lambda name, flags: os.open(name, flags, _MODE))
