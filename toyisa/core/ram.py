"""Answers for where RAM lies and how large it may be.

Must not know what is in it (`memory.py`), nor import the compiler: a file that cannot be
loaded is refused before that.
"""

RAM_BASE = 0x8000_0000
MIN_MEM, MAX_MEM = 1 << 20, 2 << 30  # bytes of RAM that a machine may have


def refuse_size(mem: int) -> None:
    """ValueError if no machine has that much RAM, or that little."""
    if not MIN_MEM <= mem <= MAX_MEM:
        raise ValueError(f"memory must be {MIN_MEM >> 20} MiB to {MAX_MEM >> 20} MiB (--mem)")
