"""Load and faults: minutes of load on every CPU with random keys, then every fault; writes docs/faults.md."""
