"""What slabtui asks of Python and the operating system: signals, threads, files, standard streams."""
