"""Answers for the far end of the console: what is typed, and what has been printed.

Bytes wait here until the device has room for them, or until people ask for them.
Must not know how the machine runs.
"""

import numpy as np

from toyisa.core.memory import RX_SIZE


class Terminal:
    """The console as people use it; the machine that it belongs to has `hart` and `memory`."""

    hart: np.record
    memory: np.record

    def __init__(self):
        self._input, self._output = bytearray(), bytearray()
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Console input; its bytes arrive one by one at fixed virtual intervals."""
        self._input += data

    def end_input(self) -> None:
        """No more input will come: a guest that asks is told that there is none."""
        self._ended = True

    @property
    def input_ended(self) -> bool:
        """Whether `end_input` was called."""
        return self._ended

    def output(self) -> bytes:
        """What the guest has written to the console since the last call."""
        data, self._output = bytes(self._output), bytearray()
        return data

    @property
    def live(self) -> bool:
        """Whether a person types: then no input means no key yet, and time runs on."""
        return bool(self.memory.console.live)

    @live.setter
    def live(self, value: bool) -> None:
        self.memory.console.live = value

    @property
    def idle_seconds(self) -> float | None:
        """How long to wait for input after `Exit.INPUT`: without end, nothing else wakes it."""
        return None

    def give_input(self) -> bool:
        """Move fed bytes to the device as far as there is room; whether anything changed."""
        console = self.memory.console
        if not self._input and (not self._ended or console.ended):
            return False
        room = RX_SIZE - int(console.rx_tail - console.rx_head)
        moved = self._input[:room]
        del self._input[:room]
        places = (int(console.rx_tail) + np.arange(len(moved))) & (RX_SIZE - 1)
        console.rx[places] = np.frombuffer(moved, np.uint8)
        console.rx_tail += len(moved)
        ended = self._ended and not self._input and not console.ended
        if ended:
            console.ended = 1
        return bool(moved) or bool(ended)

    def take_console(self) -> None:
        """Take what the console holds for `output`, which makes room there."""
        self.hart.x[32] = 0
        console = self.memory.console
        if console.tx_len:
            self._output += console.tx[: console.tx_len].tobytes()
            console.tx_len = 0
