"""Writes the manual page from the options, the key map and the columns: `python -m tests.tools.manual FILE`."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from slabtui.cli import parser as command_line
from slabtui.columns import caches, holders, inspections, leaks, text
from slabtui.columns.numbers import Style
from slabtui.views import dialogs, header, keymap, status

DATE = "2026-11-26"  # of the last change of the page
NAME_SECTION = r"slabtui, slabratetop \- live rates of allocation from the kernel's slab caches"
DESCRIPTION = """\
slabtui shows which slab caches of the Linux kernel allocate most, live and counted exactly, in a full\\-screen table.
Without a terminal on standard output, with \\fB\\-C\\fR or with \\fB\\-\\-output\\fR it prints instead.
.PP
slabratetop is the same program, but prints text and clears the screen between intervals, as bcc's slabratetop does."""
KEYS = """\
Keys act on the topmost window: the table, the page of a cache, a dialog or a prompt. If a key does
nothing there, a message above the last line says so."""
EXIT_STATUS = [
    ("0", "success; Ctrl-C is a usual end; with --leaks and --report: nothing grows as a leak does"),
    ("1", "something is missing or failed"),
    ("2", "wrong usage: an option, or a process, control group, cache or file that it names"),
    ("3", "with --leaks and --report: something grows as a leak does"),
    (
        "128 + N",
        "ended by signal N: SIGTERM or SIGHUP; 130: Ctrl-C before slabtui had started,"
        " or when nothing read the output; 141: the reader of the output ended",
    ),
]
FILES = [
    (
        "/sys/kernel/btf/vmlinux",
        "the kernel's description of its types (BTF), from which slabtui reads the offsets in its structures",
    ),
    ("/proc/kallsyms", "the names of functions"),
    ("/proc/slabinfo", "live objects, and the caches that have not allocated"),
    ("/sys/kernel/slab", "aliases, flags and sizes of the caches"),
]
ENVIRONMENT = [
    ("NO_COLOR", "if set, no colours"),
    (
        "SLABTUI_PYTHON",
        "the Python interpreter that has bcc, if it is none of /usr/bin/python3, /usr/bin/python3.N and "
        "/usr/libexec/platform-python; slabtui runs it only to compile",
    ),
    ("BCC_KERNEL_SOURCE", "real kernel headers for bcc, instead of the few that come with slabtui"),
]
EXAMPLES = [
    ("slabtui", "the live table"),
    ("slabtui -p 1234 -s allocs -d 0.5", "what process 1234 allocates, twice a second"),
    ("slabtui -C -d 5 -n 12 >slab.txt", "a minute as text"),
    ("slabtui -b -s live -o name,live,mem", "one table of what is held, for a script"),
    ("slabtui -C -s growth -d 10", "what grows, with leaks first"),
    ("slabtui --output json 1 | jq .lost", "for scripts"),
    ("slabtui --leaks || mail -s leak root", "a minute: what grows, and who keeps it"),
    ("slabtui --report ticket.html", "the same with charts, as a file for a ticket"),
    ("slabtui --callers names_cache 1 5", "who allocates buffers for path names"),
    ("slabtui --stacks dentry --output folded 1 30", "thirty seconds for a flame graph"),
    ("slabtui --record night.jsonl.gz 10", "show the screen, and record it"),
    ("slabtui --replay night.jsonl.gz", "replay it later, without root"),
]


def quoted(text: str) -> str:
    """Return a text for roff: dashes that can be searched for, nothing that begins a request."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def page() -> str:
    """Return the manual page."""
    parser = command_line.parser()
    usage = " ".join(parser.format_usage().removeprefix("usage: slabtui").split())
    lines = [f'.TH SLABTUI 8 "{DATE}" "slabtui" "System Administration"']
    lines += [".SH NAME", NAME_SECTION, ".SH SYNOPSIS", rf"\fBslabtui\fR {quoted(usage)}"]
    lines += [".SH DESCRIPTION", DESCRIPTION]
    lines.append(".SH OPTIONS")
    for group in parser._action_groups:
        if group._group_actions:
            lines += [f".SS {group.title}", *(line for action in group._group_actions for line in option(action))]
    lines += [".SH KEYS", KEYS]
    for heading, actions in keymap.by_category():
        lines.append(f".SS {heading}")
        for action, meaning in actions:
            lines += item(", ".join(keymap.shown(key) for key in action.keys), meaning)
    lines += section("SCREEN", (*header.meanings(), *status.MEANINGS))
    of_leaks = [column for column in leaks.on_screen(Style.HUMAN) if column.id not in caches.BY_ID]
    of_held = dict.fromkeys(column for columns in holders.COLUMNS.values() for column in columns)
    of_pages = dict.fromkeys(column for columns in inspections.COLUMNS.values() for column in columns)
    for heading, columns in (
        ("COLUMNS OF THE TABLE", caches.COLUMNS),
        ("COLUMNS OF THE LEAK VIEW", of_leaks),
        ("COLUMNS OF WHAT IS HELD", of_held),
        ("COLUMNS OF THE OTHER TABS OF A PAGE", of_pages),
    ):
        lines += section(heading, ((column.title, column.help) for column in columns))
    lines += section("MOUSE", dialogs.MOUSE)
    lines += [".SH COLUMNS OF TEXT", "For \\fB\\-s\\fR and \\fB\\-o\\fR:"]
    for column in text.COLUMNS:
        lines += item(column.id, f"{column.title}: {column.help}")
    sections = ("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT), ("EXAMPLES", EXAMPLES), ("EXIT STATUS", EXIT_STATUS)
    for heading, entries in sections:
        lines += section(heading, entries)
    lines += [".SH SEE ALSO", "slabtop(1), slabinfo(5), jq(1)", ""]
    return "\n".join(lines)


def option(action: argparse.Action) -> list[str]:
    """Return the paragraph about an option or argument."""
    value = action.metavar or ("{" + ",".join(action.choices) + "}" if action.choices else "")
    names = ", ".join(f"{name} {value}".strip() for name in action.option_strings) or action.dest
    return item(names, str(action.help))


def section(heading: str, entries: Iterable[tuple[str, str]]) -> list[str]:
    """Return a section with a paragraph for each name and its meaning."""
    return [f".SH {heading}", *(line for name, meaning in entries for line in item(name, meaning))]


def item(name: str, text: str) -> list[str]:
    return [".TP", rf"\fB{quoted(name)}\fR", quoted(text)]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page())
