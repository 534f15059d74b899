"""Direct paging: the guest's page tables are the machine's, validated entry by entry.

A table frame is read-only to the guest and is changed by hypercalls, each checked.
`vmm/domain/frametypes.py` says what a frame can be, `frames.py` counts its uses,
`validate.py` validates and updates entries, `pin.py` makes tables of pages and pages of
tables, `build.py` makes the tables that a domain starts with.
"""
