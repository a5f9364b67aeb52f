"""Load and faults: minutes of a storm on every CPU with keys at random, then every fault; writes docs/faults.md."""
