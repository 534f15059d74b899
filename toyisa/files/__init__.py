"""The host's files: read, written, locked and trusted only through these doors."""
