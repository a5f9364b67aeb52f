"""What slabtui knows: readings, snapshots and what is made of them. Pure: frozen types and functions."""
