"""Python's collector of reference cycles: keeps its pauses shorter than a frame of the screen."""

import gc

# Container objects that are created before the youngest generation is examined, and how many times that until the
# older ones are. The rows of 300 intervals are some 100,000 objects and have no cycles: to walk them all takes 20 ms.
_THRESHOLDS = (50_000, 20, 100)


def shorten_pauses() -> None:
    """Examine the objects of the modules no more, and all others less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
