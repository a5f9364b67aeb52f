"""Builds the Debian package, for every release that has Python 3.11. It contains slabtui's dependencies."""

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
from email.utils import formatdate
from pathlib import Path

from tests.tools.packaging.install import DATA, unpack

# Debian's zsh searches another directory for completions of packages.
_DATA = DATA | {"share/zsh/site-functions/_slabtui": "share/zsh/vendor-completions/_slabtui"}
_MAINTAINER = "The slabtui developers <slabtui@localhost>"
_OVERRIDES = """\
# The project has no mail address; dpkg demands that one be there.
slabtui: bogus-mail-host
slabtui: bogus-mail-host-in-debian-changelog
"""
_CONTROL = """\
Package: slabtui
Version: {version}
Section: admin
Priority: optional
Architecture: all
Depends: python3 (>= 3.11), python3-bpfcc (>= 0.18)
Suggests: python3-zstandard, python3-prometheus-client, python3-bcrypt, python3-yaml
Installed-Size: {size}
Maintainer: {maintainer}
Description: live top for the Linux kernel's slab allocator
 slabtui shows which slab caches of the kernel allocate most, live and counted
 exactly, in a full-screen table; who allocates from a cache; and which caches
 grow without an end. It prints text, JSON and CSV too, and records.
 .
 It also provides slabratetop, with the output of the tool of that name in bcc.
"""
_CHANGES = """\
slabtui ({version}) unstable; urgency=medium

  * Built from the sources; CHANGELOG.md there says what is new.

 -- {maintainer}  {date}
"""
_COPYRIGHT = """\
slabtui is licensed under the Apache License, version 2.0; its BPF programs and
their headers also under the GNU General Public License, version 2. On Debian
systems see /usr/share/common-licenses/Apache-2.0 and
/usr/share/common-licenses/GPL-2.

Copyright: the slabtui developers

The package also holds these Python modules, unchanged, since slabtui needs
newer ones than Debian has:
"""
_COMMON = {  # licences whose text every Debian system has
    "urwid": (
        "Copyright: 2004-2012 Ian Ward and others",
        "GNU Lesser General Public License, version 2.1 or later",
        "LGPL-2.1",
    ),
    "shtab": ("Copyright: 2020-2026 Casper da Costa-Luis", "Mozilla Public License, version 2.0", "MPL-2.0"),
}
_SCRIPTS = {
    "postinst": """\
#!/bin/sh
# Compiles the modules, for every Python 3 that is installed.
set -e
if [ "$1" = configure ] && command -v py3compile >/dev/null; then
	py3compile -p slabtui /usr/share/slabtui
fi
""",
    "prerm": """\
#!/bin/sh
# Removes what has been compiled.
set -e
if command -v py3clean >/dev/null; then
	py3clean -p slabtui
else
	find /usr/share/slabtui -depth -name __pycache__ -exec rm -rf {} +
fi
""",
}
_UPGRADE = """\
#!/bin/sh
# Called when the version of Python changes.
set -e
if [ "$1" = rtupdate ]; then
	py3clean -p slabtui /usr/share/slabtui
	py3compile -p slabtui /usr/share/slabtui
fi
"""


def build(application: Path, directory: Path, version: str, date: int) -> Path:
    """Build the package from slabtui.pyz, and return its path.

    Only dpkg-deb is needed, which Debian and many other distributions have: there is nothing to compile, and what
    debhelper would add are the three scripts above.

    Args:
        application: slabtui.pyz.
        directory: where the package goes.
        version: of slabtui.
        date: of everything in it, in seconds since 1970.

    Raises:
        FileNotFoundError: there is no dpkg-deb.
        CalledProcessError: it failed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary, "slabtui")
        root.mkdir(mode=0o755)
        home = unpack(application, root / "usr", "/usr/bin/python3", _DATA)
        dated = {"version": version, "maintainer": _MAINTAINER, "date": formatdate(date)}
        _write(root / "usr/share/doc/slabtui/copyright", _copyright(home))
        _write(root / "usr/share/doc/slabtui/changelog", _CHANGES.format(**dated))
        _write(root / "usr/share/lintian/overrides/slabtui", _OVERRIDES)
        _write(root / "usr/share/python3/runtime.d/slabtui.rtupdate", _UPGRADE, 0o755)
        for path in (*root.glob("usr/share/man/man8/*"), root / "usr/share/doc/slabtui/changelog"):
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
            path.unlink()
        files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        size = sum(path.stat().st_size for path in files) // 1024 + 1
        sums = (f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files)
        _write(root / "DEBIAN/md5sums", "".join(sums))
        _write(root / "DEBIAN/control", _CONTROL.format(size=size, **dated))
        for name, script in _SCRIPTS.items():
            _write(root / "DEBIAN" / name, script, 0o755)
        package = directory / f"slabtui_{version}_all.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "--uniform-compression", "-Zxz", "--build", str(root), str(package)],
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(date)},
        )
    return package


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _copyright(home: Path) -> str:
    """Return the licences of all modules in the package, and remove the directories that hold them for pip."""
    parts = [_COPYRIGHT]
    for directory in sorted(home.glob("*.dist-info")):
        name, version = directory.name.removesuffix(".dist-info").split("-")
        if name in _COMMON:
            copyright_, licence, file = _COMMON[name]
            parts.append(f"{name} {version}\n\n{copyright_}\n\n{licence}: /usr/share/common-licenses/{file}\n")
        elif name != "slabtui":
            texts = sorted(
                path for path in directory.glob("licenses/*") if path.name.upper().startswith(("LICEN", "COPYING"))
            )
            parts.append(f"{name} {version}\n\n" + "\n".join(path.read_text(encoding="utf-8") for path in texts))
        shutil.rmtree(directory)
    return "\n".join(parts)
