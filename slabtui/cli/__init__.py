"""The command line: what it means, and one run of the program."""
