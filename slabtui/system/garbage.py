"""Python's collector of reference cycles: keeps its pauses shorter than a frame of the screen."""

import gc

# Container objects that are created before the youngest generation is examined, and how many times that until each
# older one is. Hardly any of them are in cycles, but to find that out takes 0.1 to 0.3 ms for 1,000 of them: those of a
# few intervals take 3 ms, those of 300 intervals, some 100,000, would take 20 ms.
_THRESHOLDS = (2_000, 4, 10_000)


def shorten_pauses() -> None:
    """Examine the objects of the modules no more, and all others less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
