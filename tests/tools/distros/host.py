"""Copies the settings with which this machine reaches package archives into a root."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

_CERTIFICATES = Path("usr/local/share/ca-certificates")
_NAMES = ("etc/resolv.conf", "etc/hosts")
_APT = re.compile(r"Acquire::(?:https?::|Check-Valid-Until|Check-Date|Retries).*")
_PIP = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # of the root, made by update-ca-certificates


def configure(root: Path) -> None:
    """Write this machine's names, certificate authorities, and settings of apt and pip into a root.

    `update-ca-certificates` must run there afterwards.
    """
    for name in _NAMES:
        shutil.copyfile(Path("/", name), root / name)
    for certificate in Path("/", _CERTIFICATES).glob("*.crt"):
        shutil.copy(certificate, root / _CERTIFICATES)
    apt = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    pip = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    (root / "etc/apt/apt.conf.d/99host").write_text(apt_settings(apt, os.environ))
    (root / "etc/pip.conf").write_text(pip_settings(settings, os.environ))


def apt_settings(dump: str, environment: Mapping[str, str]) -> str:
    """Return the lines about the network of what `apt-config dump` prints, with the proxies of the environment.

    Args:
        dump: the output of `apt-config dump`.
        environment: may have `http_proxy` and `https_proxy`, which apt would use.
    """
    lines = [line for line in dump.splitlines() if _APT.fullmatch(line)]
    proxies = {scheme: environment.get(f"{scheme}_proxy") for scheme in ("http", "https")}
    lines += [f'Acquire::{scheme}::Proxy "{proxy}";' for scheme, proxy in proxies.items() if proxy]
    return "".join(f"{line}\n" for line in lines)


def pip_settings(listed: str, environment: Mapping[str, str]) -> str:
    """Return a pip.conf with the settings about the network.

    Paths of this machine are left out, because a root does not have them; certificates are those of the root.

    Args:
        listed: the output of `pip config list`, which has the environment's settings before those of files.
        environment: may have `https_proxy`, which pip would use.
    """
    found: dict[str, str] = {}
    for key, value in _pip_lines(listed):
        remote = [word for word in value.split() if not word.startswith(("/", "file:"))]
        if key == "cert":
            found["cert"] = _BUNDLE
        elif key in _PIP and remote:
            found.setdefault(key, " ".join(remote))
    if proxy := environment.get("https_proxy"):
        found.setdefault("proxy", proxy)
    return "".join(("[global]\n", *(f"{key} = {value}\n" for key, value in found.items())))


def _pip_lines(listed: str) -> Iterable[tuple[str, str]]:
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in {":env:", "global"}:
            yield key, str(ast.literal_eval(value))
