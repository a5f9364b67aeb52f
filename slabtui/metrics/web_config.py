"""The web config file of Prometheus' exporters: which TLS certificate and which users a server has."""

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slabtui.errors import SlabtuiError, Status

_INSTALL = "apt-get install python3-yaml python3-bcrypt, or pip install pyyaml bcrypt"
_TLS, _USERS = "tls_server_config", "basic_auth_users"
_FILES = ("cert_file", "key_file")
_LONGEST_PASSWORD = 72  # bytes: bcrypt uses no more, and newer versions of its library refuse them
# The hash of a password that no user has: an unknown user takes as long as a wrong password.
_NOBODY = b"$2b$10$Yf7bKW84jj/j4728MHCLn.9h4KGdBN61GGFh8eD0ZZdDe3gsw2lqS"
_MOST_KNOWN = 100  # answers that are kept, because each check of a password takes about 0.1 s


@dataclass(slots=True)
class WebConfig:
    """How a server is protected.

    Attributes:
        tls: its certificate; None: it does not use TLS.
        users: the bcrypt hash of each user's password; empty: everybody may read.
    """

    tls: ssl.SSLContext | None = None
    users: Mapping[str, bytes] = field(default_factory=dict)
    _known: dict[bytes, bool] = field(default_factory=dict)

    def allows(self, user: str, password: str) -> bool:
        """Return whether a user may read."""
        import bcrypt

        given = password.encode()[:_LONGEST_PASSWORD]
        expected = self.users.get(user, _NOBODY)
        digest = hashlib.sha256(b"\0".join((user.encode(), expected, given))).digest()
        if digest not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            try:
                self._known[digest] = bcrypt.checkpw(given, expected) and user in self.users
            except ValueError:  # a null byte, in older versions of the library
                self._known[digest] = False
        return self._known[digest]


def read(path: Path) -> WebConfig:
    """Read a web config file, as exporter-toolkit defines it.

    Raises:
        SlabtuiError: it cannot be read, a setting is not supported, or a library is missing.
    """
    try:
        import bcrypt
        import yaml
    except ImportError as error:
        raise SlabtuiError(f"--web-config needs the module {error.name}", _INSTALL) from error
    try:
        found = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise SlabtuiError(f"cannot read {path} ({error.strerror})", "check the path", Status.USAGE) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(path, "it is not YAML") from error
    settings = _mapping(path, "the file", found, (_TLS, _USERS))
    users = {}
    for name, hashed in _mapping(path, _USERS, settings.get(_USERS)).items():
        try:
            users[str(name)] = str(hashed).encode()
            bcrypt.checkpw(b"", users[str(name)])
        except ValueError as error:
            raise _bad(path, f"the password of {name} is no bcrypt hash, as htpasswd -nB makes it") from error
    return WebConfig(_read_tls(path, settings.get(_TLS)), users)


def _read_tls(path: Path, found: object) -> ssl.SSLContext | None:
    """Return the certificate that is named; the files are relative to the directory of the web config file."""
    settings = _mapping(path, _TLS, found, _FILES)
    if not settings:
        return None
    for name in _FILES:
        if not isinstance(settings.get(name), str) or not settings[name]:
            raise _bad(path, f"{_TLS} has no {name}")
    certificate, key = (path.parent / settings[name] for name in _FILES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # else it asks at the terminal
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
        raise _bad(path, f"cannot load {certificate} and {key} ({reason})") from error
    return context


def _mapping(path: Path, name: str, found: object, known: tuple[str, ...] | None = None) -> dict[Any, Any]:
    """Return a part of the file; a setting that is not known is refused, because it may protect the server."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _bad(path, f"{name} is not a mapping")
    for key in found:
        if known is not None and key not in known:
            raise _bad(path, f"{key} is not supported in {name}: {' and '.join(known)} are")
    return found


def _bad(path: Path, cause: str) -> SlabtuiError:
    return SlabtuiError(f"the web config {path}: {cause}", "see docs/fleet/metrics.md", Status.USAGE)
