"""Judges from snapshot to snapshot how the caches and the slab memory of the machine grow."""

from slabtui.model.snapshot import Snapshot


class Growth:
    """Follows the live objects of every cache since the baseline: when counting began, or the last mark."""

    def judge(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot with its judgement; one that covers no time is returned as it is."""
        return snapshot

    def mark(self) -> None:
        """Begin a new baseline with the end of the last snapshot."""
