"""slabtui: a live top for the Linux kernel's slab allocator."""

__version__ = "0.1.0"
