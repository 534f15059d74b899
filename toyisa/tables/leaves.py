"""Answers for why a run of instructions is left: what its handlers cannot do themselves."""

from enum import IntEnum


class Leave(IntEnum):
    """Why a run is left, before the instruction that it stands at."""

    END = 0         # it must stop here: nothing else is to be done
    MEMORY = 1      # a load, store or atomic that the fast tags do not cover
    RARE = 2        # an instruction without a handler
    FETCH_PAGE = 3  # a jump to a page that must be fetched first
    MISALIGNED = 4  # a jump to half an instruction
    CODE_STORE = 5  # a store to decoded code, which no run may be open for
    FAULT = 6       # an exception is pended
    ASK = 7         # root must give input
    OUT_OF_BOUNDS = 8  # with bounds checks: an index was none

    GO_ON = 9       # not left: the slow path has done the instruction
