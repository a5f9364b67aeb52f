"""What slabtui hands to the BPF programs while they run: one record, written into the map of every module."""

import ctypes
import enum


class Way(enum.IntEnum):
    """Which programs count: the enum in common.bpf.h, which says what each means."""

    RAW = 0
    MARKING = 1
    TAKING = 2
    CLASSIC = 3


class Settings(ctypes.Structure):
    """struct settings in common.bpf.h, which says what each means."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in ("epoch", "hot_epoch", "way", "target", "target_size", "period", "kinds", "inspection")
    ]

    def begin_interval(self) -> None:
        """Begin an interval: the programs then read the name of each cache again at its next event."""
        self.epoch += 1
        self.hot_epoch = self.epoch if self.way == Way.RAW else 0
