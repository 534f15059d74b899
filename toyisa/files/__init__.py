"""The host's files: every read, write, lock and check of trust goes through these doors."""
