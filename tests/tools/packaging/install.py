"""Unpacks slabtui.pyz below a prefix, for `make install` and for the Debian package.

It then starts three times as fast as from the zip file, because Python keeps the compiled modules.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

HOME = "share/slabtui"  # the modules; all paths are below the prefix
COMMANDS = ("bin/slabtui", "bin/slabratetop")
DATA = {  # path in slabtui.pyz -> installed path; `make uninstall` has the same list
    path: path
    for path in (
        "share/man/man8/slabtui.8",
        "share/man/man8/slabratetop.8",
        "share/bash-completion/completions/slabtui",
        "share/zsh/site-functions/_slabtui",
        "share/fish/vendor_completions.d/slabtui.fish",
    )
}


def unpack(application: Path, prefix: Path, python: str, data: dict[str, str] = DATA) -> Path:
    """Install the program, replacing an older one, and return the directory of its modules.

    The commands are links to the first file of the application. Python searches modules in the directory to which a
    link leads, and the name of the link selects the command.

    Args:
        application: slabtui.pyz.
        prefix: the directory that becomes /usr or /usr/local.
        python: the interpreter that the commands name.
        data: the directory for other files than modules.
    """
    home = prefix / HOME
    shutil.rmtree(home, ignore_errors=True)
    with ZipFile(application) as archive:
        archive.extractall(home)
    for source, target in data.items():
        (prefix / target).parent.mkdir(parents=True, exist_ok=True)
        (home / source).replace(prefix / target)
    shutil.rmtree(home / "share")
    main = home / "__main__.py"
    main.write_text(f"#!{python}\n{main.read_text(encoding='utf-8')}", encoding="utf-8")
    main.chmod(0o755)
    for command in COMMANDS:
        path = prefix / command
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(f"../{HOME}/__main__.py")
    return home


def system_python() -> str:
    """Return an interpreter that does not depend on the checkout: the distribution's if it is new enough."""
    for python in ("/usr/bin/python3", *sorted(map(str, Path("/usr/bin").glob("python3.[1-9][0-9]")), reverse=True)):
        new_enough = "import sys; sys.exit(sys.version_info < (3, 11))"
        if os.access(python, os.X_OK) and subprocess.run([python, "-I", "-c", new_enough], check=False).returncode == 0:
            return python
    return os.path.realpath(sys.executable)


def main() -> int:
    """Install: `python -m tests.tools.packaging.install slabtui.pyz DESTDIR PREFIX`."""
    application, destination, prefix = sys.argv[1:]
    if not prefix.startswith("/"):
        print(f"install: PREFIX must begin with a slash, and is {prefix!r}", file=sys.stderr)
        return 2
    os.umask(0o022)
    python = system_python()
    try:
        home = unpack(Path(application), Path(destination + prefix), python)
    except PermissionError as error:
        print(
            f"install: {error.filename} cannot be written: sudo make install, or name another PREFIX", file=sys.stderr
        )
        return 1
    strip = ["-s", destination] if destination else []
    subprocess.run([python, "-I", "-m", "compileall", "-q", *strip, str(home)], check=True)
    for command in COMMANDS:
        print(f"install: {destination}{prefix}/{command}, for {python}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
