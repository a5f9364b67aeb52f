"""Which kernels are tested: the newest of each series, chosen from those that Debian publishes."""

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass

SERIES = ("5.10", "6.1", "6.12", "6.18", "7")  # those of Debian 11, 12 and 13, the next longterm one, the newest of all

_IMAGE = re.compile(r"linux-image-(\d+\.\d+\.\d[^-]*(?:-\d[\da-z.]*)?-amd64)")  # not -rt, -cloud, nor a metapackage
_END = (0,)


@dataclass(frozen=True, slots=True)
class Kernel:
    """One that can be downloaded.

    Attributes:
        version: of the Debian package.
        release: what `uname -r` will say.
        headers: whether its headers are published.
    """

    version: str
    release: str
    headers: bool


def published(names: Set[str], stanzas: str) -> list[Kernel]:
    """Return the kernels that can be installed, in the order of their versions.

    Args:
        names: of all packages in the archive.
        stanzas: what the archive says of the images among them.
    """
    found = []
    for stanza in stanzas.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Depends): (.*)$", stanza, re.MULTILINE))
        image = _IMAGE.fullmatch(fields.get("Package", ""))
        if image is None:
            continue
        release = image[1]
        modules = f"linux-modules-{release}"
        if modules in fields.get("Depends", "") and modules not in names:
            continue  # the archive has the image, but no longer its modules
        found.append(Kernel(fields["Version"], release, f"linux-headers-{release}" in names))
    return sorted(found, key=lambda kernel: order(kernel.version))


def newest(kernels: Iterable[Kernel], series: str) -> Kernel | None:
    """Return the newest kernel whose version begins with these numbers."""
    among = [kernel for kernel in kernels if re.match(rf"{re.escape(series)}[.~-]", kernel.version)]
    return max(among, key=lambda kernel: order(kernel.version), default=None)


def order(version: str) -> tuple[object, ...]:
    """Return the sort key of a Debian version, by the rules of deb-version(7)."""
    upstream, _, revision = version.rpartition("-")
    return _order(upstream), _order(revision)


def _order(part: str) -> tuple[object, ...]:
    """Return alternating words and numbers; in a word a tilde sorts before the end, letters before the rest."""
    pairs = re.findall(r"(\D*)(\d*)", part)
    return tuple(((*map(_rank, word), *_END), int(number or 0)) for word, number in pairs)


def _rank(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) + (0 if character.isalpha() else 256)


def parse(index: str) -> list[Kernel]:
    """Read a list of kernels: a line each."""
    fields = map(str.split, index.splitlines())
    return [Kernel(version, release, headers == "h") for version, release, headers in fields]


def written(kernels: Iterable[Kernel]) -> str:
    """Write a list of kernels, for `parse` to read."""
    return "".join(f"{kernel.version} {kernel.release} {'h' if kernel.headers else '-'}\n" for kernel in kernels)
