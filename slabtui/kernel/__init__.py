"""All that touches the kernel."""
