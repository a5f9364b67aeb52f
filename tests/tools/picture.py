"""Draws the pictures of the README: `python -m tests.tools.picture docs`; with `--all`, every size and terminal."""

import argparse
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources.abc import Traversable
from itertools import product
from pathlib import Path

from urwid import AttrSpec
from urwid.testing import render_runs, resolve_runs

from slabtui.analysis.growth import Growth
from slabtui.cli.options import DEMO
from slabtui.recording.reader import read
from slabtui.views.app import App
from slabtui.views.state import State
from slabtui.views.terminal import PALETTE

MOMENT = 100  # the interval of the demo that is shown: the leak is marked since half a minute
LEAST = 20  # intervals before a page is shown, for its charts
SIZE = (120, 30)
README = {
    "screen": (),
    "leaks": ("l",),
    "held": ("page", "1"),
    "page": ("page",),
}  # the pictures of the README, and the keys before each
CELL_WIDTH, CELL_HEIGHT, BASELINE = 8.4, 18, 13.5  # pixels, for a monospaced font of 14
MARGIN = 8  # pixels
SIZES = ((80, 24), (120, 40), (200, 50), (40, 10))
VIEWS = {
    "table": (),
    "help": ("?",),
    "paused": ("[",),
    "filter": ("/", "k"),
    "page": ("page",),
    "held": ("page", "1"),
    "leaks": ("l",),
}
DULL = {  # what a terminal with 8 colours shows, in bold, in place of its bright ones
    "dark gray": "black",
    "light red": "dark red",
    "light green": "dark green",
    "yellow": "brown",
    "light blue": "dark blue",
    "light magenta": "dark magenta",
    "light cyan": "dark cyan",
    "white": "light gray",
}


@dataclass(frozen=True)
class Look:
    """A terminal as the user has set it up.

    Attributes:
        name: for the name of the file.
        paper: its background.
        ink: its foreground.
        colours: 1, 8 or 256.
    """

    name: str
    paper: str
    ink: str
    colours: int


LOOKS = tuple(
    Look(f"{name}-{colours}", paper, ink, colours)
    for name, paper, ink in (("dark", "#1d1f21", "#c5c8c6"), ("light", "#ffffff", "#1d1f21"))
    for colours in (256, 8, 1)
)


def svg(app: App, size: tuple[int, int], look: Look) -> str:
    """Return the screen as SVG, every run of one style a rectangle and a text."""
    columns, rows = size
    width, height = columns * CELL_WIDTH, rows * CELL_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 2 * MARGIN:.0f}" height="{height + 2 * MARGIN:.0f}" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
        f'<rect width="100%" height="100%" rx="6" fill="{look.paper}"/>',
    ]
    runs = render_runs(app.stack, size, focus=True)
    for y, row in enumerate(resolve_runs(runs, PALETTE, colors=16 if look.colours == 8 else look.colours)):
        x = 0
        for spec, text in row:
            parts += _draw(dull(spec) if look.colours == 8 else spec, text, (x, y), look)
            x += len(text)
    return "\n".join([*parts, "</svg>", ""])


def dull(spec: AttrSpec) -> AttrSpec:
    """Return what a terminal with 8 colours shows."""
    settings = spec.foreground.split(",")
    bright = settings[0] in DULL
    foreground = ",".join((DULL.get(settings[0], settings[0]), *settings[1:], *["bold"] * (bright and not spec.bold)))
    return AttrSpec(foreground, DULL.get(spec.background, spec.background), 16)


def _draw(spec: AttrSpec, text: str, place: tuple[int, int], look: Look) -> Iterator[str]:
    red, green, blue, *paper = spec.get_rgb_values()
    ink = look.ink if red is None else f"#{red:02x}{green:02x}{blue:02x}"
    behind = None if paper[0] is None else f"#{paper[0]:02x}{paper[1]:02x}{paper[2]:02x}"
    if spec.standout:
        ink, behind = behind or look.paper, ink
    left, top = MARGIN + place[0] * CELL_WIDTH, MARGIN + place[1] * CELL_HEIGHT
    if behind is not None:
        size = f'width="{len(text) * CELL_WIDTH:.1f}" height="{CELL_HEIGHT}"'
        yield f'<rect x="{left:.1f}" y="{top}" {size} fill="{behind}"/>'
    if text.strip():
        style = ' font-weight="bold"' * spec.bold + ' fill-opacity="0.6"' * spec.faint
        style += ' text-decoration="underline"' * spec.underline
        where = f'x="{left:.1f}" y="{top + BASELINE}" textLength="{len(text) * CELL_WIDTH:.1f}"'
        yield f'<text {where} xml:space="preserve" fill="{ink}"{style}>{escape(text)}</text>'


def show(recording: Path | Traversable, keys: Sequence[str], size: tuple[int, int]) -> App | None:
    """Return the application at the end of a recording, after some keys; None: it has no page to open.

    The key `page` opens the page of the cache that the recording inspects last.
    """
    app, growth, inspected = App(State(1.0, frees=True, replay=True, repeats=recording is DEMO)), Growth(), None
    for snapshot in read(recording):
        app.show(growth.judge(snapshot))
        inspected = snapshot.inspections[0].cache if snapshot.inspections else inspected
        if "page" in keys and snapshot.inspections and len(app.state.time.history) >= LEAST:
            break
        if "page" not in keys and len(app.state.time.history) >= MOMENT:
            break
    for key in keys:
        app.stack.render(size, focus=True)
        if key != "page":
            app.stack.keypress(size, key)
        elif inspected is None:
            return None
        else:
            app.state.idle = True
            app.state.arrange()
            app.state.select([row.cache for row in app.state.rows].index(inspected))
            app.stack.keypress(size, "enter")
    return app


def draw_all(directory: Path, recording: Path | Traversable, views: Sequence[str]) -> None:
    """Draw every view at every size on every terminal, as SVG and as PNG."""
    directory.mkdir(exist_ok=True)
    for size, view in product(SIZES, views):
        app = show(recording, VIEWS[view], size)
        for look in LOOKS if app is not None else ():
            path = directory / f"{view}-{size[0]}x{size[1]}-{look.name}.svg"
            path.write_text(svg(app, size, look))
            photograph(path, size)


def photograph(path: Path, size: tuple[int, int]) -> None:
    """Make a PNG of an SVG, if Chromium is there."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return
    width, height = size[0] * CELL_WIDTH + 2 * MARGIN, size[1] * CELL_HEIGHT + 2 * MARGIN
    window = f"--window-size={width:.0f},{height:.0f}"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", window)
    subprocess.run(
        [chromium, *options, f"--screenshot={path.with_suffix('.png')}", str(path)], check=True, capture_output=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--all", action="store_true", help="every size and every terminal, also as PNG")
    parser.add_argument("--replay", type=Path, default=DEMO, help="a recording in place of the demo")
    parser.add_argument("--view", choices=VIEWS, action="append")
    parsed = parser.parse_args()
    if parsed.all:
        draw_all(parsed.directory, parsed.replay, parsed.view or tuple(VIEWS))
        return
    for name, keys in README.items():
        app = show(parsed.replay, keys, SIZE)
        if app is not None:
            (parsed.directory / f"{name}.svg").write_text(svg(app, SIZE, LOOKS[0]))


if __name__ == "__main__":
    main()
