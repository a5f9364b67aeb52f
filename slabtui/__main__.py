"""Starts the program, as `python -m slabtui` or slabtui.pyz. Python 3.6 can parse it, so it can refuse old ones."""

import _signal  # type: ignore[import-not-found]  # part of the interpreter
import os
import sys

_BESIDE = ("/usr/local/bin", "/usr/bin")  # where a newer Python may be, under its own name


def run() -> int:
    """Run slabtui, or slabratetop if that is the name of the file, and return the exit status.

    Until main() handles signals, SIGINT ends the process without a traceback, as SIGTERM and SIGHUP do.
    """
    # Not through the signal module: importing it takes milliseconds, in which SIGINT may arrive.
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    if sys.version_info < (3, 11):  # slabtui.pyz has no installer that checks the version
        beside = (f"{directory}/python3.{minor}" for minor in range(29, 10, -1) for directory in _BESIDE)
        newer = next((python for python in beside if os.access(python, os.X_OK)), None)
        remedy = f"{newer} {sys.argv[0]}" if newer else "install one, as in apt-get install python3.11"
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.stderr.write(f"slabtui: Python {version} is too old, slabtui needs 3.11 or newer: {remedy}\n")
        return 1
    from slabtui.cli.main import main, slabratetop  # an older Python cannot parse it

    return slabratetop() if os.path.basename(sys.argv[0]) == "slabratetop" else main()


if __name__ == "__main__":
    sys.exit(run())
