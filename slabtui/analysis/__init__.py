"""Judges what the counts mean: which caches grow, how fast, and which of them together."""
