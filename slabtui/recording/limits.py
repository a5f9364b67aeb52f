"""The limits of a recording in a directory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how large a recording in a directory becomes.

    Attributes:
        segment: seconds of a segment, which ends with a whole multiple of them since the epoch.
        keep: seconds after which a segment is dropped.
        size: bytes of all segments, beyond which the oldest one is dropped.
    """

    segment: int = 3600
    keep: int = 7 * 86400
    size: int = 1 << 30
