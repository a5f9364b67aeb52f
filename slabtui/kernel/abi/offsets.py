"""Where the BPF programs find what they read on this kernel: tracepoint arguments and struct offsets, from BTF."""

import resource
from dataclasses import dataclass, fields
from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel.abi.btf import BTF, BTFError, Struct

VMLINUX = Path("/sys/kernel/btf/vmlinux")

_UNNAMED = -1  # in the place of an argument: there is none

# Of the direct map and of the array of struct page: PUD_SIZE in arch/x86/mm/kaslr.c; on arm64 it is more.
_ALIGNMENT = 1 << 30

_STACK_AREA = "stack_vm_area"  # of struct task_struct, with CONFIG_VMAP_STACK
_UNSIGNED_LONG = ("long unsigned int", "unsigned long")  # in the words of gcc and of clang
_CACHE, _SIZE = "struct kmem_cache *", "size_t"
_FREE_TO_SHEAF = "__kfree_rcu_sheaf"
_READS = 5
_TOO_OLD = "use Linux 5.10 or newer"


@dataclass(frozen=True, slots=True)
class Functions:
    """BTF ids of kernel functions; 0: this kernel has none of that name, or it cannot be used.

    Attributes:
        alloc_bulk: kmem_cache_alloc_bulk(), where the kernel has probes on functions (fentry).
        free_bulk: kmem_cache_free_bulk(), likewise.
        free_to_sheaf: __kfree_rcu_sheaf(), likewise, Linux 6.18: frees an object for kfree_rcu() if it returns true.
        free_to_sheaf_arguments: how many arguments it has.
        rdonly_cast: bpf_rdonly_cast(), Linux 6.2.
        word_type: of a type whose first member is an unsigned long: struct rb_node.
    """

    alloc_bulk: int = 0
    free_bulk: int = 0
    free_to_sheaf: int = 0
    free_to_sheaf_arguments: int = 0
    rdonly_cast: int = 0
    word_type: int = 0


@dataclass(frozen=True, slots=True)
class Offsets:
    """Numbers for the BPF program, each under the name of its macro there, in lower case.

    Arguments are counted from 0, offsets and sizes are bytes. `page_step` is what the base of the array of struct page
    is a multiple of, see calibration.bpf.c; 0: that is not known. `functions` are no macros. `nests` is 1 where a raw
    tracepoint's program may interrupt itself, and frees do not name their cache: before Linux 6.1.
    `partial_by_objects` is 1 where the partial slabs that a CPU keeps are limited by the objects that were free in each
    when it came: before Linux 5.16, which has a limit of slabs, in cpu_partial_slabs of struct kmem_cache.
    `node_events` is 1 where allocations for a NUMA node have tracepoints of their own. `large_twice` is 1 where
    __kmalloc() passes the tracepoint twice for what is beyond the largest cache: __do_kmalloc_node() in mm/slub.c does
    so once more after the function that it calls did, since Linux 6.10. `preemptible` is 1 where the program of a raw
    tracepoint may be preempted: since Linux 7.0 SRCU protects the callbacks of tracepoints (commits a46023d5616e and
    f7d327654b88), by the variable tracepoint_srcu; up to 6.12 one of that name was for tracepoints in idle CPUs.
    `record_...` are offsets in the records of classic tracepoints, and `registers_sp` in the registers that these pass,
    where they are needed.
    """

    arg_call_site: int
    arg_ptr: int
    arg_cache: int
    arg_freed_cache: int
    arg_bytes_req: int
    arg_bytes_alloc: int
    cache_name: int
    cache_size: int
    cache_object_size: int
    cache_list: int
    page_struct_size: int
    page_step: int
    page_compound_head: int
    page_slab_cache: int
    page_type_at: int
    page_type_shift: int
    page_type_mask: int
    page_type_slab: int
    page_shift: int
    kmalloc_max_cache: int
    vm_struct_pages: int
    task_stack_vm_area: int
    task_stack: int
    task_flags: int
    task_group_leader: int
    task_comm: int
    task_thread_pid: int
    pid_level: int
    pid_numbers: int
    upid_size: int
    upid_nr: int
    upid_ns: int
    pid_ns_inum: int
    functions: Functions
    nests: int
    node_events: int
    large_twice: int
    partial_by_objects: int
    preemptible: int
    record_call_site: int
    record_ptr: int
    record_bytes_req: int
    record_bytes_alloc: int
    registers_sp: int

    def macros(self) -> list[str]:
        """Return the compiler's options that define them."""
        numbers = ((field.name, getattr(self, field.name)) for field in fields(self) if field.name != "functions")
        return [f"-D{name.upper()}={number}" for name, number in numbers]


def read(path: Path = VMLINUX) -> Offsets:
    """Find the offsets in the BTF of the running kernel.

    Raises:
        SlabtuiError: there is no BTF, it cannot be read, or it lacks what slabtui needs; or the kernel has 32 bits.
    """
    try:
        return _look_up(BTF(read_whole(path)))
    except FileNotFoundError as error:
        raise SlabtuiError(
            f"this kernel has no BTF ({path})", "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y"
        ) from error
    except OSError as error:
        raise SlabtuiError(f"cannot read {path} ({error.strerror})", "run slabtui as root") from error
    except BTFError as error:
        raise SlabtuiError(f"cannot use {path} ({error})", _TOO_OLD) from error


def read_whole(path: Path) -> bytes:
    """Return the contents of a file of sysfs, as long as the kernel says it is.

    On a busy machine with Linux 6.18 a read of vmlinux was seen to end early; the next one did not.

    Raises:
        OSError: it cannot be read.
    """
    content = b""
    for _ in range(_READS):
        content = path.read_bytes()
        if len(content) >= path.stat().st_size:
            break
    return content


def _look_up(btf: BTF) -> Offsets:
    if 4 in map(btf.integer_size, _UNSIGNED_LONG):
        raise SlabtuiError("this is a 32-bit kernel", "slabtui needs a 64-bit kernel")
    alloc = _arguments(btf, "kmem_cache_alloc")
    kmalloc = _arguments(btf, "kmalloc")
    free = _arguments(btf, "kmem_cache_free")
    cache = btf.struct("kmem_cache")
    page = btf.struct("page")
    task = btf.struct("task_struct")
    pid, upid = btf.struct("pid"), btf.struct("upid")
    page_type_at, shift, mask, slab = _slab_test(btf, page)
    preemptible = btf.has_variable("tracepoint_srcu_srcu_data") and bool(btf.struct_id("srcu_ctr"))
    record = btf.struct("trace_event_raw_kmalloc").offsets if preemptible else {}
    page_size = resource.getpagesize()
    return Offsets(
        arg_call_site=0,  # (call_site, ptr, ...) in every version, and in all four
        arg_ptr=1,
        arg_cache=alloc.index(_CACHE) if _CACHE in alloc else _UNNAMED,
        arg_freed_cache=free.index(_CACHE) if _CACHE in free else _UNNAMED,
        arg_bytes_req=kmalloc.index(_SIZE),
        arg_bytes_alloc=kmalloc.index(_SIZE) + 1,
        cache_name=_offset(cache, "name"),
        cache_size=_offset(cache, "size"),
        cache_object_size=_offset(cache, "object_size"),
        cache_list=_offset(cache, "list"),
        page_struct_size=page.size,
        page_step=page_step(page.size, page_size) if _STACK_AREA in task.offsets else 0,
        page_compound_head=_offset(page, "compound_head", "compound_info"),
        page_slab_cache=_offset(_slab(btf), "slab_cache"),
        page_type_at=page_type_at,
        page_type_shift=shift,
        page_type_mask=mask,
        page_type_slab=slab,
        page_shift=page_size.bit_length() - 1,
        kmalloc_max_cache=2 * page_size,  # KMALLOC_MAX_CACHE_SIZE in include/linux/slab.h, SLUB, Linux 4.x to 7.x
        vm_struct_pages=_offset(btf.struct("vm_struct"), "pages"),
        task_stack_vm_area=task.offsets.get(_STACK_AREA, 0),
        task_stack=_offset(task, "stack"),
        task_flags=_offset(task, "flags"),
        task_group_leader=_offset(task, "group_leader"),
        task_comm=_offset(task, "comm"),
        task_thread_pid=_offset(task, "thread_pid"),
        pid_level=_offset(pid, "level"),
        pid_numbers=_offset(pid, "numbers"),
        upid_size=upid.size,
        upid_nr=_offset(upid, "nr"),
        upid_ns=_offset(upid, "ns"),
        pid_ns_inum=_offset(btf.struct("pid_namespace"), "ns") + _offset(btf.struct("ns_common"), "inum"),
        functions=_functions(btf),
        nests=int(_CACHE not in free),  # both came with Linux 6.1
        node_events=int(btf.has_typedef("btf_trace_kmalloc_node")),
        large_twice=int(bool(btf.function_id("__kmalloc_large_node_noprof"))),
        partial_by_objects=int("cpu_partial" in cache.offsets and "cpu_partial_slabs" not in cache.offsets),
        preemptible=int(preemptible),
        record_call_site=record.get("call_site", 0),  # they come first in the records of all four events
        record_ptr=record.get("ptr", 0),
        record_bytes_req=record.get("bytes_req", 0),
        record_bytes_alloc=record.get("bytes_alloc", 0),
        registers_sp=btf.struct("pt_regs").offsets.get("sp", 0) if preemptible else 0,  # x86 and arm64
    )


def _slab(btf: BTF) -> Struct:
    """Return the struct that describes a page of a slab: one of its own since Linux 5.17, struct page before."""
    try:
        return btf.struct("slab")
    except BTFError:
        return btf.struct("page")


def _slab_test(btf: BTF, page: Struct) -> tuple[int, int, int, int]:
    """Return which bits of struct page mark a slab: the offset of a word, and the shift, mask and value of the bits.

    From include/linux/page-flags.h: a flag up to 6.9, since 6.11 a type in the upper byte of page_type. The layout of
    6.10 came between the two and is in no distribution.
    """
    try:
        return _offset(page, "page_type"), 24, 0xFF, btf.enumerators("pagetype")["PGTY_slab"]
    except (BTFError, KeyError):
        flags = btf.enumerators("pageflags")
    if "PG_slab" not in flags:
        raise BTFError("neither PGTY_slab nor PG_slab")
    return _offset(page, "flags"), flags["PG_slab"], 1, 1


def page_step(struct_size: int, page_size: int) -> int:
    """Return the bytes of the array of struct page for 1 GiB, where that divides 1 GiB."""
    power_of_two = struct_size & (struct_size - 1) == 0
    return _ALIGNMENT // page_size * struct_size if power_of_two else 0


def _functions(btf: BTF) -> Functions:
    """Find the functions; kmem_cache_alloc_bulk() has another name since Linux 6.10."""
    names = ("kmem_cache_alloc_bulk_noprof", "kmem_cache_alloc_bulk")
    alloc_bulk = next(filter(None, map(btf.function_id, names)), 0)
    free_bulk = btf.function_id("kmem_cache_free_bulk")
    fentry = btf.function_id("bpf_trampoline_link_prog") and alloc_bulk and free_bulk
    to_sheaf = btf.function_id(_FREE_TO_SHEAF) if fentry else 0
    return Functions(
        alloc_bulk=alloc_bulk if fentry else 0,
        free_bulk=free_bulk if fentry else 0,
        free_to_sheaf=to_sheaf,
        free_to_sheaf_arguments=len(btf.function_parameters(_FREE_TO_SHEAF)) if to_sheaf else 0,
        rdonly_cast=btf.function_id("bpf_rdonly_cast"),
        word_type=btf.struct_id("rb_node"),
    )


def _arguments(btf: BTF, tracepoint: str) -> tuple[str, ...]:
    """Return the types of a raw tracepoint's arguments; the first parameter is the tracing program's own."""
    try:
        return btf.parameters(f"btf_trace_{tracepoint}")[1:]
    except BTFError as error:
        raise SlabtuiError(
            f"this kernel has no tracepoint {tracepoint}", "boot a kernel built with CONFIG_TRACEPOINTS=y and SLUB"
        ) from error


def _offset(struct: Struct, *names: str) -> int:
    for name in names:
        if name in struct.offsets:
            return struct.offsets[name]
    raise BTFError(f"no member {' or '.join(names)}")
