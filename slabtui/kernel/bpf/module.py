"""One BPF module: compiled in a child, its programs loaded and attached here; each failure is one line for the user."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from slabtui.errors import SlabtuiError, Status
from slabtui.kernel.bpf import remedies, sources, syscalls, trace_events
from slabtui.kernel.bpf.child import Compiled
from slabtui.kernel.bpf.features import Features, is_compiled
from slabtui.kernel.bpf.instructions import link
from slabtui.kernel.bpf.maps import Maps
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.bpf.syscalls import AttachType, Program, ProgramType

_RDONLY_CAST = 0x7FFFFFF1  # stands for the function in compiled programs; far from the number of any helper function
_BASE_OF_PAGES = 0x51AB_0000_7001_F00D  # stands for that address; no program uses the number itself
_FUNCTION = "a function"  # in the place of a tracepoint
_EVENTS = "kmem"  # the group of the tracepoints, include/trace/events/kmem.h
_LOCKDOWN = "see cat /sys/kernel/security/lockdown"


class Compiles(Protocol):
    """Compiles BPF C; see Compiler."""

    def compile(self, source: str, options: Sequence[str]) -> Compiled:
        """Compile a source."""


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What every module is made with.

    Attributes:
        compiler: compiles it.
        features: what the kernel can do.
        macros: options that define what common.bpf.h asks for.
        rdonly_cast: BTF id of bpf_rdonly_cast(), where `features` say that it can be used.
        word_type: BTF id of a type to cast to.
        cgroup: descriptor of the control group whose events alone count; None: there is none.
        base_of_pages: see the function of that name in common.bpf.h; 0: not known (yet).
        nests: whether a program may interrupt itself, see Layout.
        node_events: whether allocations for a NUMA node have tracepoints of their own.
    """

    compiler: Compiles
    features: Features
    macros: Sequence[str]
    rdonly_cast: int = 0
    word_type: int = 0
    cgroup: int | None = None
    base_of_pages: int = 0
    nests: bool = False
    node_events: bool = False

    @property
    def options(self) -> list[str]:
        """The compiler's options for every module."""
        cast = [f"-DRDONLY_CAST={_RDONLY_CAST:#x}", f"-DWORD_TYPE={self.word_type}"] if self.functions else []
        base = f"-DBASE_OF_PAGES={_BASE_OF_PAGES:#x}"
        return [*self.macros, f"-DTAIL_CALLS={int(self.features.jit)}", *cast, base, "-Wno-unused-function"]

    @property
    def functions(self) -> dict[int, int]:
        """The kernel functions that programs call: what stands for each in compiled programs -> its BTF id."""
        return {_RDONLY_CAST: self.rdonly_cast} if self.features.rdonly_cast else {}

    def tracepoints(self, name: str) -> tuple[str, ...]:
        """Return the raw tracepoints that a kind of allocation passes."""
        return (name, f"{name}_node") if self.node_events else (name,)

    def misses(self, descriptors: Collection[int]) -> int | None:
        """Return how many runs of these programs the kernel skipped; None where it does not say."""
        if self.nests:
            return 0
        each = [syscalls.count_misses(descriptor) for descriptor in set(descriptors)]
        return None if None in each else sum(filter(None, each))


@dataclass(slots=True)
class _Loaded:
    """A program in the kernel, and the links that attach it, by tracepoint."""

    descriptor: int
    links: dict[str, int] = field(default_factory=dict)

    def close(self) -> None:
        for descriptor in (*self.links.values(), self.descriptor):
            os.close(descriptor)


class Module:
    """BPF C programs and their maps: compiled at once, loaded into the kernel one by one, when they attach.

    Compiled against the stand-in headers, or against real ones if BCC_KERNEL_SOURCE names them.

    Args:
        context: what every module is made with.
        files: its source files; put one behind the other, since bcc rewrites one file only.
        macros: further options, that define what these files ask for.

    Attributes:
        maps: its maps.
        descriptors: file descriptor of each map, by name.
        base_of_pages: as in the context; programs that are loaded from now on have it.

    Raises:
        SlabtuiError: the compilation failed, the kernel refused a map, or it is no control group.
    """

    def __init__(self, context: BuildContext, files: Sequence[str], macros: Sequence[str] = ()) -> None:
        compiled = context.compiler.compile(sources.read(*files), [*context.options, *macros])
        self._must_be_compiled = context.features.jit
        self._functions = context.functions
        self.base_of_pages = context.base_of_pages
        self._references = {compiled.references[name]: here for name, here in compiled.maps.items()}
        self._programs: Mapping[str, bytes] = compiled.programs
        self._loaded: dict[str, _Loaded] = {}
        self.descriptors = compiled.maps
        try:
            self.maps = Maps(compiled.maps, compiled.values)
            if context.cgroup is not None:
                self.confine(context.cgroup)
        except BaseException:
            self.close()
            raise

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs.

        Raises:
            OSError: the kernel refused.
        """
        self.maps.put("settings", 0, settings)

    def confine(self, cgroup: int) -> None:
        """Let only the events of a control group count from now on.

        Raises:
            SlabtuiError: the descriptor is of something else.
        """
        try:
            self.maps.put_descriptor("cgroups", 0, cgroup)
        except OSError as error:
            raise SlabtuiError(
                "that is no control group of the unified hierarchy", "see mount -t cgroup2", Status.USAGE
            ) from error

    def load(
        self,
        name: str,
        kind: ProgramType = ProgramType.RAW_TRACEPOINT,
        attach_type: AttachType = AttachType.NONE,
        function: int = 0,
    ) -> int:
        """Load a program, unless it is loaded, and return its file descriptor.

        Args:
            name: its function in the source.
            kind: its type.
            attach_type: FENTRY or FEXIT for a program that runs with a kernel function.
            function: BTF id of that function.

        Raises:
            SlabtuiError: the kernel refused it.
        """
        if name not in self._loaded:
            constants = {_BASE_OF_PAGES: self.base_of_pages}
            instructions = link(self._programs[name], self._references, self._functions, constants)
            program = Program(name, kind, instructions, attach_type, function)
            descriptor = _demand(
                lambda: syscalls.load_program(program), f"the kernel refused the BPF program {name}", _LOCKDOWN
            )
            self._loaded[name] = _Loaded(descriptor)
            if self._must_be_compiled and not is_compiled(descriptor):  # its tail calls would crash the kernel
                self.unload(name)
                raise SlabtuiError(
                    f"the kernel did not compile the BPF program {name}", "raise net.core.bpf_jit_limit, start again"
                )
        return self._loaded[name].descriptor

    def attach(self, tracepoint: str, name: str) -> int:
        """Load a program and attach it to a raw tracepoint; return the program's file descriptor.

        Raises:
            SlabtuiError: the kernel refused it, has no such tracepoint, or forbids it.
        """
        program = self.load(name)
        self._link(name, tracepoint, lambda: syscalls.open_raw_tracepoint(program, tracepoint))
        return program

    def attach_classic(self, tracepoint: str, name: str) -> int:
        """Load a program and attach it to a classic tracepoint; return the program's file descriptor.

        Raises:
            SlabtuiError: the kernel refused it, has no such tracepoint, or forbids it; or tracefs is not mounted.
        """
        program = self.load(name, ProgramType.TRACEPOINT)
        self._link(name, tracepoint, lambda: trace_events.attach(program, f"{_EVENTS}/{tracepoint}"))
        return program

    def attach_to_function(self, function: int, name: str, attach_type: AttachType) -> int:
        """Load a program and let it run with a kernel function; return the program's file descriptor.

        Raises:
            SlabtuiError: the kernel refused it.
        """
        program = self.load(name, ProgramType.TRACING, attach_type, function)
        self._link(name, _FUNCTION, lambda: syscalls.open_raw_tracepoint(program))
        return program

    def is_loaded(self, name: str) -> bool:
        """Return whether a program is loaded."""
        return name in self._loaded

    def unload(self, name: str) -> None:
        """Detach a program from everything, and unload it, if it is loaded."""
        loaded = self._loaded.pop(name, None)
        if loaded:
            loaded.close()

    def unload_all(self) -> None:
        """Detach and unload every program."""
        for name in tuple(self._loaded):
            self.unload(name)

    def close(self) -> None:
        """Detach the programs and close the maps; the kernel then frees both."""
        self.unload_all()
        for descriptor in self.descriptors.values():
            os.close(descriptor)
        self.descriptors.clear()

    def _link(self, name: str, where: str, attach: Callable[[], int]) -> None:
        what = where if where == _FUNCTION else f"the tracepoint {where}"
        self._loaded[name].links[where] = _demand(
            attach, f"cannot attach to {what}", "boot a kernel with CONFIG_BPF_EVENTS=y"
        )


def _demand(call: Callable[[], int], what: str, otherwise: str) -> int:
    """Return what a system call returns.

    Raises:
        SlabtuiError: the kernel refused.
    """
    try:
        return call()
    except OSError as error:
        raise SlabtuiError(f"{what} ({error.strerror})", remedies.after(error, otherwise)) from error
