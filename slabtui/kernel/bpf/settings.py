"""What user space tells the BPF programs while they run: one record, put into the map of every module."""

import ctypes


class Settings(ctypes.Structure):
    """struct settings in common.bpf.h, which says what each means."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("epoch", "target", "target_size", "period", "inspection")]
