"""Tests slabtui in minimal root file systems of several Debian releases: `make test-distros`."""
