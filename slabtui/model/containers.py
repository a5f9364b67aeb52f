"""Finds in the path of a control group which container, pod or systemd unit it belongs to. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache

_SHORT = 12  # hexadecimal digits of a container's id, as `docker ps` and `crictl ps` print it
_SHORT_POD = 8  # of a pod's uid: its first part

# The last part of a container's path is its id of 64 hexadecimal digits. Where systemd makes the control group, it is a
# scope with the name of the runtime before the id: docker-, cri-containerd-, crio-, libpod- (podman). Kata has kata_.
_ID = re.compile(r"(?:[a-z][a-z-]*[-_])?(?P<id>[0-9a-f]{64})(?:\.scope)?")
# containerd has SLICE:cri-containerd:ID as one part, where kubelet lets systemd make control groups, and it does not
# (SystemdCgroup in its configuration).
_JOINED = re.compile(r":[a-z][a-z-]*:(?=[0-9a-f]{64}(?:/|$))")
# kubelet: kubepods-burstable-podUID.slice with _ in the uid (systemd), or kubepods/burstable/podUID. Below a root
# of its own, as in kind, the slice has that before it: kubelet-kubepods-. The uid of a static pod is a hash.
_POD = re.compile(
    r"(?:[^/]*kubepods-(?:[a-z]+-)?)?pod(?P<uid>[0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12})(?:\.slice)?"
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
        pod: the uid of its Kubernetes pod, as kubectl prints it; of a static pod, the hash of its configuration.
        unit: the innermost systemd unit that holds processes, as `cron.service`.
    """

    container: str = ""
    pod: str = ""
    unit: str = ""


@lru_cache(maxsize=4096)  # every interval has the same paths
def find_place(path: str) -> Place:
    """Return what the control group of this path belongs to."""
    container = pod = unit = ""
    parts = _JOINED.sub("/", path).split("/")
    for before, part in zip(("", *parts), parts, strict=False):
        if found := _POD.fullmatch(part):
            pod = found["uid"].replace("_", "-")
        elif found := _ID.fullmatch(part):
            container, unit = found["id"][:_SHORT], ""
        elif found := next((found for pattern in _NAMED if (found := pattern.fullmatch(part))), None):
            container, unit = found["id"], ""
        elif before == "lxc" and part:  # LXC before 4.0
            container, unit = part, ""
        elif part.endswith(_UNITS):
            unit = part
    return Place(container, pod, unit)


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
