"""What user space tells the BPF programs while they run: one record, put into the map of every module."""

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
        for name in ("epoch", "hot_epoch", "way", "target", "target_size", "period", "inspection")
    ]

    def begin_interval(self) -> None:
        """Let the programs read the caches' names anew from here on."""
        self.epoch += 1
        self.hot_epoch = self.epoch if self.way == Way.RAW else 0
