"""A machine's whole state as a value and as a file; each field is checked when it is read."""
