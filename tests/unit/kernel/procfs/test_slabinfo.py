"""Reads /proc/slabinfo and /sys/kernel/slab, valid and invalid ones."""

import errno
import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.errors import SlabtuiError, Status
from slabtui.kernel.procfs.slabinfo import LIST_EVERY, SLABINFO, Parser, Slab, Slabinfo, demand
from slabtui.model.inspection import About

PAGE = resource.getpagesize()
HEADING = """\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> \
<sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
"""
TAIL = ": tunables    0    0    0 : slabdata"
DENTRY = f"dentry            194172 194376    192   21    1 {TAIL}   9256   9256      0\n"
BIG = f"kmalloc-8k           112    116   8192    4    8 {TAIL}     29     29      0\n"
EMPTY = f"btrfs_ordered_extent      0      0    416   19    2 {TAIL}      0      0      0\n"
FOUND = {
    "dentry": Slab(194172, 192, 21, 9256 * PAGE),
    "kmalloc-8k": Slab(112, 8192, 4, 29 * 8 * PAGE),
    "btrfs_ordered_extent": Slab(0, 416, 19, 0),
}


def slabinfo_of(*lines: str) -> bytes:
    return (HEADING + "".join(lines)).encode()


def test_a_line_has_the_live_objects_their_size_and_the_memory_of_all_slabs() -> None:
    assert Parser().parse(slabinfo_of(DENTRY, BIG, EMPTY)) == FOUND
    assert Parser().parse(slabinfo_of()) == {}


def test_duplicate_names_are_dropped() -> None:
    assert Parser().parse(slabinfo_of(DENTRY, BIG, DENTRY.replace("194172", "7"))) == {
        "kmalloc-8k": FOUND["kmalloc-8k"]
    }
    assert Parser().parse(slabinfo_of(DENTRY, DENTRY, DENTRY)) == {}


def test_a_line_that_was_there_before_is_not_parsed_again_and_a_line_that_differs_in_anything_is() -> None:
    parser = Parser()
    first = parser.parse(slabinfo_of(DENTRY, BIG))
    for changed in (
        DENTRY.replace("194172", "194173"),
        DENTRY.replace("  9256", "  9257"),
        DENTRY.replace("192", "256"),
    ):
        again = parser.parse(slabinfo_of(changed, BIG))
        assert again == Parser().parse(slabinfo_of(changed, BIG))
        assert again["dentry"] != first["dentry"]
        assert again["kmalloc-8k"] is first["kmalloc-8k"]
    assert parser.parse(slabinfo_of(BIG, DENTRY)) == first


def test_a_listing_that_is_refused_changes_nothing_of_the_next() -> None:
    parser = Parser()
    first = parser.parse(slabinfo_of(DENTRY))
    with pytest.raises(ValueError, match="line 4"):
        parser.parse(slabinfo_of(DENTRY, "nothing\n"))
    assert parser.parse(slabinfo_of(DENTRY))["dentry"] is first["dentry"]


def test_the_flag_is_asked_for_once_while_a_cache_is_listed_and_again_when_it_was_created_again() -> None:
    flags = {"dentry": True}
    parser = Parser(flags.get)
    assert parser.parse(slabinfo_of(DENTRY))["dentry"].reclaimable is True
    flags["dentry"] = False
    assert parser.parse(slabinfo_of(DENTRY.replace("9256", "9257")))["dentry"].reclaimable is True
    assert "dentry" not in parser.parse(slabinfo_of(BIG))
    assert parser.parse(slabinfo_of(DENTRY))["dentry"].reclaimable is False


def test_names_may_have_spaces_and_anything_in_them() -> None:
    odd = DENTRY.replace("dentry ", "my own : cache 1 ").encode() + b"\x1b[2J\xff" + DENTRY.encode()[6:]
    assert list(Parser().parse(HEADING.encode() + odd)) == ["my own : cache 1", r"\x1b[2J\xff"]


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b"\n",
        b"slabinfo - version: 2.1",
        b"slabinfo - version: 2.0\n#\n",
        b"slabinfo - version: 2.1 (statistics)\n#\n",
        HEADING.encode() + b"dentry\n",
        HEADING.encode() + b"\n",
        HEADING.encode() + b"dentry 1 2 3 4 5\n",
        HEADING.encode() + b"dentry 1 2 3 4 5 :\n",
        HEADING.encode() + DENTRY.replace("194172", "many").encode(),
        HEADING.encode() + DENTRY.replace("9256      0", "x      0").encode(),
    ],
)
def test_what_is_something_else_is_refused(found: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  its text does not matter here
        Parser().parse(found)


@given(st.binary(max_size=300) | st.lists(st.sampled_from([b"1", b"a", b":", b" ", b"\n", b"0x1", b"-"])).map(b"".join))
def test_no_garbage_is_anything_but_refused_or_read(garbage: bytes) -> None:
    for found in (garbage, HEADING.encode() + garbage):
        try:
            assert all(isinstance(slab, Slab) for slab in Parser().parse(found).values())
        except ValueError:
            continue


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True),
        st.tuples(*[st.integers(0, 2**40)] * 2, st.integers(1, 2**20), st.integers(1, 2**10), st.integers(0, 2**30)),
        max_size=5,
    )
)
def test_what_the_kernel_prints_is_read_back(caches: dict[str, tuple[int, int, int, int, int]]) -> None:
    lines = [
        f"{name:<17} {live:6} {live + spare:6} {size:6} {objects:4} {1:4} : tunables {0:4} {0:4} {0:4}"
        f" : slabdata {slabs:6} {slabs:6} {0:6}\n"
        for name, (live, spare, size, objects, slabs) in caches.items()
    ]
    assert Parser().parse(slabinfo_of(*lines)) == {
        name: Slab(live, size, objects, slabs * PAGE) for name, (live, _, size, objects, slabs) in caches.items()
    }


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return a slabinfo and a sysfs of three caches, of which two share one that has another name too."""
    slabinfo, sysfs = tmp_path / "slabinfo", tmp_path / "slab"
    slabinfo.write_bytes(slabinfo_of(DENTRY, BIG))
    sysfs.mkdir()
    for directory in (":a-0000192", ":aA-0000064", "kmalloc-8k", ":0000032"):
        (sysfs / directory).mkdir()
    for name, target in (
        ("dentry", ":a-0000192"),
        ("zwilling", ":a-0000192"),
        ("an_alias", ":a-0000192"),
        ("cred_jar", ":aA-0000064"),
        ("lost_one", ":0000032"),
        ("lost_two", ":0000032"),
        ("elsewhere", "kmalloc-8k"),
    ):
        (sysfs / name).symlink_to(target)
    for file, value in {
        "object_size": "184",
        "slab_size": "192",
        "objs_per_slab": "21",
        "order": "1",
        "slabs": "25 N0=12 N1=13",
        "reclaim_account": "1",
        "hwcache_align": "1",
        "destroy_by_rcu": "0",
        "poison": "0",
        "sheaf_capacity": "28",
    }.items():
        (sysfs / ":a-0000192" / file).write_text(f"{value}\n")
    return slabinfo, sysfs


def test_the_file_is_read_every_time(files: tuple[Path, Path]) -> None:
    slabs = Slabinfo(*files)
    assert slabs.read() == {
        "dentry": replace(FOUND["dentry"], reclaimable=True),  # its directory says so
        "kmalloc-8k": FOUND["kmalloc-8k"],  # it has none
    }
    with files[0].open("w") as same:
        same.write(slabinfo_of(BIG).decode())
    assert slabs.read() == {"kmalloc-8k": FOUND["kmalloc-8k"]}
    assert slabs.trouble == ""
    slabs.close()


def test_a_slabinfo_longer_than_one_read_is_read_whole(files: tuple[Path, Path]) -> None:
    files[0].write_bytes(slabinfo_of(*(DENTRY.replace("dentry", f"cache-{n}") for n in range(3000))))
    slabs = Slabinfo(*files)
    assert len(slabs.read()) == 3000
    slabs.close()


def test_the_other_names_of_a_cache_are_found_by_the_one_that_slabinfo_lists(files: tuple[Path, Path]) -> None:
    slabs = Slabinfo(*files)
    assert slabs.aliases({"dentry", "cred_jar", "kmalloc-8k"}) == {"dentry": ("an_alias", "zwilling")}
    slabs.close()


def test_aliases_come_and_go_with_their_links(files: tuple[Path, Path]) -> None:
    slabs = Slabinfo(*files)
    slabs.aliases({"dentry"})
    (files[1] / "zwilling").unlink()
    (files[1] / "n\x1bw").symlink_to(":a-0000192")
    changed = {"dentry": ("an_alias", r"n\x1bw")}
    assert changed in [slabs.aliases({"dentry"}) for _ in range(LIST_EVERY)]
    (files[1] / "zwilling").symlink_to(":a-0000192")
    assert slabs.aliases({"dentry", "cred_jar"}) == {"dentry": ("an_alias", r"n\x1bw", "zwilling")}  # another set
    slabs.close()


def test_all_that_the_kernel_says_of_a_cache(files: tuple[Path, Path]) -> None:
    slabs = Slabinfo(*files)
    found = slabs.about("dentry", FOUND["dentry"], ("an_alias",))
    assert found == About(
        aliases=("an_alias",),
        object_size=184,
        size=192,
        objects_per_slab=21,
        slab_bytes=2 * PAGE,
        flags=("reclaimable", "cache aligned"),
        nodes=((0, 12), (1, 13)),
        live=194172,
        mem=9256 * PAGE,
    )
    unlisted = slabs.about("zwilling", None, ())
    assert (unlisted.size, unlisted.objects_per_slab, unlisted.live, unlisted.mem) == (192, 21, None, None)
    slabs.close()


def test_an_accounted_cache_is_recognised_by_the_name_of_its_directory(files: tuple[Path, Path]) -> None:
    slabs = Slabinfo(*files)
    assert slabs.about("cred_jar", None, ()).flags == ("accounted",)
    assert slabs.about("kmalloc-8k", None, ()).flags == ()
    slabs.close()


@pytest.mark.parametrize(
    ("slabs", "nodes"),
    [("0", ()), ("", ()), ("3 N0=3", ((0, 3),)), ("x N=1 Nx=1 N1=x N1 N2=2 3=4=5", ((2, 2),)), ("1 N0=-1", ())],
)
def test_nodes_are_those_that_can_be_read(
    files: tuple[Path, Path], slabs: str, nodes: tuple[tuple[int, int], ...]
) -> None:
    (files[1] / "dentry" / "slabs").write_text(slabs)
    found = Slabinfo(*files)
    assert found.about("dentry", None, ()).nodes == nodes
    found.close()


@pytest.mark.parametrize("value", [b"", b"many", b"-1", b"\xff\xfe", b"1.5", "\u0661".encode()])
def test_what_is_no_number_is_left_out(files: tuple[Path, Path], value: bytes) -> None:
    for file in ("object_size", "order", "sheaf_capacity"):
        (files[1] / "dentry" / file).write_bytes(value)
    slabs = Slabinfo(*files)
    found = slabs.about("dentry", None, ())
    assert (found.object_size, found.slab_bytes) == (None, None)
    assert slabs.count_hidden("dentry", partial_by_objects=False) == 0
    slabs.close()


def test_objects_in_sheaves_of_every_cpu_may_be_hidden(files: tuple[Path, Path]) -> None:
    slabs = Slabinfo(*files)
    assert slabs.count_hidden("dentry", partial_by_objects=False) == 28 * (3 * (os.cpu_count() or 1) + 20)
    assert slabs.count_hidden("kmalloc-8k", partial_by_objects=False) == 0
    assert slabs.count_hidden("not there", partial_by_objects=False) == 0
    slabs.close()


def test_objects_in_the_partial_slabs_of_every_cpu_may_be_hidden_on_older_kernels(files: tuple[Path, Path]) -> None:
    directory = files[1] / "kmalloc-8k"
    (directory / "cpu_partial").write_text("30\n")
    (directory / "objs_per_slab").write_text("4\n")
    slabs = Slabinfo(*files)
    assert slabs.count_hidden("kmalloc-8k", partial_by_objects=True) == 30 * 4 * (os.cpu_count() or 1)
    assert slabs.count_hidden("kmalloc-8k", partial_by_objects=False) == 0
    assert slabs.count_hidden("not there", partial_by_objects=True) == 0
    slabs.close()


def test_a_slash_in_a_name_is_an_exclamation_mark_in_that_of_its_directory(files: tuple[Path, Path]) -> None:
    (files[1] / "dentry").rename(files[1] / "L2TP!IP")
    slabs = Slabinfo(*files)
    assert slabs.about("L2TP/IP", None, ()).object_size is not None
    assert refusal("L2TP/IP", *files) is None
    slabs.close()


def test_a_refused_list_of_names_is_reported_until_the_kernel_gives_one_again(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is while a merged cache has a slash in its name; no file system here can have one."""

    def refuse(path: Path) -> list[str]:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    slabs = Slabinfo(*files)
    with monkeypatch.context() as patched:
        patched.setattr(os, "listdir", refuse)
        assert slabs.aliases({"dentry"}) == {}
        assert slabs.unlisted == f"aliases unknown: {files[1]}: Input/output error"
    assert slabs.aliases({"dentry"}) == {"dentry": ("an_alias", "zwilling")}
    assert slabs.unlisted == ""
    slabs.close()


def test_nothing_is_known_where_nothing_can_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "slabinfo"
    slabs = Slabinfo(missing, tmp_path / "slab")
    assert slabs.trouble == f"live objects unknown: {missing}: No such file or directory"
    assert slabs.read() == {}
    assert slabs.aliases({"dentry"}) == {}
    assert slabs.about("dentry", None, ()) == About()
    assert slabs.count_hidden("dentry", partial_by_objects=False) == 0
    slabs.close()


def test_an_invalid_slabinfo_is_reported_until_it_is_valid_again(files: tuple[Path, Path]) -> None:
    files[0].write_text("nothing of the kind\n")
    slabs = Slabinfo(*files)
    assert slabs.read() == {}
    assert slabs.trouble.startswith(f"live objects unknown: {SLABINFO}: ")
    assert len(slabs.trouble.splitlines()) == 1
    files[0].write_bytes(slabinfo_of(DENTRY))
    assert list(slabs.read()) == ["dentry"]
    assert slabs.trouble == ""
    slabs.close()


def test_a_directory_in_its_place_is_reported(tmp_path: Path) -> None:
    slabs = Slabinfo(tmp_path, tmp_path)
    assert slabs.read() == {}
    assert "Is a directory" in slabs.trouble
    slabs.close()


def refusal(name: str, slabinfo: Path, sysfs: Path) -> str | None:
    """Return the message with which a name is refused; None: it is accepted."""
    try:
        demand(name, slabinfo, sysfs)
    except SlabtuiError as error:
        return str(error) if error.status == Status.USAGE else repr(error)
    return None


def test_a_cache_is_known_by_its_name_and_by_an_alias(files: tuple[Path, Path]) -> None:
    assert refusal("dentry", *files) is None
    assert refusal("zwilling", *files) is None
    for name in ("dent", "", ".", "../slab/dentry"):
        assert refusal(name, *files) == f"no cache named {name}: see ls {files[1]}"


@pytest.mark.parametrize("directory", ["missing", "empty"])
def test_a_cache_is_known_by_slabinfo_where_sysfs_lists_none(tmp_path: Path, directory: str) -> None:
    slabinfo, sysfs = tmp_path / "slabinfo", tmp_path / "slab"
    slabinfo.write_bytes(slabinfo_of(DENTRY, BIG, BIG, DENTRY.replace("dentry", "two words")))
    if directory == "empty":
        sysfs.mkdir()
    for name in ("dentry", "kmalloc-8k", "two words"):
        assert refusal(name, slabinfo, sysfs) is None
    for name in ("dent", "zwilling", "", ".", "slabinfo", "# name"):
        assert refusal(name, slabinfo, sysfs) == f"no cache named {name}: see cat {slabinfo}"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"slabinfo - version: 2.1\n# name\n", b"a\nb\n \n"])
def test_any_cache_may_exist_where_neither_can_be_read(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "slabinfo").write_bytes(content)
    assert refusal("filp", tmp_path / "slabinfo", tmp_path / "slab") is None
