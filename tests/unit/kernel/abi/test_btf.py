"""The BTF reader, with this kernel's types, with a few artificial ones, and with damaged ones."""

import struct
from collections.abc import Iterable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slabtui.kernel.abi.btf import BTF, BTFError, Struct
from slabtui.kernel.abi.offsets import VMLINUX, read_whole

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST = range(1, 11)
FUNC, FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64 = range(12, 20)
HEADER = "=HBBIIIII"
UNCOUNTED = (INT, ARRAY, VAR, DECL_TAG)  # no list of members follows these
PACKED = 1 << 31  # offsets of members carry the size of a bit field in their upper byte


def encode(types: Iterable[tuple], flags: int = 0) -> bytes:
    """Assemble BTF.

    A type is its kind, its name, its size or the number of a type, and its members as tuples of words. A string in
    place of a word is stored, once, and referred to. Types are numbered from 1.
    """
    strings = b"\0"
    words = []

    def word(value: int | str) -> int:
        nonlocal strings
        if isinstance(value, int):
            return value
        stored = f"\0{value}\0".encode()
        if value and stored not in strings:
            strings += stored[1:]
        return strings.index(stored) + 1 if value else 0

    for kind, name, size_or_type, *members in types:
        info = kind << 24 | flags | (0 if kind in UNCOUNTED else len(members))
        words += [word(name), info, size_or_type, *(word(value) for member in members for value in member)]
    body = struct.pack(f"={len(words)}I", *words)
    header = struct.calcsize(HEADER)
    return struct.pack(HEADER, 0xEB9F, 1, 0, header, 0, len(body), len(body), len(strings)) + body + strings


KERNEL = encode(
    [
        (INT, "unsigned int", 4, (32,)),  # 1
        (INT, "long unsigned int", 8, (64,)),  # 2
        (TYPEDEF, "size_t", 2),  # 3
        (STRUCT, "slab", 8, ("kmem_cache", 8, 0)),  # 4: a member that is called like a struct
        (STRUCT, "kmem_cache", 32, ("flags", 1, 0), ("", 6, 32), ("name", 10, 128), ("tail", 1, 192)),  # 5
        (UNION, "", 8, ("size", 1, 0), ("", 7, 0)),  # 6
        (STRUCT, "", 8, ("low", 1, 0), ("object_size", 1, 32)),  # 7
        (PTR, "", 5),  # 8: struct kmem_cache *
        (CONST, "", 5),  # 9
        (PTR, "", 9),  # 10: const struct kmem_cache *
        (PTR, "", 0),  # 11: void *
        (PTR, "", 11),  # 12: void **
        (TYPEDEF, "kmem_cache", 5),  # 13: a typedef that is called like a struct
        (FUNC_PROTO, "", 0, ("", 11), ("", 2), ("", 10), ("", 3), ("", 12), ("", 16), ("", 0)),  # 14
        (PTR, "", 14),  # 15
        (ENUM, "lru_list", 4, ("LRU_BASE", 0), ("LRU_FILE", 2)),  # 16
        (TYPEDEF, "btf_trace_alloc", 15),  # 17
        (ARRAY, "", 0, (1, 1, 4)),
        (FWD, "task_struct", 0),
        (FUNC, "kmalloc", 14),
        (VAR, "jiffies", 2, (1,)),
        (DATASEC, ".data", 8, (21, 0, 8)),
        (FLOAT, "double", 8),
        (DECL_TAG, "tag", 5, (0,)),
        (TYPE_TAG, "rcu", 5),
        (ENUM64, "big", 8, ("BIG", 0, 1)),
        (STRUCT, "last", 4, ("only", 1, 0)),
    ]
)
SMALL = st.integers(0, 40)  # valid as the number of a type or of members
DAMAGE = st.lists(st.tuples(st.integers(0, len(KERNEL) // 4 - 1), SMALL | st.integers(0, 2**32 - 1)), max_size=6)


@pytest.fixture(scope="module")
def vmlinux() -> BTF:
    return BTF(read_whole(VMLINUX))


@pytest.mark.live
def test_this_kernels_kmem_cache_has_a_name_and_two_sizes(vmlinux: BTF) -> None:
    cache = vmlinux.struct("kmem_cache")
    wanted = {cache.offsets[name] for name in ("name", "size", "object_size")}
    assert len(wanted) == 3
    assert max(wanted) < cache.size


@pytest.mark.live
def test_this_kernels_tracepoint_names_the_cache(vmlinux: BTF) -> None:
    parameters = vmlinux.parameters("btf_trace_kmem_cache_alloc")
    assert parameters[0] == "void *"
    assert "struct kmem_cache *" in parameters


@pytest.mark.live
def test_this_kernels_page_has_what_stands_in_its_anonymous_unions(vmlinux: BTF) -> None:
    page = vmlinux.struct("page")
    assert page.offsets["flags"] == 0
    assert page.offsets.keys() & {"compound_head", "compound_info"}


@pytest.mark.live
def test_this_kernel_lacks_unknown_names(vmlinux: BTF) -> None:
    with pytest.raises(BTFError, match="no type named no_such_struct"):
        vmlinux.struct("no_such_struct")


def test_members_of_anonymous_structs_and_unions_count_as_the_structs_own() -> None:
    offsets = {"flags": 0, "size": 4, "low": 4, "object_size": 8, "name": 16, "tail": 24}
    assert BTF(KERNEL).struct("kmem_cache") == Struct(32, offsets)


def test_an_integer_has_the_size_that_it_is_given() -> None:
    btf = BTF(KERNEL)
    assert (btf.integer_size("unsigned int"), btf.integer_size("long unsigned int")) == (4, 8)
    assert btf.integer_size("kmem_cache") is None
    assert btf.integer_size("long long") is None


def test_every_kind_is_stepped_over() -> None:
    assert BTF(KERNEL).struct("last") == Struct(4, {"only": 0})


def test_a_value_of_an_enum_is_not_taken_for_the_struct_of_its_name() -> None:
    looks_like_a_struct = STRUCT << 24
    types = [(ENUM, "values", 4, ("wanted", looks_like_a_struct)), (FLOAT, "double", 8), (STRUCT, "wanted", 12)]
    assert BTF(encode(types)).struct("wanted") == Struct(12, {})


def test_a_name_is_not_found_across_words() -> None:
    types = [(FLOAT, "wanted", 8), (FLOAT, "x" * 247, 8), (STRUCT, "other", 4), (STRUCT, "wanted", 12)]
    data = encode(types)
    assert data.index(b"\0other\0") + 1 - data.index(b"\0wanted\0") == 0x100  # names at 0x001 and 0x100
    assert BTF(data).struct("wanted") == Struct(12, {})


def test_a_bit_field_has_the_offset_of_its_byte() -> None:
    types = [(INT, "int", 4, (32,)), (STRUCT, "bits", 8, ("whole", 1, 0), ("part", 1, 3 << 24 | 37))]
    assert BTF(encode(types, PACKED)).struct("bits").offsets == {"whole": 0, "part": 4}


def test_parameters_are_written_as_in_c_without_qualifiers() -> None:
    assert BTF(KERNEL).parameters("btf_trace_alloc") == (
        "void *",
        "long unsigned int",
        "struct kmem_cache *",
        "size_t",
        "void **",
        "enum lru_list",
        "void",
    )


@pytest.mark.parametrize("name", ["kmem", "cache", "kmem_cache_", "size_t", "name", "", "no_such_struct"])
def test_a_missing_struct_is_reported(name: str) -> None:
    with pytest.raises(BTFError, match=f"no type named {name}$"):
        BTF(KERNEL).struct(name)


@pytest.mark.parametrize("name", ["size_t", "kmem_cache"])
def test_a_typedef_of_something_else_is_no_function(name: str) -> None:
    with pytest.raises(BTFError, match=f"{name} is no pointer to a function"):
        BTF(KERNEL).parameters(name)


def test_structs_inside_themselves_end() -> None:
    with pytest.raises(BTFError, match="without an end"):
        BTF(encode([(STRUCT, "endless", 4, ("", 1, 0), ("", 1, 0))])).struct("endless")


def test_qualifiers_of_themselves_end() -> None:
    types = [(CONST, "", 2), (VOLATILE, "", 1), (FUNC_PROTO, "", 0, ("", 1)), (PTR, "", 3), (TYPEDEF, "endless", 4)]
    with pytest.raises(BTFError, match="without an end"):
        BTF(encode(types)).parameters("endless")


@pytest.mark.parametrize("number", [2, 3, 2**32 - 1])
def test_a_reference_to_a_missing_type_is_reported(number: int) -> None:
    with pytest.raises(BTFError, match=f"no type number {number}$"):
        BTF(encode([(TYPEDEF, "astray", number)])).parameters("astray")


def test_a_missing_name_is_reported() -> None:
    with pytest.raises(BTFError, match=r"no string at 9999$"):
        BTF(encode([(STRUCT, "astray", 4, (9999, 0, 0))])).struct("astray")


def test_a_header_that_is_too_short_is_refused() -> None:
    with pytest.raises(BTFError, match=r"^cut short$"):
        BTF(KERNEL[:4] + struct.pack("=I", struct.calcsize(HEADER) - 4) + KERNEL[8:])


@pytest.mark.parametrize("kind", [0, 20, 31])
@pytest.mark.parametrize("before", [[], [(FLOAT, "double", 8)]])
def test_an_unknown_kind_is_refused_wherever_it_stands(kind: int, before: list[tuple]) -> None:
    with pytest.raises(BTFError, match="of an unknown kind"):
        BTF(encode([*before, (kind, "unknown", 0), (FLOAT, "float", 4)]))


@pytest.mark.parametrize("data", [b"", b"\x7fELF" + bytes(100), KERNEL[:2][::-1] + KERNEL[2:]])
def test_what_is_no_btf_of_this_byte_order_is_refused(data: bytes) -> None:
    with pytest.raises(BTFError, match=r"not BTF|shorter than a BTF header"):
        BTF(data)


def test_a_cut_is_noticed_wherever_it_is() -> None:
    for length in range(len(KERNEL)):
        with pytest.raises(BTFError):
            BTF(KERNEL[:length])


def ask(data: bytes) -> None:
    """Ask for everything; the only exception allowed is BTFError."""
    with suppress(BTFError):
        btf = BTF(data)
        for name in ("slab", "kmem_cache", "last"):
            with suppress(BTFError):
                assert all(offset >= 0 for offset in btf.struct(name).offsets.values())
        for name in ("size_t", "kmem_cache", "btf_trace_alloc"):
            with suppress(BTFError):
                assert all(btf.parameters(name))


def test_no_single_flipped_bit_breaks_the_reader() -> None:
    for place in range(len(KERNEL)):
        for bit in range(8):
            ask(KERNEL[:place] + bytes([KERNEL[place] ^ 1 << bit]) + KERNEL[place + 1 :])


@settings(max_examples=1000, deadline=None)
@given(DAMAGE, st.just(len(KERNEL)) | st.integers(0, len(KERNEL)))
def test_no_damaged_words_break_the_reader(damage: list[tuple[int, int]], length: int) -> None:
    data = bytearray(KERNEL)
    for place, value in damage:
        struct.pack_into("=I", data, 4 * place, value)
    ask(bytes(data[:length]))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(KERNEL) - 1), st.integers(0, 255)), max_size=20))
def test_no_damaged_bytes_break_the_reader(damage: list[tuple[int, int]]) -> None:
    data = bytearray(KERNEL)
    for place, value in damage:
        data[place] = value
    ask(bytes(data))


@given(st.binary(max_size=200))
def test_no_garbage_behind_a_header_breaks_the_reader(garbage: bytes) -> None:
    size = len(garbage) // 4 * 4
    ask(struct.pack(HEADER, 0xEB9F, 1, 0, 24, 0, size, 0, len(garbage)) + garbage)
