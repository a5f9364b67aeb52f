"""Makes the recording that comes with slabtui, for `--demo`: `python -m tests.tools.demo [FILE]`, as root."""
