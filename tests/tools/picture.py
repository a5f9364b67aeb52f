"""Draws the screen of the demo as an SVG picture: `python -m tests.tools.picture FILE`."""

import sys
from html import escape
from itertools import islice
from pathlib import Path

from urwid.testing import render_runs, resolve_runs

from slabtui.cli.options import DEMO
from slabtui.recording.reader import read
from slabtui.views.app import App
from slabtui.views.state import State
from slabtui.views.terminal import PALETTE

MOMENT = 38  # the interval of the demo that is shown: a search over the disk, connections being made, a leak
SIZE = (80, 24)
CELL_WIDTH, CELL_HEIGHT, BASELINE = 8.4, 18, 13.5  # pixels, for a monospaced font of 14
PAPER, INK = "#1d1f21", "#c5c8c6"


def svg(app: App) -> str:
    """Return the screen as SVG, every run of one style a rectangle and a text."""
    columns, rows = SIZE
    width, height = columns * CELL_WIDTH, rows * CELL_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 16:.0f}" height="{height + 16:.0f}" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
        f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>',
    ]
    for y, row in enumerate(resolve_runs(render_runs(app.stack, SIZE, focus=True), PALETTE, colors=16)):
        x = 0
        for spec, text in row:
            red, green, blue, *paper = spec.get_rgb_values()
            ink = INK if red is None else f"#{red:02x}{green:02x}{blue:02x}"
            left, top = 8 + x * CELL_WIDTH, 8 + y * CELL_HEIGHT
            if paper[0] is not None:
                fill = f"#{paper[0]:02x}{paper[1]:02x}{paper[2]:02x}"
                size = f'width="{len(text) * CELL_WIDTH:.1f}" height="{CELL_HEIGHT}"'
                parts.append(f'<rect x="{left:.1f}" y="{top}" {size} fill="{fill}"/>')
            if text.strip():
                weight = ' font-weight="bold"' if spec.bold else ""
                place = f'x="{left:.1f}" y="{top + BASELINE}" textLength="{len(text) * CELL_WIDTH:.1f}"'
                parts.append(f'<text {place} xml:space="preserve" fill="{ink}"{weight}>{escape(text)}</text>')
            x += len(text)
    return "\n".join([*parts, "</svg>", ""])


def main(path: Path) -> None:
    app = App(State(1.0, frees=True, replay=True))
    for snapshot in islice(read(DEMO), MOMENT):
        app.show(snapshot)
    path.write_text(svg(app))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
