"""The program: parses the command line, runs, and reports every error in one line."""

import io
import signal
import sys
from contextlib import redirect_stdout, suppress

from slabtui.cli import command_line, session
from slabtui.cli.options import Options
from slabtui.errors import SlabtuiError, Status, explain
from slabtui.queues import ProducerDiedError
from slabtui.system import streams
from slabtui.system.ending import Ending
from slabtui.text import visible


def main(argv: list[str] | None = None, name: str = "slabtui") -> int:
    """Run the program and return its exit status.

    SIGTERM and SIGHUP end it with 128 plus the signal's number. SIGINT ends it as the key q does, unless something
    blocks, a verdict was asked for and there is none, or the command line was not parsed yet.
    """
    ending, status, chosen = Ending(), Status.OK, None
    stdout_closed = sys.stdout is None
    streams.open_closed()
    try:
        ending.install()
        if stdout_closed:
            raise SlabtuiError("standard output is closed", "redirect it to a file, as in > /dev/null")
        with ending.unwrap():
            chosen = _parse(argv, name)
            status = session.run(chosen, name, ending, _complain)
    except (SlabtuiError, ProducerDiedError) as error:
        status = error.status if isinstance(error, SlabtuiError) else Status.FAILED
        ending.begin(status)
        report = ": please report this, with `uname -r`" if isinstance(error, ProducerDiedError) else ""
        _complain(f"{error}{report}")
        return status
    except MemoryError:
        ending.begin(Status.FAILED)
        _complain("out of memory: free some, or raise `ulimit -v`")
        return Status.FAILED
    except KeyboardInterrupt:
        if chosen is None or chosen.leaks is not None:  # OK would say that it ran, or that nothing grows
            return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader of standard output has ended
        streams.discard(1)
        return 128 + signal.SIGPIPE
    except OSError as error:
        explained = explain(error)
        if explained is None:
            raise
        ending.begin(Status.FAILED)
        _complain(str(explained))
        return Status.FAILED
    finally:
        ending.begin(Status.OK)
        try:
            streams.flush()
        finally:
            ending.end()
    return status


def slabratetop() -> int:
    """Run the program as bcc's slabratetop: print text, and clear the screen between intervals."""
    return main(name=session.SLABRATETOP)


def _parse(argv: list[str] | None, name: str) -> Options:
    """Parse the command line, and print the output of --help and similar options.

    argparse itself ignores a failed write since Python 3.12: ArgumentParser._print_message().
    """
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            return command_line.parse(argv, name)
    finally:
        if text := printed.getvalue():
            streams.print_whole(text)


def _complain(text: str) -> None:
    with suppress(OSError):  # the exit status still reports the failure
        print(f"slabtui: {visible(text)}", file=sys.stderr)
