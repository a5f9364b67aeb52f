"""Generates what a fleet records, with truths planted in it, and asks it the questions of docs/fleet/analysis.md."""
