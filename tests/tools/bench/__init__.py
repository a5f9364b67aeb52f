"""The benchmark: `make bench` prints what slabtui costs, as measured in one run; nothing here can fail on a time."""
