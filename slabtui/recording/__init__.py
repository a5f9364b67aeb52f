"""Recordings: a snapshot as a line of JSON, written to a file and played back."""
