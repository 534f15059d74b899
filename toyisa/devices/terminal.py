"""Answers for the far end of the console: what is typed, and what has been printed.

Bytes wait here until the device has room for them, or until somebody asks for them. Must not
know how the machine runs.
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
        """Console input; the bytes arrive one by one, at fixed virtual intervals."""
        self._input += data

    def end_input(self) -> None:
        """No more input will come: a guest that asks is told so."""
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
        """Whether a person types: then no input means that no key was pressed yet, and time goes
        on.
        """
        return bool(self.memory.console.live)

    @live.setter
    def live(self, value: bool) -> None:
        self.memory.console.live = value

    @property
    def idle_seconds(self) -> float | None:
        """How long to wait for input after `Exit.INPUT`: for ever, if nothing else can wake the
        guest.
        """
        return None

    def give_input(self) -> bool:
        """Move fed bytes to the device as far as there is room; return whether anything changed."""
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
