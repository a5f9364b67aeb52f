"""A report as JSON: the whole run as one snapshot, the slab memory over time, and the report on leaks."""

import json
from dataclasses import asdict

from slabtui.model.report import Report
from slabtui.outputs import leaks
from slabtui.recording import codec

SCHEMA = "slabtui-report/1"


def dumps(report: Report) -> str:
    """Return a report as one JSON object in ASCII, on one line."""
    written = {
        "schema": SCHEMA,
        "version": report.version,
        "command": report.command,
        "machine": None if report.machine is None else asdict(report.machine),
        "began": codec.iso(report.began),
        "intervals": report.intervals,
        "notes": report.notes,
        "slab": [asdict(one) | {"seconds": round(one.seconds, 6)} for one in report.moments],
        "run": json.loads(codec.dumps(report.run, report.run.rows)),
        "leaks": None if report.leaks is None else json.loads(leaks.dumps(report.leaks)),
        "unknown": report.unknown,
    }
    return json.dumps(written, separators=(",", ":")) + "\n"
