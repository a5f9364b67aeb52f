"""Runs the program: `python -m slabtui` is the same as `slabtui`."""

import sys

from slabtui.cli import main

if __name__ == "__main__":
    sys.exit(main())
