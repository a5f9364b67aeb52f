"""All that touches the kernel; the only room that imports bcc."""
