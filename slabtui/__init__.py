"""slabtui: a live top for the Linux kernel's slab allocator; and, as a library, what `slabtui.library` has.

The program runs this module before it handles SIGINT and before it refuses an old Python: so it imports nothing.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # as in the module typing: type checkers take it for true
if TYPE_CHECKING:
    from slabtui.library import *
else:

    def __getattr__(name):
        """Return a name of the library, which is imported when the first one is used."""
        if not name.startswith("_"):
            library = _import_library()
            if name in library.__all__:
                return getattr(library, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *_import_library().__all__})

    def _import_library():
        from importlib import import_module

        return import_module("slabtui.library")
