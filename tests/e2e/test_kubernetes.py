"""The manifest for Kubernetes: it is valid, it asks for little, and slabtui records with what it asks for."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from slabtui.cli.parser import parser
from slabtui.kernel.capabilities import COUNTING, Capability
from slabtui.model.containers import Place, find_place
from tests import ROOT
from tests.support import container
from tests.support.flight import replayed
from tests.support.groups import cgroup_root, enter
from tests.support.terminal import PATIENCE

FLEET = ROOT / "docs" / "fleet"
MANIFEST = yaml.safe_load((FLEET / "daemonset.yaml").read_text())
POD: dict[str, Any] = MANIFEST["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]
UID, ID = "0f9c6a1e-1b2c-4d3e-8f90-123456789abc", "3f1a2b3c4d5e6f70" * 4
OLDEST = "1.25"  # the oldest release of Kubernetes with everything in the manifest, as it is


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_kubernetes_accepts_the_manifest(version: str) -> None:
    kubernetes_validate.validate(MANIFEST, version, strict=True)


def test_the_container_has_what_counting_needs_and_no_more() -> None:
    """It is root, who owns the files that another user could read by CAP_DAC_READ_SEARCH only."""
    context = CONTAINER["securityContext"]
    added = {Capability[name] for name in context["capabilities"]["add"]}
    assert added == COUNTING - {Capability.DAC_READ_SEARCH}
    assert (context["privileged"], context["allowPrivilegeEscalation"]) == (False, False)


def test_slabtui_has_the_options_of_the_container() -> None:
    assert parser().parse_args(CONTAINER["args"]).record


def test_each_mount_has_a_volume_and_each_volume_a_mount() -> None:
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {volume["name"] for volume in POD["volumes"]}


def without_processes() -> dict[str, Any]:
    """Return the pod without what the manifest says to remove where no process is to be named."""
    mounts = [mount for mount in CONTAINER["volumeMounts"] if mount["name"] != "cgroup"]
    return POD | {"hostPID": False, "containers": [CONTAINER | {"volumeMounts": mounts}]}


def start(pod: dict[str, Any], tmp_path: Path) -> tuple[Path, list[str]]:
    """Return the directory of the recordings on the host, and the command that runs slabtui in the container."""
    root, recordings = tmp_path / "root", tmp_path / "recordings"
    root.mkdir()
    recordings.mkdir()
    image = {"venv": Path(sys.prefix), "slabtui": ROOT / "slabtui"}
    command = container.command(pod, root, image, {"/var/lib/slabtui": recordings})
    return recordings, [*command, "env", "PYTHONPATH=/opt", "/opt/venv/bin/python", "-m", "slabtui"]


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("pod", [POD, without_processes()], ids=["whole", "without processes"])
def test_it_records_in_the_container(pod: dict[str, Any], tmp_path: Path) -> None:
    recordings, slabtui = start(pod, tmp_path)
    options = ["0.2" if option == "60" else option for option in CONTAINER["args"]]
    command = [*slabtui, *options, "-n", "3"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    found = replayed(recordings)
    assert len(found) == 3
    assert sum(one.allocs for one in found) > 0
    assert not found[-1].notes
    assert any(row.live for row in found[-1].rows)


@pytest.fixture
def in_a_pod() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that opens files, in a control group with a path as kubelet and containerd make it."""
    group = cgroup_root() / f"kubepods-test-{os.getpid()}" / f"pod{UID}" / ID
    group.mkdir(parents=True)
    try:
        with subprocess.Popen([sys.executable, "-c", "import os\nwhile True: os.stat('/')"]) as process:
            try:
                enter(group, process.pid)
                yield process
            finally:
                process.kill()
    finally:
        for directory in (group, *group.parents[:2]):
            directory.rmdir()


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_process_is_named_by_its_pod(in_a_pod: subprocess.Popen[bytes], tmp_path: Path) -> None:
    _, slabtui = start(POD, tmp_path)
    command = [*slabtui, "--processes", "names_cache", "--output", "json", "0.5", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    (found,) = json.loads(ended.stdout)["inspections"]
    paths = {row["pid"]: row["cgroup"] for row in found["rows"]}
    assert find_place(paths[in_a_pod.pid]) == Place(ID[:12], UID)
