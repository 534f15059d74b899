"""Random campaigns over the laws: what `toyvmm fuzz` runs.  Needs hypothesis."""
