"""Popek and Goldberg's classes by experiment, and what porting a kernel costs."""
