"""Scenario files: hosts with many domains, and what happens on them, described in TOML."""
