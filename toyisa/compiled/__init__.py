"""The door to numba: what is compiled, how records look, where finished code is kept."""
