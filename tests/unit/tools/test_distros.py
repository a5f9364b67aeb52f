"""The tests of other distributions, without a run: choice of releases, settings, results, steps and the page."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError, Status
from tests.tools.distros import host, installs, page, results, steps, suites
from tests.tools.distros.results import WAYS, Child, Result, Start
from tests.tools.distros.steps import StepError, Steps
from tests.tools.kernels.results import LiveTests

OLD, _, NEW, _ = suites.SUITES
GOOD = Result(
    NEW,
    seconds=290.0,
    python="3.13.5",
    bcc="0.31.0",
    start=Start(first=24.4, again=1.76),
    tests=LiveTests(1461, (), 0),
    installs=dict.fromkeys(WAYS, ()),
)
REFUSED = Result(
    OLD,
    python="3.9.2",
    bcc="0.18.0",
    refusal="slabtui needs Python 3.11; Debian 11 has 3.9",
    child=Child("3.11.7", LiveTests(48, (), 0)),
)
IN_A_ROOT = """
import subprocess, sys
from pathlib import Path
from tests.tools.distros import root

root.leave_mounts()
place = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
with root.Root([Path("/")], place / "used") as used:
    subprocess.run(used.command("sh", "-c", "env | sort >/written; grep -c : /proc/net/dev >>/written", network=False))
    left = subprocess.Popen(used.command("sh", "-c", "echo; exec setsid --wait sleep 1000"), stdout=subprocess.PIPE)
    left.stdout.readline()  # it is in there
print(left.wait(20), Path("/written").exists(), str(used.path) in Path("/proc/mounts").read_text())
print((used.written / "written").read_text(), end="")
"""


# --- which releases


def test_the_releases_named_are_chosen_in_the_order_of_the_page() -> None:
    assert [suite.name for suite in suites.choose(["sid", "12"])] == ["12", "sid"]
    assert suites.choose([]) == suites.SUITES


def test_an_unknown_release_is_wrong_usage() -> None:
    with pytest.raises(SlabtuiError, match="no release 9 is tested: use 11, 12, 13, sid") as found:
        suites.choose(["13", "9"])
    assert found.value.status is Status.USAGE


# --- the settings of this machine


def test_only_what_apt_needs_for_the_network_is_carried_over() -> None:
    dump = "\n".join(
        (
            'APT::Sandbox::User "root";',
            'Acquire::Check-Valid-Until "false";',
            'Acquire::Languages "none";',
            'Acquire::http::Proxy "http://proxy.example:3128";',
        )
    )
    assert host.apt_settings(dump, {}).splitlines() == dump.splitlines()[1::2]
    assert host.apt_settings("", {"https_proxy": "http://a.example"}) == 'Acquire::https::Proxy "http://a.example";\n'


def test_pip_s_settings_are_carried_over_without_paths_of_this_machine() -> None:
    listed = "\n".join(
        (
            ":env:.find-links='/wheels'",
            ":env:.timeout='180'",
            "global.cert='/here/only.pem'",
            "global.constraint='/here/constraints.txt'",
            "global.extra-index-url='file:///simple https://mirror.example/simple'",
            "global.index-url='/simple'",
            "global.timeout='5'",
            "install.user='true'",
        )
    )
    assert host.pip_settings(listed, {}).splitlines() == [
        "[global]",
        "timeout = 180",
        "cert = /etc/ssl/certs/ca-certificates.crt",
        "extra-index-url = https://mirror.example/simple",
    ]


def test_pip_s_own_proxy_comes_before_that_of_the_environment() -> None:
    environment = {"https_proxy": "http://environment.example"}
    assert "proxy = http://environment.example\n" in host.pip_settings("", environment)
    assert "environment" not in host.pip_settings("global.proxy='http://own.example'", environment)


def test_the_wheels_to_download_are_those_that_the_project_names() -> None:
    project = '[build-system]\nrequires = ["builder>=1"]\n[project]\ndependencies = ["urwid>=5.1"]\n'
    assert installs.requirements(project) == ["pip", "uv", "builder>=1", "urwid>=5.1"]


# --- results


def test_a_good_result_has_no_fault() -> None:
    assert results.faults(GOOD) == []
    assert results.faults(REFUSED) == []


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (replace(GOOD, tests=LiveTests(5, ("test_x",), 0)), "sudo make test: failed: test_x"),
        (replace(GOOD, tests=LiveTests(0, (), 9)), "sudo make test: no test ran"),
        (replace(GOOD, troubles=("sudo make run: status 2 (x)",)), "sudo make run: status 2 (x)"),
        (replace(GOOD, installs={"deb": ("demo: x",)}), "deb: demo: x"),
        (replace(REFUSED, child=Child("3.11.7", LiveTests(0, (), 0))), "as a child process: no test ran"),
    ],
)
def test_each_fault_is_reported(result: Result, fault: str) -> None:
    assert results.faults(result) == [fault]
    assert fault in rendered(result)


def test_without_a_dist_every_product_is_missing(tmp_path: Path) -> None:
    for way in installs.ALL:
        found, trouble = installs.product(tmp_path, way.product)
        assert found is None
        assert trouble == f"`make dist` left 0 files dist/{way.product} instead of one"


def test_a_product_that_is_there_twice_is_ambiguous(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "a-1.whl").touch()
    assert installs.product(tmp_path, "*.whl") == (tmp_path / "dist" / "a-1.whl", "")
    (tmp_path / "dist" / "a-2.whl").touch()
    assert installs.product(tmp_path, "*.whl") == (None, "`make dist` left 2 files dist/*.whl instead of one")


# --- the page


def rendered(*found: Result) -> str:
    return page.render(found, date="2026-01-31", command="make it", machine="Linux 6.18")


def test_the_page_has_the_figures_of_the_run_and_nothing_else() -> None:
    text = rendered(GOOD)
    assert "Written on 2026-01-31 by `make it`, with the results of that run; Linux 6.18." in text
    works = " | ".join(["works"] * len(WAYS))
    assert f"| Debian 13 | 0.31.0 | 3.13.5 | 24 s | 1.8 s | 1461 / 0 / 0 | {works} | - |" in text.splitlines()


def test_a_way_that_fails_is_in_its_column_and_in_the_notes() -> None:
    row = rendered(replace(GOOD, installs={"pyz": (), "deb": ("man slabtui: a|b",)})).splitlines()[-1]
    assert row.endswith(r"| works | fails | - | - | - | deb: man slabtui: a\|b |")


def test_a_release_that_is_refused_is_in_the_table_with_the_line_and_its_child() -> None:
    row = rendered(REFUSED).splitlines()[-1]
    assert row.startswith("| Debian 11 | 0.18.0 | 3.9.2 | - | - | - |")
    assert "refused before anything is installed: slabtui needs Python 3.11; Debian 11 has 3.9" in row
    assert "its Python and bcc as the child of Python 3.11.7: live tests 48 / 0 / 0" in row


def test_a_release_that_left_nothing_is_in_the_table() -> None:
    assert rendered(Result(NEW)).splitlines()[-1] == f"| Debian 13 |{' - |' * (6 + len(WAYS))}"


# --- steps; a shell plays the root


def test_a_step_returns_what_is_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    assert steps.run(["sh", "-c", "echo out; echo err >&2"], log, seconds=10) == "out\nerr\n"
    assert log.read_text() == "out\nerr\n"


def test_a_step_that_fails_is_reported_with_its_last_words(tmp_path: Path) -> None:
    done = Steps()
    assert done.run("one", lambda: steps.run(["sh", "-c", "echo bad; exit 3"], tmp_path / "a", seconds=10)) is None
    assert done.run("two", lambda: steps.run(["false"], tmp_path / "b", seconds=10)) is None
    assert done.run("three", lambda: steps.run(["false"], tmp_path / "c", seconds=10, statuses=(1,))) == ""
    assert done.troubles == ["one: status 3 (bad)", "two: status 1 (it printed nothing)"]


def test_what_make_adds_when_a_command_fails_is_left_out() -> None:
    output = "one\n\n two  \nmake: *** [Makefile:9: run] Error 1\n"
    assert steps.words(output) == ["one", "two"]
    assert steps.last_words(output) == "two"


def test_a_step_that_hangs_is_ended_in_time(tmp_path: Path) -> None:
    begin = time.monotonic()
    with pytest.raises(StepError, match="still running after 1 s"):
        steps.run(["sleep", "60"], tmp_path / "a", seconds=1)
    assert time.monotonic() - begin < 10


def test_what_is_not_seen_in_a_terminal_is_reported_and_the_screen_logged(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with pytest.raises(StepError, match=r"not seen within 0.5 s; the screen: \(hello\)"):
        steps.watch(["sh", "-c", "echo hello; sleep 60"], log, lambda at: at.wait_for(lambda: "bye" in at.text, 0.5))
    assert log.read_text().startswith("hello")


# --- a root, with this machine's own files below


@pytest.mark.live
def test_a_root_keeps_what_is_written_apart_and_leaves_neither_process_nor_mount(tmp_path: Path) -> None:
    command = [sys.executable, "-c", IN_A_ROOT, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.splitlines() == [
        f"{-signal.SIGKILL} False False",
        "HOME=/root",
        "LANG=C.UTF-8",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PWD=/",
        "TERM=xterm-256color",
        "1",  # network interface: the loopback
    ]
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
