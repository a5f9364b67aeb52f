"""Tests of the whole program, which start it as users do."""
