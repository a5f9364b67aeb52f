"""The records that C and Python share: laid out alike, or refused when the module is loaded."""

import ctypes
import json
import os
import struct

import pytest

from slabtui.errors import SlabtuiError
from slabtui.kernel.abi import offsets
from slabtui.kernel.bpf import sources
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.bpf.features import Features
from slabtui.kernel.bpf.maps import Maps
from slabtui.kernel.bpf.module import BuildContext
from slabtui.kernel.bpf.records import BY_MAP, CHECKED, BulkRecord, CacheRecord, Slot, find_difference, pack_format

WORD = "unsigned long long"
NUMBERS = [["address", WORD], ["epoch", WORD], ["size", "unsigned int"], ["object_size", "unsigned int"]]
CACHE = ["cache", [*NUMBERS, ["name", "char", [128]]]]


def describe(*members: object, kind: str = "struct_packed") -> str:
    return json.dumps(["record", members, kind])


@pytest.mark.parametrize("kind", ["struct", "struct_packed"])
def test_a_record_that_is_laid_out_alike_has_no_difference(kind: str) -> None:
    assert find_difference(CacheRecord, json.dumps([*CACHE, kind])) == ""
    nested = describe(["cache", [*CACHE, kind]], ["allocs", WORD], ["frees", WORD], kind=kind)
    assert find_difference(BulkRecord, nested) == ""


@pytest.mark.parametrize(
    ("members", "first"),
    [
        ([["cache", WORD], ["epoch", WORD], ["addressed", WORD], ["named", WORD]], "named"),  # swapped
        ([["cache", WORD], ["epoch", WORD], ["named", WORD]], "addressed"),  # missing
        ([["cache", WORD], ["epoch", WORD], ["named", WORD], ["addressed", WORD], ["more", WORD]], "more"),
        ([["cache", "unsigned int"], ["epoch", WORD], ["named", WORD], ["addressed", WORD]], "cache"),  # shorter
    ],
)
def test_the_first_member_that_lies_elsewhere_is_named(members: list[object], first: str) -> None:
    assert find_difference(Slot, describe(*members)) == first


def test_a_member_of_a_record_within_is_named_with_it() -> None:
    other = ["cache", [["address", WORD], ["epoch", "unsigned int"], ["__pad_1", "char", [140]]], "struct_packed"]
    assert find_difference(BulkRecord, describe(["cache", other], ["allocs", WORD], ["frees", WORD])) == "cache.epoch"


def test_gaps_are_no_members() -> None:
    class Gap(ctypes.Structure):
        _fields_ = [("one", ctypes.c_uint32), ("two", ctypes.c_uint64)]

    with_gap = describe(["one", "unsigned int"], ["__pad_1", "char", [4]], ["two", WORD])
    assert find_difference(Gap, with_gap) == ""


@pytest.mark.parametrize(
    "description", ['"unsigned long long"', '["record", [["one", "float"]], "struct"]', "7", "[]", "x"]
)
def test_what_describes_no_record_is_an_error(description: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        find_difference(Slot, description)


@pytest.mark.parametrize("record", BY_MAP.values(), ids=BY_MAP)
def test_the_format_of_a_record_has_its_size(record: type[ctypes.Structure]) -> None:
    assert struct.calcsize(pack_format(record)) == ctypes.sizeof(record)


SIZES = (
    "SLOT_BITS",
    "ROWS",
    "STACK_ROWS",
    "STACKS",
    "RATE",
    "BESIDE",
    "TIMED",
    "BULKS",
    "TALLIES",
    "SHEAF_RESULT",
    "CHUNK",
)
SIZES += ("OWNED", "MOST_OWNED", "ENTRIES", "GOAL", "STRATA", "STRATUM_RATE", "USUAL")


@pytest.mark.live
@pytest.mark.parametrize(
    "files",
    [
        ("table.bpf.h", "calibration.bpf.c", "inventory.bpf.c", "allocs.bpf.c"),
        ("table.bpf.h", "frees.bpf.c"),
        ("table.bpf.h", "owned.bpf.c"),
        ("origin.bpf.h", "inspect.bpf.c"),
        ("origin.bpf.h", "held.bpf.c"),
        ("bulk.bpf.c",),
    ],
    ids=["allocs", "frees", "owned", "inspect", "held", "bulk"],
)
def test_every_record_of_the_programs_is_checked(files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first member of each in turn has another name in Python."""
    compiler = Compiler()
    context = BuildContext(compiler, Features(jit=True, rdonly_cast=False), offsets.read().macros())
    macros = [f"-D{name}={CHECKED if name == 'CHUNK' else 4}" for name in SIZES]
    compiled = compiler.compile(sources.read("common.bpf.h", *files), [*context.options, *macros])
    compiler.close()
    try:
        structs = {name for name, value in compiled.values.items() if value.startswith("[")} - {"stacks"}
        assert "settings" in structs
        assert structs <= set(BY_MAP)
        Maps(compiled.maps, compiled.values)
        for name in structs:
            fields = list(BY_MAP[name]._fields_)
            other = type("Other", (ctypes.Structure,), {"_fields_": [("other", fields[0][1]), *fields[1:]]})
            with monkeypatch.context() as patch:
                patch.setitem(BY_MAP, name, other)
                with pytest.raises(SlabtuiError, match=rf"other.* lies elsewhere .* map {name}: install slabtui"):
                    Maps(compiled.maps, compiled.values)
    finally:
        for descriptor in compiled.maps.values():
            os.close(descriptor)
