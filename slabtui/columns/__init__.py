"""The columns of tables, and the choice and order of their rows."""
