"""Reads recordings as the screen and the outputs do, and measures: `python -m tests.support.reader`, paths on stdin."""

import json
import resource
import sys
import time
import traceback
from pathlib import Path

from urwid.testing import render_text

from slabtui.errors import SlabtuiError
from slabtui.model.inspection import ON_PAGE, InspectionKind
from slabtui.model.request import InspectionRequest
from slabtui.outputs import csv_tables, text_tables
from slabtui.recording import codec
from slabtui.recording.reader import read
from slabtui.views.app import App
from slabtui.views.state import State

_SIZE = (100, 30)


def show(path: Path) -> None:
    """Show every interval of a recording on the table and on a page of each kind, and write it in every format."""
    app = App(State(1.0, replay=True))
    for snapshot in read(path):
        app.show(snapshot)
        render_text(app.stack, _SIZE, focus=True)
        rows = [snapshot.row(inspection.cache) for inspection in snapshot.inspections]
        for row in dict.fromkeys(row for row in rows if row is not None):
            app.state.pages.open(row)
            for kind in ON_PAGE:
                app.state.pages.show_tab(kind)
                app.sync()
                render_text(app.stack, _SIZE, focus=True)
            app.state.close()
            app.sync()
        for inspection in snapshot.inspections:
            if inspection.kind is not InspectionKind.ABOUT:
                csv_tables.write_inspection(inspection)
                text_tables.write_inspection(snapshot, InspectionRequest(inspection.cache, (inspection.kind,)))
        codec.dumps(snapshot, snapshot.rows)
        text_tables.write_caches(snapshot, snapshot.rows)
        csv_tables.write_caches(snapshot, snapshot.rows)


def read_all() -> None:
    """Read the recordings one by one; print, for each, what went wrong, its peak of memory and its time."""
    Path("/proc/self/clear_refs").write_text("5")
    for line in sys.stdin:
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak; proc_pid_clear_refs(5)
        began, raised = time.process_time(), ""
        try:
            show(Path(line.rstrip("\n")))
        except SlabtuiError as error:
            if len(str(error)) > 500 or not str(error).isprintable():
                raised = f"not one short line: {str(error)[:500]!r}"
        except BaseException:
            raised = traceback.format_exc()[-3000:]
        status = Path("/proc/self/status").read_text()
        peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024
        print(json.dumps([raised, peak, time.process_time() - began]), flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # the machine stays usable whatever is wrong
    read_all()
