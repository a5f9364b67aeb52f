"""Tests other kernels: boots each in an emulator, runs live tests and comparisons, and writes docs/kernels.md."""
