"""Shadow page tables: real Sv32 tables in machine frames, walked by the machine's MMU.

A shadow entry is for the guest's tables what a TLB entry is: it is made when it is needed,
and kept as long as the guest may rely on it.  `frames.py` manages the frames, `link.py` knows
what points where, `fill.py` makes entries, `trace.py` keeps them in step.
"""
