"""What a user can do when the kernel refuses something, by the error number."""

import errno
import os
import resource

_REMEDIES = {
    errno.EPERM: "run it as root, outside of a container; see cat /sys/kernel/security/lockdown",
    errno.ENOMEM: "free some memory, or raise `ulimit -l` or the limit of the control group",
    errno.EMFILE: "raise the limit, as in ulimit -n 1024",
    errno.ENFILE: "raise the limit, as in sysctl fs.file-max",
    errno.EAGAIN: "raise `ulimit -u`, or pids.max of the control group",  # fork(2), clone(2)
}
_LIMITS = {resource.RLIMIT_AS: "ulimit -v", resource.RLIMIT_DATA: "ulimit -d"}


def after(error: OSError, otherwise: str) -> str:
    """Return what to do about an error; `otherwise` for other error numbers."""
    return _REMEDIES.get(error.errno or 0, otherwise)


def after_words(words: str, otherwise: str) -> str:
    """Return what to do about an error of which bcc passes on only the text."""
    return next((remedy for number, remedy in _REMEDIES.items() if os.strerror(number) in words), otherwise)


def memory_limit() -> str:
    """Return how to raise the memory limit of this process and its children; empty if there is none."""
    for limit, command in _LIMITS.items():
        allowed, _ = resource.getrlimit(limit)
        if allowed != resource.RLIM_INFINITY:
            return f"raise the limit, as in {command} unlimited"
    return ""
