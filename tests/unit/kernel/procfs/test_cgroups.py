"""Control groups: where they are mounted, which path belongs to an id, which directory to a path."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError, Status
from slabtui.kernel.procfs import cgroups
from slabtui.kernel.procfs.cgroups import Group, Groups, hierarchy, shows_all

ROOT = "24 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
OLD = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
NEW = "35 24 0:30 / {} rw,nosuid,nodev,noexec,relatime shared:9 master:3 - cgroup2 cgroup2 rw,nsdelegate\n"
TRICK = "36 24 0:31 / /cgroup2 rw - tmpfs cgroup2 rw\n"


@pytest.mark.parametrize(
    ("mountinfo", "found"),
    [
        (ROOT + OLD + NEW.format("/sys/fs/cgroup/unified"), "/sys/fs/cgroup/unified"),
        (ROOT + NEW.format("/sys/fs/cgroup") + NEW.format("/mnt"), "/sys/fs/cgroup"),
        (TRICK + NEW.format(r"/mnt/with\040two\040spaces"), "/mnt/with two spaces"),
        (ROOT + OLD + TRICK, None),
        ("", None),
    ],
)
def test_the_unified_hierarchy_is_where_it_is_mounted(tmp_path: Path, mountinfo: str, found: str | None) -> None:
    (tmp_path / "mountinfo").write_text(mountinfo)
    assert hierarchy(tmp_path / "mountinfo") == (found and Path(found))


def test_a_mount_point_need_not_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_bytes(NEW.format("/mnt/X").encode().replace(b"X", b"\xff"))
    found = hierarchy(tmp_path / "mountinfo")
    assert found is not None
    assert os.fsencode(found) == b"/mnt/\xff"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return the root of an artificial hierarchy."""
    root = tmp_path / "cgroup"
    for path in ("system.slice/cron.service", "user.slice", "e\x1b[2Jvil"):
        (root / path).mkdir(parents=True)
    (root / "cgroup.procs").write_text("1\n")
    return root


def inode(path: Path) -> int:
    return path.stat().st_ino


def test_the_path_of_an_id_is_that_of_the_directory_with_that_inode(tree: Path) -> None:
    groups = Groups(tree)
    assert groups.find(inode(tree))[0] == ""
    groups.learn({inode(tree)})
    assert groups.find(inode(tree))[0] == "/"
    assert groups.find(inode(tree / "system.slice" / "cron.service"))[0] == "/system.slice/cron.service"
    assert groups.find(inode(tree / "e\x1b[2Jvil"))[0] == r"/e\x1b[2Jvil"
    assert groups.find(inode(tree / "cgroup.procs"))[0] == ""


def test_a_group_that_comes_later_is_learnt_when_it_is_asked_for(tree: Path) -> None:
    groups = Groups(tree)
    groups.learn({inode(tree)})
    (tree / "late").mkdir()
    groups.learn({inode(tree), inode(tree / "late")})
    assert groups.find(inode(tree / "late"))[0] == "/late"


def test_an_id_that_is_gone_is_searched_for_once(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[Path] = []
    walk = os.walk
    monkeypatch.setattr(cgroups.os, "walk", lambda root: walks.append(root) or walk(root))
    groups = Groups(tree)
    for _ in range(3):
        groups.learn({2**63, inode(tree)})
    assert groups.find(2**63)[0] == ""
    assert walks == [tree]


def test_a_group_that_is_removed_keeps_its_path(tree: Path) -> None:
    groups = Groups(tree)
    group = tree / "system.slice" / "cron.service"
    number = inode(group)
    groups.learn({number})
    assert groups.find(number) == ("/system.slice/cron.service", False)
    remake(group)
    for _ in range(2):
        groups.learn({number, inode(group)})
        assert groups.find(number) == ("/system.slice/cron.service", True)
        assert groups.find(inode(group)) == ("/system.slice/cron.service", False)


@pytest.mark.parametrize(("whole", "removed"), [(True, True), (False, None)])
def test_a_group_that_is_nowhere_is_removed_unless_it_may_be_out_of_sight(
    tree: Path, monkeypatch: pytest.MonkeyPatch, whole: bool, removed: bool | None
) -> None:
    monkeypatch.setattr(cgroups, "shows_all", lambda: whole)
    groups = Groups(tree)
    groups.learn({2**63})
    assert groups.find(2**63) == ("", removed)


@pytest.mark.parametrize(
    ("root", "first", "whole"), [("/", True, True), ("/docker/a", True, False), ("/", False, False)]
)
def test_a_hierarchy_is_whole_outside_of_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str, first: bool, whole: bool
) -> None:
    namespace = tmp_path / "namespace"
    namespace.touch()
    (tmp_path / "mountinfo").write_text(NEW.format("/sys/fs/cgroup").replace(" / ", f" {root} ", 1))
    monkeypatch.setattr(cgroups, "_FIRST_NAMESPACE", inode(namespace) if first else 0)
    assert shows_all(tmp_path / "mountinfo", namespace) is whole
    assert not shows_all(tmp_path / "mountinfo", tmp_path / "none")


def test_without_a_hierarchy_every_path_is_unknown() -> None:
    groups = Groups(None)
    groups.learn({1, 2})
    assert groups.find(1) == groups.find(3) == ("", None)


def test_a_group_is_opened_by_its_path_below_the_root_or_by_its_directory(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "hierarchy", lambda: tree)
    wanted = inode(tree / "user.slice")
    for path in (Path("/user.slice"), Path("user.slice"), tree / "user.slice"):
        group = Group(path)
        try:
            assert os.fstat(group.descriptor).st_ino == wanted
            assert not os.get_inheritable(group.descriptor)
        finally:
            group.close()


@pytest.mark.parametrize("path", ["/no/such/group", "/cgroup.procs", "nu\0ll", "/" + "x" * 5000])
@pytest.mark.parametrize("mounted", [True, False])
def test_what_is_no_group_is_wrong_usage(tree: Path, monkeypatch: pytest.MonkeyPatch, path: str, mounted: bool) -> None:
    monkeypatch.setattr(cgroups, "hierarchy", lambda: tree if mounted else None)
    with pytest.raises(
        SlabtuiError, match=r"^no control group .*: see systemd-cgls, or cat /proc/PID/cgroup$"
    ) as raised:
        Group(Path(path))
    assert raised.value.status == Status.USAGE


@pytest.fixture
def group(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Group]:
    """Return the group of an artificial directory; real ones are in test_inspect.py."""
    monkeypatch.setattr(cgroups, "hierarchy", lambda: tree)
    found = Group(Path("/user.slice"))
    yield found
    found.close()


def remake(path: Path) -> None:
    """Put another directory in the place of one: beside it, since a file system may use an inode again at once."""
    (path.parent / "new").mkdir()
    path.rmdir()
    (path.parent / "new").rename(path)


def test_a_group_that_stays_has_no_note(group: Group) -> None:
    assert not group.follow()
    assert group.notes == ()


def test_a_group_that_is_gone_is_said_to_be(group: Group, tree: Path) -> None:
    (tree / "user.slice").rmdir()
    for _ in range(2):
        assert not group.follow()
        assert group.notes == ("control group gone: /user.slice",)


def test_a_group_that_is_created_again_has_the_same_descriptor(group: Group, tree: Path) -> None:
    descriptor = group.descriptor
    remake(tree / "user.slice")
    assert group.follow()
    assert group.descriptor == descriptor
    assert os.fstat(descriptor).st_ino == inode(tree / "user.slice")
    assert not os.get_inheritable(descriptor)
    returned = ("control group created again: /user.slice; its first allocations may be missing",)
    assert group.notes == returned
    assert not group.follow()
    assert group.notes == returned
    (tree / "user.slice").rmdir()
    assert not group.follow()
    assert group.notes == ("control group gone: /user.slice",)


def test_what_is_no_group_in_its_place_is_said_to_be_none_until_one_comes(group: Group, tree: Path) -> None:
    remake(tree / "user.slice")
    assert group.follow()
    group.refuse()
    for _ in range(2):
        assert group.notes == ("control group gone: another directory is at /user.slice",)
        assert not group.follow()
    remake(tree / "user.slice")
    assert group.follow()
    assert group.notes == ("control group created again: /user.slice; its first allocations may be missing",)


def test_the_name_of_a_group_is_harmless_in_a_note(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "hierarchy", lambda: tree)
    group = Group(Path("/e\x1b[2Jvil"))
    (tree / "e\x1b[2Jvil").rmdir()
    assert not group.follow()
    assert group.notes == (r"control group gone: /e\x1b[2Jvil",)
    group.close()


def test_a_long_path_loses_its_middle_in_a_note(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "hierarchy", lambda: tree)
    scope = f"docker-{'0123456789abcdef' * 4}.scope"
    (tree / "system.slice" / scope).mkdir()
    group = Group(Path("/system.slice", scope))
    (tree / "system.slice" / scope).rmdir()
    assert not group.follow()
    assert group.notes == ("control group gone: /system.sl...56789abcdef.scope",)
    group.close()
