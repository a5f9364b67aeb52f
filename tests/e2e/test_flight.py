"""Recording without a screen, and the screen of another host: the program as a service, in a pipe and over ssh."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError
from slabtui.recording import segments
from slabtui.recording.sink import create
from tests.support.flight import day, replayed
from tests.support.recordings import write
from tests.support.terminal import PATIENCE, Terminal

SLABTUI = [sys.executable, "-m", "slabtui"]
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
MOST_MEMORY = 40 << 10  # KiB

# Runs slabtui, and prints which of these modules it has imported.
IMPORTS = """
import sys
from slabtui.cli.main import main
status = main(sys.argv[1:])
print(status, [name for name in ("urwid", "cattrs") if name in sys.modules])
"""


@contextmanager
def service(directory: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Record without a terminal, as a service does."""
    command = ["setsid", "env", "--default-signal=INT,HUP,QUIT", *SLABTUI, "--record", f"{directory}/"]
    command += ["--output", "none", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def number_of_snapshots(directory: Path) -> int:
    """Return how many a directory has; 0: not even the first one is whole yet."""
    try:
        return len(replayed(directory))
    except SlabtuiError:
        return 0


def wait_for_snapshots(directory: Path, number: int) -> None:
    end = time.monotonic() + PATIENCE
    while number_of_snapshots(directory) < number:
        assert time.monotonic() < end
        time.sleep(0.1)


def memory_of(process: int) -> int:
    """Return the largest resident memory of a process so far, in KiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


@pytest.mark.live
def test_a_service_records_prints_nothing_and_begins_a_segment_at_sighup(tmp_path: Path) -> None:
    directory = tmp_path / "flight"
    with service(directory, "-d", "0.2") as process:
        wait_for_snapshots(directory, 3)
        process.send_signal(signal.SIGHUP)
        before = len(replayed(directory))
        wait_for_snapshots(directory, before + 3)
        assert memory_of(process.pid) < MOST_MEMORY
        process.terminate()
        assert process.communicate(timeout=20) == (b"", b"")
        assert process.returncode == 128 + signal.SIGTERM
    assert len(segments.names(directory)) == 2
    assert not (directory / "slabtui-index.new").exists()
    found = replayed(directory)
    assert len(found) > before + 3  # the interval that had begun is recorded, too
    assert not [one.notes for one in found if one.notes]


@pytest.mark.live
def test_in_a_terminal_sighup_still_ends_a_recording(tmp_path: Path) -> None:
    directory = tmp_path / "flight"
    command = [*SLABTUI, "--record", f"{directory}/", "--output", "none", "-d", "0.2"]
    with Terminal(command) as terminal:
        wait_for_snapshots(directory, 2)
        os.kill(terminal.pid, signal.SIGHUP)
        assert terminal.wait_for_exit() == 128 + signal.SIGHUP
        assert terminal.output == b""
    assert len(replayed(directory)) > 2


@pytest.mark.live
def test_recording_alone_needs_no_screen(tmp_path: Path) -> None:
    command = [sys.executable, "-c", IMPORTS, "--record", f"{tmp_path}/", "--output", "none", "-d", "0.2", "-n", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (ended.stdout, ended.stderr) == ("0 []\n", "")


@pytest.mark.live
def test_a_stream_ends_with_its_reader() -> None:
    recording = subprocess.Popen(
        [*SLABTUI, "--record", "-", "-d", "0.2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with recording:
        assert recording.stdout is not None
        assert recording.stderr is not None
        assert json.loads(recording.stdout.readline())["schema"] == "slabtui/2"
        recording.stdout.close()
        assert recording.wait(PATIENCE) == 128 + signal.SIGPIPE
        assert recording.stderr.read() == b""


@pytest.mark.live
def test_a_full_device_takes_no_stream_and_the_remedy_is_another_one() -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [*SLABTUI, "--record", "-", "-d", "0.2"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=PATIENCE
        )
    complaint = "slabtui: recording stopped: No space left on device: write it to a file or a pipe with room\n"
    assert (ended.returncode, ended.stderr.decode()) == (1, complaint)


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_a_full_disk_keeps_no_file_that_has_no_interval(tmp_path: Path) -> None:
    script = (
        f"mount -t tmpfs -o size=4k none {tmp_path} && head -c 4k /dev/zero >{tmp_path}/other && "
        f"{' '.join(SLABTUI)} --record {tmp_path}/new.gz --output none -d 0.2; echo $?; ls {tmp_path}"
    )
    ended = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    complaint = "slabtui: recording stopped: No space left on device: free some space, or record elsewhere\n"
    assert (ended.stdout, ended.stderr) == ("1\nother\n", complaint)


def test_a_stream_does_not_go_to_a_terminal() -> None:
    with Terminal([*SLABTUI, "--record", "-"], size=(160, 24)) as terminal:
        assert terminal.wait_for_exit() == 2
        assert b"--record - does not write to a terminal" in terminal.output


@pytest.mark.live
def test_a_stream_is_the_screen_of_another_host() -> None:
    slabtui = " ".join(SLABTUI)
    with Terminal(["sh", "-c", f"{slabtui} --record - -d 0.3 | {slabtui} --replay -"]) as terminal:
        terminal.wait_for(lambda: "kmalloc" in terminal.text)
        before = terminal.text
        terminal.wait_for(lambda: terminal.text != before)  # it goes on
        terminal.type("?")
        terminal.wait_for(lambda: "screen" in terminal.text.lower())
        terminal.type("qq")
        assert terminal.wait_for_exit() == 0


def test_an_interval_adds_up_the_intervals_of_a_stream(tmp_path: Path) -> None:
    """Those that come faster than they are printed are merged anyway: send them slowly."""
    given = list(day(3, 40))
    write(create(tmp_path / "a"), given)
    command, pipe = [*SLABTUI, "--replay", "-", "100", "--output", "json"], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdin
        assert process.stdout
        for line in (tmp_path / "a").read_bytes().splitlines(keepends=True):
            process.stdin.write(line)
            process.stdin.flush()
            time.sleep(0.05)
        process.stdin.close()
        sums = [json.loads(line) for line in process.stdout]
    assert process.returncode == 0
    assert len(sums) <= 5
    assert sum(one["elapsed_s"] for one in sums) == sum(one.elapsed for one in given)


@contextmanager
def sshd(place: Path) -> Iterator[str]:
    """Start an SSH server with keys of its own, and yield the directory of an `ssh` that knows it as `testhost`."""
    assert SSHD is not None
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True)
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its code demands it
    (place / "sshd_config").write_text(
        f"HostKey {place}/host\nAuthorizedKeysFile {place}/user.pub\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        f"SetEnv PATH={place}/bin:{os.environ['PATH']} PYTHONPATH={os.environ.get('PYTHONPATH') or os.getcwd()}\n"
    )
    (place / "bin").mkdir()
    (place / "bin" / "slabtui").write_text(f'#!/bin/sh\nexec {" ".join(SLABTUI)} "$@"\n')
    # The server speaks over the pipe of the client, so that it needs no port.
    (place / "ssh_config").write_text(
        f"Host testhost\n  ProxyCommand {SSHD} -i -e -f {place}/sshd_config 2>{place}/log\n  User {getuser()}\n"
        f"  IdentityFile {place}/user\n  IdentitiesOnly yes\n  StrictHostKeyChecking no\n"
        f"  UserKnownHostsFile {place}/known\n  LogLevel ERROR\n"
    )
    (place / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {place}/ssh_config "$@"\n')
    for script in (place / "bin").iterdir():
        script.chmod(0o755)
    yield f"{place}/bin"


@pytest.mark.live
@pytest.mark.skipif(SSHD is None, reason="openssh-server is not installed")
def test_another_host_is_shown_over_ssh(tmp_path: Path) -> None:
    with sshd(tmp_path) as directory:
        path = {"PATH": f"{directory}:{os.environ['PATH']}"}
        with Terminal([*SLABTUI, "--ssh", "testhost", "-d", "0.3"], env=path) as terminal:
            terminal.wait_for(lambda: "kmalloc" in terminal.text)
            terminal.wait_for(lambda: "every 0.3 s" in terminal.text)
            assert "STREAM" in terminal.lines[0]
            terminal.type("q")
            assert terminal.wait_for_exit() == 0
        command = [*SLABTUI, "--output", "json", "--ssh", "testhost", "--sort", "$(touch x)"]
        ended = subprocess.run(
            command, env={**os.environ, **path}, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert ended.stderr.startswith("slabtui: testhost: argument -s/--sort: no column '$(touch x)': choose one of")
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'ssh: no such host' >&2; exit 255", "web1: ssh: no such host: try ssh web1 true"),
        (
            "printf 'a\\nsudo: \\033[2Ja password is required\\n' >&2; exit 1",
            "web1: sudo: \\x1b[2Ja password is required: try",
        ),
        ("exit 127", "web1: ssh ended with status 127: try ssh web1 slabtui --version"),
        ("exit 0", "the stream has no snapshot in it"),
        ("echo x", "web1, line 1: not JSON"),
    ],
)
def test_what_fails_on_the_way_to_another_host_is_one_line(tmp_path: Path, script: str, why: str) -> None:
    (tmp_path / "ssh").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "ssh").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [*SLABTUI, "--output", "json", "--ssh", "web1"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert ended.stderr.startswith(f"slabtui: {why}")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
