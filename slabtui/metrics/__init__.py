"""Metrics for monitoring systems: what is exposed of the caches, and how it is served or written to a file."""
