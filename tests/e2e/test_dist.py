"""The files that `make dist` builds work without a network and without the packages that slabtui imports."""

import ast
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
import zstandard

from slabtui import __version__
from slabtui.cli.options import DEMO
from slabtui.columns import caches
from tests import ROOT
from tests.support.recordings import record, snapshots
from tests.support.terminal import Terminal
from tests.tools.packaging import application, debian
from tests.tools.packaging.install import COMMANDS

AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
LIBRARY = (ROOT / "docs" / "library.md").read_text()
WRONG = """
import slabtui

for snapshot in slabtui.open_recording("slab.jsonl"):
    snapshot.elapsed = 1.0  # type: ignore[misc]
    snapshot.rows[0].allocs = 1  # type: ignore[misc]
    snapshot.rows[0].live + 1  # type: ignore[operator]
slabtui.nothing  # type: ignore[attr-defined]
"""
SYSTEM_PYTHON = "/usr/bin/python3"


def run(*command: object, **more: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]


def printed(*command: object, **more: object) -> str:
    """Return the output of a command, which must not fail."""
    ended = run(*command, **more)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="session")
def dist() -> Iterator[Path]:
    """The files that `make dist` builds, in a directory that other users may enter."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        printed(sys.executable, "-m", "tests.tools.packaging", directory, cwd=ROOT)
        yield directory


@pytest.fixture(scope="session")
def pyz(dist: Path) -> Path:
    return dist / "slabtui.pyz"


@pytest.fixture(scope="session")
def bare_python(dist: Path) -> Path:
    """An interpreter that can import nothing but what comes with it."""
    printed(SYSTEM_PYTHON, "-m", "venv", "--without-pip", dist / "bare")
    return dist / "bare" / "bin" / "python"


@pytest.fixture
def installed(pyz: Path, tmp_path: Path) -> Path:
    """A directory below which slabtui is installed for /usr."""
    printed(sys.executable, "-m", "tests.tools.packaging.install", pyz, tmp_path, "/usr", cwd=ROOT, umask=0o077)
    return tmp_path


@pytest.fixture
def unpacked(dist: Path, tmp_path: Path) -> Path:
    """A directory in which the Debian package is unpacked."""
    printed("dpkg-deb", "-x", next(dist.glob("*.deb")), tmp_path)
    return tmp_path


def is_a_table(text: str) -> bool:
    return "CACHE" in text and "names_cache" in text


def test_everything_is_built(dist: Path) -> None:
    assert {path.name for path in dist.iterdir() if path.is_file()} == {
        "slabtui.pyz",
        f"slabtui-{__version__}-py3-none-any.whl",
        f"slabtui-{__version__}.tar.gz",
        f"slabtui_{__version__}_all.deb",
    }


def test_one_file_shows_the_demo_to_an_ordinary_user(pyz: Path, bare_python: Path) -> None:
    with Terminal([*AS_NOBODY, str(bare_python), "-I", str(pyz), "--demo"], env={"HOME": "/"}) as terminal:
        terminal.wait_for(lambda: is_a_table(terminal.text))
        terminal.type("?")
        terminal.wait_for(lambda: "Lines at the top" in terminal.text)
        terminal.type("q")
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.parametrize("python", [SYSTEM_PYTHON, sys.executable])
def test_one_file_runs_under_any_python(pyz: Path, python: str) -> None:
    assert printed(python, "-I", pyz, "-V") == f"slabtui {__version__}\n"
    assert is_a_table(printed(python, "-I", pyz, "--demo", "-C", "1", "2"))


def test_one_file_starts_by_itself_under_both_names(pyz: Path, tmp_path: Path) -> None:
    link = tmp_path / "slabratetop"
    link.symlink_to(pyz)
    assert printed(pyz, "--help").startswith("usage: slabtui ")
    assert printed(link, "--help").startswith("usage: slabratetop ")


def test_one_file_has_nothing_in_it_that_is_compiled(pyz: Path) -> None:
    with ZipFile(pyz) as archive:
        names = archive.namelist()
    assert not [name for name in names if name.endswith((".so", ".pyc"))]
    assert {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")} == {
        "__main__.py",
        "attr",
        "attrs",
        "cattr",
        "cattrs",
        "leather",
        "share",
        "shtab",
        "slabtui",
        "typing_extensions.py",
        "urwid",
        "wcwidth",
    }


def test_its_first_file_can_be_read_by_old_pythons(pyz: Path) -> None:
    with ZipFile(pyz) as archive:
        ast.parse(archive.read("__main__.py"), feature_version=(3, 6))


def test_an_old_python_is_one_line(pyz: Path) -> None:
    pretend = f"import runpy, sys; sys.version_info = (3, 9, 2); sys.argv = [{str(pyz)!r}]; "
    ended = run(sys.executable, "-c", pretend + f"runpy.run_path({str(pyz)!r}, run_name='__main__')")
    assert ended.returncode == 1
    assert ended.stdout == ""
    line, *more = ended.stderr.splitlines()
    assert not more
    assert line.startswith("slabtui: Python 3.9 is too old, slabtui needs 3.11 or newer: ")


def test_recordings_are_read_as_far_as_this_python_goes(pyz: Path, bare_python: Path, tmp_path: Path) -> None:
    lines = gzip.decompress(DEMO.read_bytes())
    (tmp_path / "a.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "a.zst").write_bytes(zstandard.compress(lines))
    slabtui = [bare_python, "-I", pyz, "-C"]
    expected = printed(*slabtui, "--replay", tmp_path / "a.gz")
    assert is_a_table(expected)
    ended = run(*slabtui, "--replay", tmp_path / "a.zst")
    if printed(bare_python, "-c", "import sys; print(sys.version_info >= (3, 14))") == "True\n":
        assert (ended.returncode, ended.stdout) == (0, expected)
    else:
        remedy = "apt-get install python3-zstandard, or unpack the file first, with zstd -d"
        assert (ended.returncode, ended.stderr) == (1, f"slabtui: .zst needs the zstandard module: {remedy}\n")


def test_what_is_built_again_is_the_same(
    dist: Path, pyz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Apia")
    package = next(dist.glob("*.deb"))
    time = int(package.read_bytes()[24:36])  # of its first member, ar(5); a zip file has every second one only
    before = os.umask(0o077)
    try:
        again = application.build(next(dist.glob("*.whl")), tmp_path / "slabtui.pyz", time)
    finally:
        os.umask(before)
    assert again.read_bytes() == pyz.read_bytes()
    assert debian.build(again, tmp_path, __version__, time).read_bytes() == package.read_bytes()


def test_the_wheel_brings_the_manual_pages_and_completions(dist: Path) -> None:
    with ZipFile(next(dist.glob("*.whl"))) as archive:
        names = archive.namelist()
        metadata = Parser().parsestr(archive.read(f"slabtui-{__version__}.dist-info/METADATA").decode())
        page = archive.read(f"slabtui-{__version__}.data/data/share/man/man8/slabtui.8")
    share = f"slabtui-{__version__}.data/data/share"
    assert {name.removeprefix(share) for name in names if name.startswith(share)} == {
        "/man/man8/slabtui.8",
        "/man/man8/slabratetop.8",
        "/bash-completion/completions/slabtui",
        "/zsh/site-functions/_slabtui",
        "/fish/vendor_completions.d/slabtui.fish",
    }
    assert page == (ROOT / "docs" / "slabtui.8").read_bytes()
    assert metadata["Author"] == "The slabtui developers"
    assert metadata["Requires-Python"] == ">=3.11"


def test_a_user_of_the_installed_library_is_type_checked(dist: Path, tmp_path: Path) -> None:
    """Without py.typed in the wheel, mypy would take everything in the package for Any."""
    printed(SYSTEM_PYTHON, "-m", "venv", "--without-pip", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    with ZipFile(next(dist.glob("*.whl"))) as archive:
        archive.extractall(printed(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'), end='')"))
    for number, code in enumerate((*re.findall(r"^```python\n(.*?)^```$", LIBRARY, re.MULTILINE | re.DOTALL), WRONG)):
        (tmp_path / f"example_{number}.py").write_text(code)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "--cache-dir", tmp_path]
    found = run(*command, *sorted(tmp_path.glob("*.py")), cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert (found.stdout, found.stderr) == ("Success: no issues found in 5 source files\n", "")


def test_the_one_file_is_a_library_too(pyz: Path, bare_python: Path, tmp_path: Path) -> None:
    recording = str(record(tmp_path / "slab.jsonl", snapshots(3)))
    code = f"import slabtui; print(len(list(slabtui.open_recording({recording!r}))))"
    assert printed(bare_python, "-c", code, env={"PYTHONPATH": str(pyz)}) == "3\n"
    with ZipFile(pyz) as archive:
        assert "slabtui/py.typed" in archive.namelist()


def test_the_wheel_has_every_file_of_the_package(dist: Path) -> None:
    with ZipFile(next(dist.glob("*.whl"))) as archive:
        names = {name for name in archive.namelist() if name.startswith("slabtui/")}
    assert names == {str(path.relative_to(ROOT)) for path in sources("slabtui")}


def test_the_tests_run_from_the_sdist(dist: Path, tmp_path: Path) -> None:
    printed("tar", "-xzf", next(dist.glob("*.tar.gz")), "-C", tmp_path)
    project = tmp_path / f"slabtui-{__version__}"
    held = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    names = ("slabtui", "tests", "docs", "Makefile", "README.md", "pyproject.toml", ".ci")
    assert {str(path.relative_to(ROOT)) for name in names for path in sources(name)} <= held
    pure = ["tests/unit/test_architecture.py", "tests/unit/test_text.py", "tests/unit/columns/test_caches.py"]
    printed(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *pure, cwd=project)


def sources(name: str) -> list[Path]:
    """Return the files of a directory, or the file, that belong to the project."""
    found = (ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name]
    return [path for path in found if path.is_file() and path.parent.name != "__pycache__"]


def test_installed_commands_run_for_every_user(installed: Path) -> None:
    for directory in (installed, *installed.parents):
        if directory.stat().st_mode & 0o005 != 0o005:
            directory.chmod(0o755)
    assert (installed / "usr" / COMMANDS[0]).resolve().read_text().startswith("#!/usr/bin/python3\n")
    for command in COMMANDS:
        assert is_a_table(printed(*AS_NOBODY, installed / "usr" / command, "--demo", "-C", "1", "2"))


def test_installed_modules_are_compiled_and_name_no_directory_of_the_build(installed: Path) -> None:
    compiled = list(installed.rglob("*.pyc"))
    assert len(compiled) == len([*(installed / "usr/share/slabtui").rglob("*.py")])
    assert not [path for path in compiled if str(installed).encode() in path.read_bytes()]


def test_what_is_installed_is_uninstalled(installed: Path) -> None:
    others = installed / "usr" / "bin" / "other"
    others.touch()
    printed("make", "-s", "-o", "install", "install-service", f"DESTDIR={installed}", "PREFIX=/usr", cwd=ROOT)
    unit = installed / "usr/lib/systemd/system/slabtui.service"
    assert "\nExecStart=/usr/bin/slabtui --record " in unit.read_text()
    printed("make", "-s", "uninstall", f"DESTDIR={installed}", "PREFIX=/usr", cwd=ROOT)
    assert [path for path in installed.rglob("*") if not path.is_dir()] == [others]


def test_an_installation_replaces_the_one_before(installed: Path, pyz: Path) -> None:
    stale = installed / "usr/share/slabtui/slabtui/of_an_older_version.py"
    stale.touch()
    printed(sys.executable, "-m", "tests.tools.packaging.install", pyz, installed, "/usr", cwd=ROOT)
    assert not stale.exists()


def test_a_prefix_that_cannot_be_written_is_one_line(pyz: Path, bare_python: Path) -> None:
    copy = Path(tempfile.mkdtemp())
    try:
        copy.chmod(0o755)
        shutil.copytree(ROOT / "tests" / "tools" / "packaging", copy / "tests" / "tools" / "packaging")
        command = [*AS_NOBODY, bare_python, "-m", "tests.tools.packaging.install", pyz, "", "/usr"]
        refused = run(*command, cwd=copy)
    finally:
        shutil.rmtree(copy)
    assert refused.returncode == 1
    assert (
        refused.stderr == "install: /usr/share/slabtui cannot be written: sudo make install, or name another PREFIX\n"
    )


@pytest.mark.parametrize("prefix", ["", "usr/local", "~/slabtui"])
def test_a_prefix_that_is_no_path_is_one_line(pyz: Path, prefix: str) -> None:
    refused = run(sys.executable, "-m", "tests.tools.packaging.install", pyz, "", prefix, cwd=ROOT)
    assert refused.returncode == 2
    assert refused.stderr == f"install: PREFIX must begin with a slash, and is {prefix!r}\n"


def test_the_debian_package_asks_for_the_distributions_bcc(dist: Path) -> None:
    control = Parser().parsestr(printed("dpkg-deb", "-f", next(dist.glob("*.deb"))))
    assert control["Architecture"] == "all"
    assert control["Depends"] == "python3 (>= 3.11), python3-bpfcc (>= 0.18)"
    assert control["Version"] == __version__


def test_the_debian_package_runs(unpacked: Path) -> None:
    assert is_a_table(printed(unpacked / "usr/bin/slabtui", "--demo", "-C", "1", "2"))
    assert printed(unpacked / "usr/bin/slabratetop", "--help").startswith("usage: slabratetop ")


def test_the_debian_package_has_the_manual_page_and_the_licences(unpacked: Path) -> None:
    page = gzip.decompress((unpacked / "usr/share/man/man8/slabtui.8.gz").read_bytes())
    assert page == (ROOT / "docs" / "slabtui.8").read_bytes()
    assert gzip.decompress((unpacked / "usr/share/man/man8/slabratetop.8.gz").read_bytes()) == b".so man8/slabtui.8\n"
    licences = (unpacked / "usr/share/doc/slabtui/copyright").read_text()
    for name in ("attrs", "cattrs", "leather", "shtab", "typing_extensions", "urwid", "wcwidth"):
        assert f"\n{name} " in licences
    assert (unpacked / "usr/share/zsh/vendor-completions/_slabtui").read_text().startswith("#compdef slabtui")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["--rec"], {"--record"}),
        (["-s", ""], set(caches.SORTS)),
        (["--output", "j"], {"json"}),
        (["--callers", "dentr"], {"dentry"}),
        (["-p", str(os.getpid())], {str(os.getpid())}),
    ],
)
def test_bash_completes(installed: Path, words: list[str], offered: set[str]) -> None:
    script = installed / "usr/share/bash-completion/completions/slabtui"
    ask = (
        'source "$1"; shift; COMP_WORDS=(slabtui "$@"); COMP_CWORD=$#; _shtab_slabtui; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert set(printed("bash", "-c", ask, "bash", script, *words).split()) >= offered


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["pipx", "uv"])
def test_usual_installers_install_the_wheel(dist: Path, tmp_path: Path, installer: str) -> None:
    printed(sys.executable, "-m", "venv", tmp_path / "tools")
    printed(tmp_path / "tools/bin/pip", "install", "-q", "--disable-pip-version-check", installer)
    variables = {
        name: str(tmp_path / name)
        for name in ("PIPX_HOME", "PIPX_BIN_DIR", "PIPX_MAN_DIR", "UV_TOOL_DIR", "UV_TOOL_BIN_DIR", "UV_CACHE_DIR")
    }
    command = {"pipx": ["pipx", "install"], "uv": ["uv", "tool", "install"]}[installer]
    wheel = next(dist.glob("*.whl"))
    printed(tmp_path / "tools/bin" / command[0], *command[1:], wheel, env=os.environ | variables)
    programs = tmp_path / {"pipx": "PIPX_BIN_DIR", "uv": "UV_TOOL_BIN_DIR"}[installer]
    for program in ("slabtui", "slabratetop"):
        assert is_a_table(printed(programs / program, "--demo", "-C", "1", "2"))
