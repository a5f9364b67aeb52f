"""Tests of the whole program, started as users start it."""
