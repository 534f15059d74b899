"""A machine's whole state as a value and as a file, each field checked when it is read."""
