"""The BPF programs: their sources, the child process in which bcc compiles them, and bpf(2)."""
