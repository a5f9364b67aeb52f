"""Paths of control groups as container runtimes, kubelet and systemd make them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.containers import Place, cut_to_place, find_place, write_place

ID = "3f1a2b3c4d5e" + "0123456789abcdef" * 3 + "0123"
UID = "0f9c6a1e-1b2c-4d3e-8f90-123456789abc"
UNDERSCORES = UID.replace("-", "_")
SHORT = ID[:12]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"/system.slice/docker-{ID}.scope", Place(SHORT)),
        (f"/docker/{ID}", Place(SHORT)),
        (f"/docker/{ID}/system.slice/cron.service", Place(SHORT, unit="cron.service")),
        (f"/machine.slice/libpod-{ID}.scope/container", Place(SHORT)),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope", Place(SHORT)),
        (
            f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UNDERSCORES}.slice/cri-containerd-{ID}.scope",
            Place(SHORT, UID),
        ),
        (f"/kubepods.slice/kubepods-pod{UNDERSCORES}.slice/crio-{ID}.scope", Place(SHORT, UID)),
        (f"/kubepods/besteffort/pod{UID}/{ID}", Place(SHORT, UID)),
        (f"/kubepods/pod{UID.replace('-', '')}/{ID}", Place(SHORT, UID)),
        (f"/kubepods.slice/kubepods-pod{UNDERSCORES}.slice", Place(pod=UID)),
        ("/lxc.payload.web", Place("web")),
        ("/lxc/web/init.scope", Place("web", unit="init.scope")),
        ("/machine.slice/systemd-nspawn@web.service/payload", Place("web")),
        ("/machine.slice/machine-qemu.scope", Place("qemu")),
        ("/system.slice/cron.service", Place(unit="cron.service")),
        (
            "/user.slice/user-0.slice/user@0.service/app.slice/run-7.scope",
            Place(unit="run-7.scope"),
        ),
        ("/init.scope", Place(unit="init.scope")),
        ("/", Place()),
        ("", Place()),
        ("/a/b", Place()),
        (f"/pod{UID}x/{ID}0", Place()),
    ],
)
def test_a_path_tells_the_container_the_pod_and_the_unit(path: str, place: Place) -> None:
    assert find_place(path) == place


@pytest.mark.parametrize(
    ("path", "width", "written"),
    [
        (f"/kubepods/pod{UID}/{ID}", 80, f"pod {UID} {SHORT}"),
        (f"/kubepods/pod{UID}/{ID}", 26, f"pod {UID[:8]} {SHORT}"),
        (f"/kubepods/pod{UID}/{ID}", 22, f"{UID[:8]} {SHORT}"),
        (f"/kubepods/pod{UID}/{ID}", 5, SHORT),
        (f"/kubepods/pod{UID}", 20, f"pod {UID[:8]}"),
        (f"/docker/{ID}", 20, SHORT),
        ("/system.slice/cron.service", 40, "/system.slice/cron.service"),
        ("/system.slice/cron.service", 20, "cron.service"),
        ("/a/b", 2, "/a/b"),
        ("", 9, ""),
    ],
)
def test_a_place_is_written_in_the_longest_form_that_fits(path: str, width: int, written: str) -> None:
    assert write_place(path, width) == written


@given(st.text(), st.integers(0, 200))
def test_any_path_has_a_place(path: str, width: int) -> None:
    place = find_place(path)
    assert all(part in path for part in (place.container, place.unit))
    assert write_place(path, width) or not path


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"/kubepods/pod{UID}/{ID}/system.slice/a.service", f"/kubepods/pod{UID}/{ID}"),
        (f"/docker/{ID}/docker/{ID}/init", f"/docker/{ID}/docker/{ID}"),
        ("/user.slice/user-7.slice/user@7.service/app.slice/dbus.service/worker", None),
        ("/lxc/box/init.scope", "/lxc/box"),
        (f"/kubepods/pod{UID}", f"/kubepods/pod{UID}"),
        ("/a/b", "/a/b"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_groups_below_a_container_or_a_unit_are_one_place(path: str, place: str | None) -> None:
    assert cut_to_place(path) == (path.rpartition("/")[0] if place is None else place)
