"""The time zone of this process, for what prints the local time."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def timezone(name: str) -> Iterator[None]:
    """Let local time be that of another place, tzset(3)."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()
