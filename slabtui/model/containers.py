"""Finds in the path of a control group which container, pod or systemd unit it belongs to. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache

_SHORT = 12  # hexadecimal digits of a container's id, as `docker ps` and `crictl ps` print it
_SHORT_POD = 8  # of a pod's uid: its first part

# The last part of a container's path is its id of 64 hexadecimal digits. Where systemd makes the control group, it is a
# scope with the name of the runtime before the id: docker-, cri-containerd-, crio-, libpod- (podman).
_ID = re.compile(r"(?:(?P<runtime>[a-z][a-z-]*)-)?(?P<id>[0-9a-f]{64})(?:\.scope)?")
# kubelet: kubepods-burstable-podUID.slice with _ in the uid (systemd), or kubepods/burstable/podUID. The uid of a
# static pod is a hash without dashes.
_POD = re.compile(
    r"(?:kubepods(?:-[a-z]+)?-)?pod(?P<uid>[0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12})(?:\.slice)?"
)
_NAMED = (
    re.compile(r"lxc\.payload\.(?P<id>[^/]+)"),  # LXC, and Incus
    re.compile(r"systemd-nspawn@(?P<id>[^/]+)\.service"),
    re.compile(r"machine-(?P<id>[^/]+)\.scope"),  # systemd-machined: nspawn and libvirt
)
_UNITS = (".service", ".scope", ".socket", ".mount", ".swap")  # systemd.unit(5), those that hold processes


@dataclass(frozen=True, slots=True)
class Place:
    """What a control group belongs to; a text is empty where the path does not tell.

    Attributes:
        container: the short id of a container, or its name.
        pod: the uid of its Kubernetes pod, with dashes.
        unit: the innermost systemd unit that holds processes, as `cron.service`.
    """

    container: str = ""
    pod: str = ""
    unit: str = ""


def find_place(path: str) -> Place:
    """Return what the control group of this path belongs to."""
    return _find(path)[0]


def cut_to_place(path: str) -> str:
    """Return the path of the container that a control group belongs to; else of its systemd unit; else the path.

    Groups below that belong to the same place: those of the units in a container, or those that a unit makes.
    """
    return _find(path)[1]


@lru_cache(maxsize=4096)  # every interval has the same paths
def _find(path: str) -> tuple[Place, str]:
    container = pod = unit = ""
    parts = path.split("/")
    ends = len(parts)
    for number, (before, part) in enumerate(zip(("", *parts), parts, strict=False), 1):
        if found := _POD.fullmatch(part):
            pod = _with_dashes(found["uid"])
        elif found := _ID.fullmatch(part):
            container, unit, ends = found["id"][:_SHORT], "", number
        elif found := next((found for pattern in _NAMED if (found := pattern.fullmatch(part))), None):
            container, unit, ends = found["id"], "", number
        elif before == "lxc" and part:  # LXC before 4.0
            container, unit, ends = part, "", number
        elif part.endswith(_UNITS):
            unit = part
            ends = ends if container else number
    return Place(container, pod, unit), "/".join(parts[:ends])


def write_place(path: str, width: int) -> str:
    """Write what a control group belongs to, in the longest form that fits a width: the shortest if none does.

    A container with its pod: `pod 0f9c6a1e-... 3f1a2b3c4d5e`; else a systemd unit; else the path.
    """
    place = find_place(path)
    if place.pod and not place.container:
        forms: tuple[str, ...] = (f"pod {place.pod}", f"pod {place.pod[:_SHORT_POD]}")
    elif place.pod:
        forms = (
            f"pod {place.pod} {place.container}",
            f"pod {place.pod[:_SHORT_POD]} {place.container}",
            f"{place.pod[:_SHORT_POD]} {place.container}",
            place.container,
        )
    elif place.container and place.unit:
        forms = (f"{place.container} {place.unit}", place.container)
    else:
        forms = (path, place.container or place.unit or path)
    return next((form for form in forms if len(form) <= width), forms[-1])


def _with_dashes(uid: str) -> str:
    digits = uid.replace("_", "").replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
