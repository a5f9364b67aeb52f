"""Makes recordings of a busy host on which one process leaks, as `python -m tests.tools.busy`."""
