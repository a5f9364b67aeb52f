"""Builds the files to install: `python -m tests.tools.packaging DIRECTORY [pyz]`; with `pyz` slabtui.pyz alone."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from slabtui import __version__
from tests import ROOT
from tests.tools.packaging import application, debian

CHECKS = {  # suffix -> the command that checks such a file, if it is installed
    ".deb": ["lintian", "--fail-on", "error", "--allow-root"],
    ".8": ["mandoc", "-T", "lint", "-W", "warning"],
}


def main() -> int:
    """Build, and return the exit status."""
    os.umask(0o022)
    target = Path(sys.argv[1]).absolute()
    alone = sys.argv[2:] == ["pyz"]
    target.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SOURCE_DATE_EPOCH", date())
    try:
        with tempfile.TemporaryDirectory() as wheels:
            kinds = ["--wheel"] if alone else []
            run(sys.executable, "-m", "build", *kinds, "--outdir", wheels, str(ROOT))
            built = [path.replace(target / path.name) for path in Path(wheels).iterdir()]
        wheel = next(path for path in built if path.suffix == ".whl")
        zipped = application.build(wheel, target / "slabtui.pyz", int(os.environ["SOURCE_DATE_EPOCH"]))
        if alone:
            print(f"dist: {zipped}")
            return 0
        package = debian.build(zipped, target, __version__, int(os.environ["SOURCE_DATE_EPOCH"]))
        for path in (*built, zipped, package):
            print(f"dist: {path}, {path.stat().st_size / 1000:.0f} kB")
        for path in (package, ROOT / "docs" / "slabtui.8"):
            check(path)
    except subprocess.CalledProcessError as error:
        print(error.stdout.rstrip(), file=sys.stderr)
        print(f"dist: {' '.join(map(str, error.cmd[:4]))} failed, see above", file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"dist: {error.filename} is missing: apt-get install dpkg, or dnf install dpkg", file=sys.stderr)
        return 1
    return 0


def run(*command: str) -> None:
    """Run a command; show its output only if it fails."""
    subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def date() -> str:
    """Return the time of the last commit, or of the changelog if there is no repository, in seconds since 1970."""
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    if (ROOT / ".git").exists():
        try:
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):  # no git, or the repository belongs to another user
            pass
    return str(int((ROOT / "CHANGELOG.md").stat().st_mtime))


def check(path: Path) -> None:
    """Check a result.

    Raises:
        CalledProcessError: the check found an error.
    """
    command = CHECKS[path.suffix]
    try:
        run(*command, str(path))
    except FileNotFoundError:
        print(f"dist: {path.name} is not checked: apt-get install {command[0]}", file=sys.stderr)
    else:
        print(f"dist: {command[0]} found no error in {path.name}")


if __name__ == "__main__":
    sys.exit(main())
