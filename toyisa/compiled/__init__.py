"""The door to the compiler: what is compiled, how records look, where finished code is kept."""
