"""Installs each product of `make dist` in a separate root without network, and tries it."""

import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.terminal import Terminal
from tests.tools.distros import newcomer, steps
from tests.tools.distros.results import WAYS
from tests.tools.distros.root import Root
from tests.tools.distros.steps import StepError, Steps

_FILES = Path("/srv/dist")  # in the root: the products, and the wheels that they depend on
_APT = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o DPkg::Options::=--force-unsafe-io"
_OFFLINE = f"PIP_NO_INDEX=1 PIP_FIND_LINKS={_FILES}"  # for pip, and for pipx, which calls it
_MANUALS = "man-db bash-completion"  # for the manual page and completion
_PYTHON = "python3-venv pipx"
_BCC = "python3-bpfcc"
_DOWNLOAD, _INSTALL, _RUN = 600, 300, 60  # seconds
_ERASE_LINE, _CLEAR = "\x15", "\x0c"  # keys of readline(3)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to install slabtui.

    Attributes:
        name: what the page calls it.
        product: the file of `make dist`, as a glob pattern.
        install: the shell command; `$product` is the file.
        manual: what `man` needs to find the manual page; None: there is none.
        completion: the line that a user types to get completion; empty if none is needed.
        prepared: whether it starts with bcc and the tools of Python users installed, not in a minimal system.
        adds_bcc: whether bcc is installed afterwards, as slabtui's message says.
    """

    name: str
    product: str
    install: str
    manual: str | None = ""
    completion: str = 'eval "$(slabtui --print-completion bash)"'
    prepared: bool = True
    adds_bcc: bool = False


ALL = (
    Way(
        "pyz",
        "slabtui.pyz",
        f"{_APT} install python3 && install -m 755 $product /usr/local/bin/slabtui",
        manual=None,
        prepared=False,
        adds_bcc=True,
    ),
    Way("deb", "*.deb", f"{_APT} install $product", completion="", prepared=False),
    Way(
        "pipx",
        "*.whl",
        "PIPX_HOME=/opt/pipx PIPX_BIN_DIR=/usr/local/bin pipx install $product",
        manual="-M /opt/pipx/venvs/slabtui/share/man",
    ),
    Way(
        "uv",
        "*.whl",
        "python3 -m venv /opt/get && /opt/get/bin/pip install -q uv &&"
        " UV_TOOL_DIR=/opt/uv UV_TOOL_BIN_DIR=/usr/local/bin /opt/get/bin/uv tool install"
        f" --offline --no-index --find-links {_FILES} --python /usr/bin/python3 $product",
        manual="-M /opt/uv/slabtui/share/man",
    ),
    Way(
        "sdist",
        "*.tar.gz",
        "python3 -m venv /opt/slabtui && /opt/slabtui/bin/pip install -q $product"
        " && ln -s /opt/slabtui/bin/slabtui /usr/local/bin",
        manual="-M /opt/slabtui/share/man",
    ),
)
assert tuple(way.name for way in ALL) == WAYS


def test(base: Path, checkout: Path, run: Path, logs: Path) -> dict[str, tuple[str, ...]]:
    """Return what is wrong with each way to install, by its name.

    Args:
        base: the cached root of the release.
        checkout: the directory that has `dist`.
        run: a directory for what is written.
        logs: a directory for the logs.
    """
    done = Steps()
    downloaded = done.run("downloads", lambda: _download(base, checkout, run, logs))
    prepared = downloaded and done.run("tools", lambda: _prepare([downloaded, base], run, logs))
    if downloaded is None or prepared is None:
        return dict.fromkeys(WAYS, tuple(done.troubles))
    found: dict[str, tuple[str, ...]] = {}
    for way in ALL:
        built, trouble = product(checkout, way.product)
        if built is None:
            found[way.name] = (trouble,)
            continue
        layers = [prepared, downloaded, base] if way.prepared else [downloaded, base]
        with Root(layers, run / way.name) as root:
            found[way.name] = tuple(_try(way, root, _FILES / built.name, logs / f"install-{way.name}"))
    return found


def requirements(pyproject: str) -> list[str]:
    """Return the requirements with which pip installs the wheel, the sdist and uv offline."""
    project = tomllib.loads(pyproject)
    return ["pip", "uv", *project["build-system"]["requires"], *project["project"]["dependencies"]]


def product(checkout: Path, pattern: str) -> tuple[Path | None, str]:
    """Return the file that `make dist` built; or None and the fault."""
    files = sorted((checkout / "dist").glob(pattern))
    if len(files) == 1:
        return files[0], ""
    return None, f"`make dist` left {len(files)} files dist/{pattern} instead of one"


def _download(base: Path, checkout: Path, run: Path, logs: Path) -> Path:
    """Download all dependencies as packages that are not installed; return the layer with them."""
    with Root([base], run / "downloaded") as root:
        root.configure()
        files = root.file(_FILES)
        files.mkdir(parents=True)
        for file in (checkout / "dist").glob("*"):
            shutil.copy(file, files)
        pip = [sys.executable, "-m", "pip", "download", "-q", "-d", str(files)]
        wheels = requirements((checkout / "pyproject.toml").read_text())
        steps.run([*pip, *wheels], logs / "download-wheels.log", seconds=_DOWNLOAD)
        debs = " ".join(str(_FILES / deb.name) for deb in files.glob("*.deb"))
        commands = (
            "apt-get update -qq",
            f"{_APT} install {_MANUALS}",
            "rm -f /var/lib/man-db/auto-update",  # the index of all manual pages is slow to build
            f"{_APT} install --download-only {_BCC} {_PYTHON}",
            f"{_APT} install --download-only {debs}",
        )
        line = " && ".join(commands)
        steps.run(root.command("sh", "-c", line), logs / "download-packages.log", seconds=_DOWNLOAD)
        return root.written


def _prepare(layers: Sequence[Path], run: Path, logs: Path) -> Path:
    """Install bcc, pipx and what else Python users have; return the layer with them."""
    with Root(layers, run / "prepared") as root:
        shell = root.command("sh", "-c", f"{_APT} install {_BCC} {_PYTHON}", network=False)
        steps.run(shell, logs / "prepare.log", seconds=_INSTALL)
        return root.written


def _try(way: Way, root: Root, product: Path, logs: Path) -> Iterator[str]:
    """Install one product without network, try everything, and yield the faults."""

    def shell(command: str, log: str, seconds: int = _RUN, **more: Sequence[int]) -> str:
        line = f"export {_OFFLINE} product={product}; {command}"
        return steps.run(root.command("sh", "-c", line, network=False), logs / log, seconds=seconds, **more)

    done = Steps()
    done.run("installation", lambda: shell(way.install, "install.log", _INSTALL))
    if not done.troubles:
        if way.adds_bcc:
            done.run("without bcc", lambda: _names_package(shell("slabtui -C 1 1", "without-bcc.log", statuses=(1,))))
            done.run("bcc", lambda: shell(f"{_APT} install {_BCC}", "bcc.log", _INSTALL))
        done.run("slabtui -C 1 2", lambda: _two_tables(shell("slabtui -C 1 2", "tables.log")))
        done.run("demo", lambda: _demo(root, logs))
        if way.manual is not None:
            done.run("man slabtui", lambda: _manual(shell(f"MANPAGER=cat man {way.manual} slabtui", "man.log")))
        done.run("completion", lambda: _complete(way, root, logs))
    yield from done.troubles


def _names_package(output: str) -> None:
    line = steps.last_words(output)
    if f"apt-get install {_BCC}" not in line:
        raise StepError(f"the message does not name the package to install ({line})")


def _two_tables(output: str) -> None:
    tables = len(re.findall(r"^CACHE +ALLOCS +BYTES", output, re.MULTILINE))
    rows = len(re.findall(r"^\S+ +\d+ +\d+$", output, re.MULTILINE))
    if tables != 2 or not rows:
        raise StepError(f"{tables} tables with {rows} rows instead of 2 ({steps.last_words(output)})")


def _demo(root: Root, logs: Path) -> None:
    command = root.command("slabtui", "--demo", user="nobody", network=False)
    steps.watch(command, logs / "demo.log", lambda terminal: _discard(newcomer.quit_table(terminal, _RUN)))


def _discard(seconds: float) -> None:
    """Check that the demo draws a table; its time does not matter."""


def _manual(output: str) -> None:
    if not output.lstrip().startswith("SLABTUI(8)"):
        raise StepError(f"it does not show slabtui(8) ({steps.last_words(output)})")


def _complete(way: Way, root: Root, logs: Path) -> None:
    command = root.command("bash", "--norc", "--noprofile", "-i", network=False)
    steps.watch(command, logs / "completion.log", lambda terminal: _type_tabs(terminal, way.completion))


def _type_tabs(terminal: Terminal, completion: str) -> None:
    """Check that bash completes an option, its value, the name of a cache, and the PID of bash itself."""
    pid = str(terminal.pid)
    for line in (". /usr/share/bash-completion/bash_completion", completion, "echo rea''dy"):
        terminal.type(f"{line}\r")
    terminal.wait_for(lambda: "ready" in terminal.text)
    wanted = (
        ("--so\t", "--sort", "an option"),
        ("-s al\t", "-s allocs", "a value of -s"),
        ("--stacks dent\t", "--stacks dentry", "the name of a cache"),
        (f"-p {pid[:-1]}\t\t", pid, "a PID"),
    )
    for typed, completed, what in wanted:
        terminal.type(f"{_ERASE_LINE}{_CLEAR}slabtui {typed}")
        try:
            terminal.wait_for(partial(_shows, terminal, completed), 10)
        except AssertionError:
            raise StepError(f"{what} is not completed ({steps.last_words(terminal.text)})") from None


def _shows(terminal: Terminal, text: str) -> bool:
    return text in terminal.text
