"""The programs of one module at the functions that allocate and free in bulk: fentry, where the kernel has it."""

from collections.abc import Sequence

from slabtui.errors import SlabtuiError
from slabtui.kernel.abi.offsets import Functions
from slabtui.kernel.bpf.module import Module
from slabtui.kernel.bpf.syscalls import AttachType

_SHEAF_ARGUMENTS = 2  # where the kernel has no __kfree_rcu_sheaf(), so that its program compiles


class BulkFunctions:
    """Attaches these programs if the kernel lets it: one may have the code for such probes and refuse them even so.

    Args:
        module: has the programs.
        functions: those of the kernel; the ids are 0 where it has no probes on functions.
        alloc: name of the program that runs after kmem_cache_alloc_bulk().
        free: of the one that runs before kmem_cache_free_bulk().
        free_to_sheaf: of the one that runs after __kfree_rcu_sheaf().

    Attributes:
        descriptors: the file descriptor of each program that is attached.
        complete: whether all of them are.
    """

    def __init__(self, module: Module, functions: Functions, *, alloc: str, free: str, free_to_sheaf: str) -> None:
        self._module = module
        self._frees = [(functions.free_bulk, free, AttachType.FENTRY)]
        if functions.free_to_sheaf:
            self._frees.append((functions.free_to_sheaf, free_to_sheaf, AttachType.FEXIT))
        self._allocs = [(functions.alloc_bulk, alloc, AttachType.FEXIT)]
        self.descriptors: Sequence[int] = ()
        self.complete = False

    def attach_frees(self) -> None:
        """Attach the programs of frees, before any program of allocations: else a free could be missed."""
        self._attach(self._frees)

    def attach_allocs(self) -> None:
        """Attach the program of allocations, if those of frees are attached."""
        if self.descriptors:
            self._attach(self._allocs)
            self.complete = bool(self.descriptors)

    def detach(self) -> None:
        """Detach and unload all of them."""
        self.descriptors, self.complete = (), False
        for _, program, _ in (*self._frees, *self._allocs):
            self._module.unload(program)

    def _attach(self, probes: Sequence[tuple[int, str, AttachType]]) -> None:
        if not all(function for function, _, _ in probes):
            return
        try:
            self.descriptors = [*self.descriptors, *(self._module.attach_to_function(*probe) for probe in probes)]
        except (SlabtuiError, OSError):
            self.detach()


def macros(functions: Functions) -> list[str]:
    """Return the compiler's options for such programs."""
    return [f"-DSHEAF_RESULT={functions.free_to_sheaf_arguments or _SHEAF_ARGUMENTS}"]
