"""Runs a command as Kubernetes runs the container of a manifest, over the files of this machine."""

import shlex
from pathlib import Path
from typing import Any

_DEVICES = ("null", "zero", "full", "random", "urandom")
# What runc and crun hide and protect by default, as far as slabtui could want it: "Linux masked and readonly paths" in
# the configuration that containerd and CRI-O make.
_MASKED = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware")
_OWN = ("/opt", "/var/lib")  # of the container alone: directories that this machine lacks are made there
_PROTECTED = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys")


def command(pod: dict[str, Any], root: Path, image: dict[str, Path], host_paths: dict[str, Path]) -> list[str]:
    """Return a command that runs another one in the only container of a pod, with the namespaces and limits of one.

    Args:
        pod: the specification of the pod.
        root: an empty directory, where the root file system is mounted.
        image: directories that the image has, by their names in its /opt.
        host_paths: other directories for some of the paths on the host that the manifest mounts.
    """
    (container,) = pod["containers"]
    context = container["securityContext"]
    assert context["capabilities"]["drop"] == ["ALL"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    place = shlex.quote(str(root))
    script = [
        f"mount --bind / {place}",
        f"mount -t proc proc {place}/proc",
        f"mount -t sysfs -o ro sysfs {place}/sys",
        f"mount -t tmpfs tmpfs {place}/dev",
        *(f"touch {place}/dev/{name}; mount --bind /dev/{name} {place}/dev/{name}" for name in _DEVICES),
        *(f"[ ! -f {place}{path} ] || mount --bind /dev/null {place}{path}" for path in _MASKED),
        *(f"[ ! -d {place}{path} ] || mount -t tmpfs -o ro tmpfs {place}{path}" for path in _MASKED),
        *(f"mount --bind {place}{path} {place}{path}; mount -o remount,bind,ro {place}{path}" for path in _PROTECTED),
    ]
    script += [f"mount -t tmpfs tmpfs {place}{path}" for path in _OWN]
    for name, path in image.items():
        target = f"{place}/opt/{shlex.quote(name)}"
        script.append(
            f"mkdir {target}; mount --bind {shlex.quote(str(path))} {target}; mount -o remount,bind,ro {target}"
        )
    for mount in container["volumeMounts"]:
        script += _mount(mount, volumes[mount["name"]], root, host_paths)
    if context["readOnlyRootFilesystem"]:
        script += [f"mount -o remount,bind,ro {place}{path}" for path in ("", "/dev", *_OWN)]
    granted = "".join(f",+{name.lower()}" for name in context["capabilities"]["add"])
    script.append(
        f"exec chroot {place} setpriv --reuid={context['runAsUser']} --regid={context['runAsGroup']} --clear-groups"
        f" --inh-caps=-all --bounding-set=-all{granted}"
        f'{"" if context["allowPrivilegeEscalation"] else " --no-new-privs"} "$@"'
    )
    namespaces = ["--mount", "--uts", "--ipc", "--net", "--cgroup"]
    namespaces += [] if pod.get("hostPID") else ["--pid", "--fork", "--kill-child"]
    return ["unshare", *namespaces, "sh", "-ec", "\n".join(script), "sh"]


def _mount(mount: dict[str, Any], volume: dict[str, Any], root: Path, host_paths: dict[str, Path]) -> list[str]:
    """Return the lines that mount a volume."""
    target, path = shlex.quote(f"{root}{mount['mountPath']}"), volume["hostPath"]["path"]
    lines = [f"mkdir -p {target}; mount --rbind {shlex.quote(str(host_paths.get(path, path)))} {target}"]
    return [*lines, f"mount -o remount,bind,ro {target}"] if mount.get("readOnly") else lines
