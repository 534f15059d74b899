"""Answers for why a run of instructions is left: its handlers cannot do what comes next."""

from enum import IntEnum


class Leave(IntEnum):
    """Why a run is left before the instruction at its place."""

    END = 0         # it must stop here; nothing else is to be done
    MEMORY = 1      # a load, store or atomic for which no fast tag matches
    RARE = 2        # an instruction without a handler
    FETCH_PAGE = 3  # a jump to a page that must be fetched first
    MISALIGNED = 4  # a jump to half an instruction
    CODE_STORE = 5  # a store to decoded code, for which no run may be open
    FAULT = 6       # an exception is pended
    ASK = 7         # root must give input
    OUT_OF_BOUNDS = 8  # with bounds checks: an index was out of bounds
    LOOK = 9        # root wants to look before this access

    GO_ON = 10      # not left: the slow path has done the instruction
