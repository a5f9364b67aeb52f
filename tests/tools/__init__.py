"""Programs: benchmarks, tests on other kernels and distributions, packages, pictures."""
