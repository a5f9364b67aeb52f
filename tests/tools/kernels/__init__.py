"""Other kernels: boots each in an emulator, runs the live tests and a comparison there, and writes docs/kernels.md."""
