"""The benchmark: `make bench` measures what slabtui costs, in one run. No time makes it fail."""
