"""The full-screen terminal application; urwid only, it knows nothing of where snapshots come from."""
