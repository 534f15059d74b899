"""The machine itself, all of it compiled: hart, memory, MMU, interpreter, traps, firmware."""
