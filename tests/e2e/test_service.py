"""The systemd unit: what it may do is little, and enough for slabtui to record."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from slabtui.kernel.capabilities import COUNTING
from tests.support.flight import replayed
from tests.support.terminal import PATIENCE

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "docs" / "slabtui.service"
MOST_EXPOSED = 4.0  # of 10; systemd-analyze(1) calls less than 5 OK


def capabilities_of(setting: str) -> set[str]:
    """Return the capabilities that the unit names in a setting."""
    found = re.search(rf"^{setting}=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert found is not None
    return set(found[1].split())


def test_the_unit_grants_the_capabilities_that_counting_needs() -> None:
    needed = {f"CAP_{capability.name}" for capability in COUNTING}
    assert capabilities_of("AmbientCapabilities") == capabilities_of("CapabilityBoundingSet") == needed


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_the_unit_is_valid_and_hardly_exposed(tmp_path: Path) -> None:
    unit = tmp_path / "slabtui.service"
    unit.write_text(UNIT.read_text().replace("@bin@/slabtui", sys.executable))
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning", "PAGER": "cat"}
    for command in (["verify", "--man=no"], ["security", "--offline=true"]):
        ended = subprocess.run(
            ["systemd-analyze", *command, unit],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), command
    found = re.search(r"Overall exposure level for slabtui.service: ([\d.]+)", ended.stdout)
    assert found is not None
    assert float(found[1]) < MOST_EXPOSED


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_with_the_capabilities_of_the_unit_records() -> None:
    """In a mount namespace in which /sys and /proc/sys cannot be written, as with ProtectKernelTunables."""
    with TemporaryDirectory() as directory:  # tmp_path is closed to others by each pytest that starts
        shutil.chown(directory, "nobody", "nogroup")
        ended = run_as_the_service(directory)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        found = replayed(Path(directory))
    assert len(found) == 3
    assert sum(one.allocs for one in found) > 0


def run_as_the_service(directory: str) -> "subprocess.CompletedProcess[str]":
    """Record three intervals to a directory, as a user with the capabilities of the unit."""
    granted = ",".join(
        f"+{name.removeprefix('CAP_').lower()}" for name in sorted(capabilities_of("AmbientCapabilities"))
    )
    sets = [f"--{one}=-all,{granted}" for one in ("inh-caps", "ambient-caps", "bounding-set")]
    user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *sets, "--no-new-privs", "setsid"]
    command = [sys.executable, "-m", "slabtui", "--record", f"{directory}/", "--output", "none", "-d", "0.2", "-n", "3"]
    script = (
        'for each in /sys /proc/sys; do mount --bind $each $each && mount -o remount,ro,bind $each; done; exec "$@"'
    )
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *user, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


# Run in the container as a unit. It waits for what is recorded, and leaves the status of the service after each step.
PROBE = """
export SYSTEMD_PAGER=cat
recording=/var/lib/slabtui
count() { /opt/bin/slabtui --replay $recording/ --output json 2>/dev/null | wc -l; }
wait_for() { for i in $(seq 100); do [ $(count) -gt $1 ] && return; sleep 0.2; done; journalctl -u slabtui; exit 1; }
segments() { ls $recording | grep -c zst; }
wait_for 2
echo booted $(systemctl show -P User slabtui) $(segments)
systemctl reload slabtui
wait_for $(($(count) + 2))
echo reloaded $(segments)
systemctl restart slabtui
wait_for $(($(count) + 2))
echo restarted $(segments)
kill -9 $(systemctl show -P MainPID slabtui)
sleep 0.5
echo killed $(systemctl show -P Result slabtui)
systemctl restart slabtui
wait_for $(($(count) + 2))
systemctl stop slabtui
echo stopped $(systemctl show -P Result slabtui) $(segments)
journalctl --quiet -o cat -u slabtui _COMM=python
"""


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("systemd-nspawn"), reason="needs root and systemd-nspawn")
@pytest.mark.skipif(
    sys.base_prefix.startswith(("/root/", "/home/")), reason="the service may not read this Python, in a home directory"
)
def test_the_service_starts_at_boot_reloads_and_survives_a_restart_and_a_kill(tmp_path: Path) -> None:
    """In a container: under a real systemd, with all of its restrictions."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "probe.sh").write_text(f"exec >/opt/out/log 2>&1\n{PROBE}")
    unit = tmp_path / "slabtui.service"
    unit.write_text(UNIT.read_text().replace("-d 10", "-d 0.5"))
    boot = ["sh", ROOT / "tests" / "support" / "boot.sh", tmp_path, unit, sys.prefix, ROOT]
    ended = subprocess.run(
        ["unshare", "--mount", "--cgroup", "--pid", "--fork", "--kill-child", *boot],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    log = (tmp_path / "out" / "log").read_text().splitlines()
    assert log == [
        "booted slabtui 1",
        "reloaded 2",
        "restarted 3",
        "killed signal",
        "stopped success 4",
    ]
