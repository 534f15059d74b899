"""Answers for the scalar type of a record: how Python reaches `hart.csr.sepc`.

Compiled code reaches a field by its offset, and Python by means of NumPy.  With the compiler
off, every step of the machine goes through Python, and most of the time is spent in NumPy. So
then each layout gets a type of its own, with a property for each field.  Must not know the
fields.
"""

import os
from operator import itemgetter

import numpy as np

QUICK = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"


def _property(name: str) -> property:
    def store(record: np.record, value: object) -> None:
        record[name] = value

    return property(itemgetter(name), store)


def scalar_type(names: list[str]) -> type:
    """The type of records with these fields."""
    if not QUICK:
        return np.record
    slots = ("__getattribute__", "__setattr__", "__getitem__")
    plain = {slot: getattr(np.void, slot) for slot in slots}
    return type("record", (np.record,), plain | {name: _property(name) for name in names})
