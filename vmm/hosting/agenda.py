"""Answers for what happens at which virtual time: events, in their order.

Must not know what an event does.
"""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

NEVER = 1 << 62


class Event(NamedTuple):
    """Something to be done at a time; those of the same time are done in order of entry."""

    time: int
    number: int
    act: Callable[[int], None]  # it is told its time
    owner: Any                  # whose it is, or None


class Agenda:
    """Events that are to come."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._numbers = count()

    def at(self, time: int, act: Callable[[int], None], owner: Any = None) -> None:
        """Do `act` at a time; at once, if that is past."""
        heapq.heappush(self._events, Event(time, next(self._numbers), act, owner))

    def __len__(self) -> int:
        return len(self._events)

    def forget(self, owner: Any) -> None:
        """Its events will not come."""
        self._events = [event for event in self._events if event.owner is not owner]
        heapq.heapify(self._events)

    @property
    def next(self) -> int:
        """When the next event is due, or NEVER."""
        return self._events[0].time if self._events else NEVER

    def due(self, now: int) -> None:
        """Do all that is due."""
        while self._events and self._events[0].time <= now:
            event = heapq.heappop(self._events)
            event.act(event.time)
