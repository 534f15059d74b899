"""Shadow page tables: real Sv32 tables in machine frames, walked by the machine's MMU.

A shadow entry is to the guest's tables what a TLB entry is: made when it is needed,
true as long as the guest has not been told to expect otherwise.  `frames.py` keeps the
frames, `link.py` what points where, `fill.py` makes entries, `trace.py` keeps them true.
"""
