"""Experiments with many guests on one machine, each laid beside what was published."""
