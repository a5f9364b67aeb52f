"""The layout of kernel structures, as BTF describes it."""
