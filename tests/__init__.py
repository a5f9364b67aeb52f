"""The tests, the code that they share, and the programs that measure and build."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # of the project
