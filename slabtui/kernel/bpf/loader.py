"""The child process: compiles BPF C with bcc, creates its maps, hands both to its parent and exits.

It runs under the interpreter that the distribution's bcc is built for, whose version may be older than slabtui's own:
this file is for Python 3.6 and bcc 0.18 onwards, imports nothing of slabtui, and gets here as text. The parent is
kernel/bpf/compiler.py.

On the socket whose number is the argument the parent sends a JSON object and closes its side:

    source    BPF C
    cflags    options for clang
    headers   directory that stands in for the kernel's source tree

The answer is a JSON object, and with its first byte the descriptors of the maps, in the order of `maps`:

    bcc        version
    maps       names
    values     by the name of a map, how a value is laid out: JSON text, as bcc's bpf_table_leaf_desc() returns it
    programs   by name the instructions, struct bpf_insn, in hexadecimal; they refer to maps by `descriptors`
    descriptors   numbers that the maps have in this process

or, where something failed, `failure` (`import` or `compile`) and `reason`. What bcc and clang print goes to the
descriptors 1 and 2, which the parent reads after the end of this process.
"""

import array
import ctypes
import json
import os
import resource
import signal
import socket
import sys
from typing import Any, Dict, List, Sequence, Tuple

PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h
CAPABILITY_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3, include/uapi/linux/capability.h
CAP_SYSLOG = 34
MOST_OUTPUT = 1 << 20  # bytes that may be printed


def main() -> None:
    """Answer the one request."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a compiler without a parent is of no use
    drop_syslog()
    _, allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    if allowed == resource.RLIM_INFINITY or allowed > MOST_OUTPUT:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_OUTPUT, MOST_OUTPUT))
    parent = socket.socket(fileno=int(sys.argv[1]))
    try:
        import bcc

        getattr(bcc.BPF, "dump_func")  # another package of that name has no such thing
    except Exception as error:  # it loads a library and resolves its functions: any of that may fail
        answer(parent, {"failure": "import", "reason": describe(error)})
        return
    request = json.loads(receive(parent).decode())
    if not request:  # the parent has no use for this process any more
        return
    os.environ.setdefault("BCC_KERNEL_SOURCE", request["headers"])
    try:
        compiled, descriptors = compile_source(bcc, request["source"], request["cflags"])
    except Exception as error:  # bcc raises nothing more specific
        answer(parent, {"bcc": version(bcc), "failure": "compile", "reason": describe(error)})
        return
    compiled["bcc"] = version(bcc)
    answer(parent, compiled, descriptors)


def drop_syslog() -> None:
    """Drop CAP_SYSLOG, so that the symbols in /proc/kallsyms have no addresses: bcc then does not keep them.

    With each compilation it reads them all, to find out whether the kernel has bpf_probe_read_kernel() (Linux 5.5), and
    takes a third of its time for that. common.bpf.h undoes what it does if it finds nothing.
    """
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable of 0 to 31, then of 32 to 63
    if libc.capget(header, sets) == 0:
        for place in (3, 4):
            sets[place] &= ~(1 << (CAP_SYSLOG - 32))
        libc.capset(header, sets)  # where it is refused, compiling takes longer


def compile_source(bcc: Any, source: str, cflags: List[str]) -> Tuple[Dict[str, Any], List[int]]:
    """Return the programs and maps of a source, and the descriptors of the maps."""
    bpf = bcc.BPF(text=source, cflags=cflags)
    lib, module = bcc.lib, bpf.module
    lib.bpf_num_tables.restype = ctypes.c_size_t  # bcc's Python does not declare these two; src/cc/bpf_module.h does
    lib.bpf_num_tables.argtypes = [ctypes.c_void_p]
    lib.bpf_table_name.restype = ctypes.c_char_p
    lib.bpf_table_name.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    programs = [lib.bpf_function_name(module, place) for place in range(lib.bpf_num_functions(module))]
    maps = [lib.bpf_table_name(module, place) for place in range(lib.bpf_num_tables(module))]
    descriptors = [lib.bpf_table_fd(module, name) for name in maps]
    compiled = {
        "maps": [name.decode() for name in maps],
        "descriptors": descriptors,
        "values": {name.decode(): (lib.bpf_table_leaf_desc(module, name) or b"").decode() for name in maps},
        "programs": {name.decode(): bpf.dump_func(name).hex() for name in programs},
    }
    return compiled, descriptors


def receive(parent: socket.socket) -> bytes:
    """Return all that the parent sends."""
    parts = []  # type: List[bytes]
    while True:
        part = parent.recv(1 << 16)
        if not part:
            return b"".join(parts) or b"null"
        parts.append(part)


def answer(parent: socket.socket, message: Dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send the answer; socket.send_fds() exists since Python 3.9 only."""
    encoded = json.dumps(message).encode()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    parent.sendmsg([encoded[:1]], rights)
    parent.sendall(encoded[1:])


def version(bcc: Any) -> str:
    """Return the version of bcc; a build from its repository may have any text there, or none."""
    return str(getattr(bcc, "__version__", "unknown"))


def describe(error: Exception) -> str:
    """Return what an exception says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # bcc and LLVM have nothing to tidy up that the kernel does not
