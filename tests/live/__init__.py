"""Tests that count on this machine's kernel."""
