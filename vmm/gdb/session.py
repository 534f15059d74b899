"""Answers for a conversation with gdb: each packet, and what the machine does for it.

Breakpoints are addresses that this side watches for: the guest's memory is never patched.
Must not know sockets (`server.py`) nor how time is turned back (`timeline.py`).  Source: GDB
manual, appendix E.
"""

import re
from collections.abc import Callable
from enum import Enum

from toyisa.core.memory import PAGE
from toyisa.look import inspect
from toyisa.machine import Machine
from toyisa.tables.exits import Reason
from vmm.gdb import monitor, target, until
from vmm.gdb.packets import Channel, Closed
from vmm.gdb.timeline import BEGIN, Stop, Timeline, Watch

SLICE = 10_000_000    # instructions between two looks for Ctrl-C, at full speed
SEARCHED = 500_000    # the same while looking for breakpoints
PACKET = 0x4000
MEMORY = PACKET // 2 - 1  # bytes that a packet has room for in hex, with a letter before them
MARKS = 1000  # breakpoints and watchpoints: each instruction is compared with all of them
FEATURES = (
    f"PacketSize={PACKET:x};QStartNoAckMode+;qXfer:features:read+;vContSupported+;"
    "swbreak+;hwbreak+"
)
BACKWARDS = ";ReverseStep+;ReverseContinue+"
OK, UNKNOWN, BAD, FAULT, FULL = b"OK", b"", b"E16", b"E0e", b"E1c"
TRAP, INT, SEGV = 5, 2, 11
_KINDS = {"2": until.WRITE, "3": until.READ, "4": until.READ | until.WRITE}
_NUMBER = re.compile("[0-9a-fA-F]{1,16}")
_ACTION = re.compile("([cs]|[CS][0-9a-fA-F]{2})(:-?[0-9a-fA-F]{1,16})?")
_WATCH_NAMES = {until.WRITE: "watch", until.READ: "rwatch", until.READ | until.WRITE: "awatch"}


def number(text: str) -> int:
    """A number as packets write it: only hex digits; ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is no number")
    return int(text, 16)


def address(text: str) -> int:
    """An address, of 32 bits or sign-extended to 64; ValueError."""
    value = number(text)
    if value >= (1 << 64) - (1 << 31):
        value &= inspect.M
    if value > inspect.M:
        raise ValueError(f"{value:#x} is no address")
    return value


class End(Enum):
    """How a conversation ended."""

    EXITED = "exited"      # the guest turned the machine off
    KILLED = "killed"      # gdb ended the guest, or left
    DETACHED = "detached"  # the guest goes on without gdb


class Session:
    """One conversation over `channel`, about the machine in `timeline`."""

    def __init__(self, channel: Channel, timeline: Timeline):
        self.channel = channel
        self.timeline = timeline
        self.breakpoints: set[int] = set()
        self.watches: set[Watch] = set()
        self.end: End | None = None
        self.last_stop = self._signal(TRAP)

    @property
    def machine(self) -> Machine:
        return self.timeline.machine

    def talk(self) -> End:
        """Answer packets until the conversation ends."""
        try:
            while self.end is None:
                reply = self.answer(self.channel.receive())
                if reply is not None:
                    self.channel.send(reply)
        except Closed:
            self.end = self.end or End.KILLED
        return self.end

    def answer(self, packet: bytes) -> bytes | None:
        """The reply to a packet; None if there is no reply."""
        text = packet.decode("latin-1")
        for head, follows, handler in _HANDLERS:
            rest = text[len(head) :]
            if text.startswith(head) and (follows is None or not rest or rest[0] in follows):
                try:
                    return handler(self, rest)
                except ValueError:
                    return BAD
        return UNKNOWN

    # -- what gdb asks first -----------------------------------------------

    def _supported(self, _text: str) -> bytes:
        return (FEATURES + (BACKWARDS if self.timeline.reversible else "")).encode()

    def _no_acks(self, _text: str) -> None:
        self.channel.send(OK)
        self.channel.acks = False

    def _features(self, text: str) -> bytes:
        start, length = map(number, text.split(","))
        length = min(length, PACKET - 1)
        piece = target.description()[start : start + length]
        more = start + length < len(target.description())
        return (("m" if more else "l") + piece).encode()

    def _monitor(self, text: str) -> bytes:
        line = bytes.fromhex(text).decode("utf-8", "replace")
        if line.split()[:1] == ["when"]:
            instret, traps = self.timeline.now
            return f"{instret:,} instructions, {traps:,} traps\n".encode().hex().encode()
        told = monitor.answer(self.machine, line).encode("utf-8", "replace")
        while len(told) > MEMORY:  # gdb shows what comes before the answer
            self.tell(told[:MEMORY])
            told = told[MEMORY:]
        return told.hex().encode()

    def _kill(self, text: str) -> bytes | None:
        self.end = End.KILLED
        return OK if text.startswith(";") else None  # `vKill;pid` has a reply, `k` none

    def _detach(self, _text: str) -> bytes:
        self.end = End.DETACHED
        return OK

    # -- registers and memory ----------------------------------------------

    def _read_general(self, _text: str) -> bytes:
        return target.read_general(self.machine).hex().encode()

    def _write_general(self, text: str) -> bytes:
        data = bytes.fromhex(text)
        if len(data) % 4 or len(data) > 4 * (target.PC + 1):
            return BAD
        for n in range(len(data) // 4):
            target.write(self.machine, n, int.from_bytes(data[4 * n : 4 * n + 4], "little"))
        self.timeline.restart()
        return OK

    def _read_register(self, text: str) -> bytes:
        value = target.read(self.machine, number(text))
        return BAD if value is None else value.to_bytes(4, "little").hex().encode()

    def _write_register(self, text: str) -> bytes:
        register, value = text.split("=")
        data = bytes.fromhex(value)
        if len(data) != 4:
            return BAD
        if not target.write(self.machine, number(register), int.from_bytes(data, "little")):
            return BAD
        self.timeline.restart()
        return OK

    def _read_memory(self, text: str) -> bytes:
        where, size = text.split(",")
        data = inspect.read(self.machine, address(where), min(number(size), MEMORY))
        return data.hex().encode() if data else FAULT

    def _write_memory(self, text: str) -> bytes:
        where, data = text.split(":", 1)
        return self._store(where, bytes.fromhex(data))

    def _write_binary(self, text: str) -> bytes:
        where, data = text.split(":", 1)
        return self._store(where, data.encode("latin-1"))

    def _store(self, where: str, data: bytes) -> bytes:
        start, size = where.split(",")
        at = address(start)
        if number(size) != len(data):
            return BAD
        pieces = []
        while data:  # a page at a time; nothing if a part of it is not mapped
            here = min(len(data), PAGE - at % PAGE)
            pa = inspect.walk(self.machine, at).pa
            if pa is None or len(inspect.read_physical(self.machine, pa, here)) < here:
                return FAULT
            pieces.append((pa, data[:here]))
            at, data = (at + here) & inspect.M, data[here:]
        if not pieces:
            return OK  # gdb asks whether we know this packet
        for pa, piece in pieces:
            self.machine.poke(pa, piece)
        self.timeline.restart()
        return OK

    # -- breakpoints -------------------------------------------------------

    def _insert(self, text: str) -> bytes:
        if len(self.breakpoints) + len(self.watches) >= MARKS:
            return FULL
        return self._mark(text, self.breakpoints.add, self.watches.add)

    def _remove(self, text: str) -> bytes:
        return self._mark(text, self.breakpoints.discard, self.watches.discard)

    def _mark(self, text: str, stop: Callable, watch: Callable) -> bytes:
        kind, where, size = text.split(";")[0].split(",")
        at, length = address(where), number(size)
        if kind in ("0", "1"):
            stop(at)
        elif kind in _KINDS:
            if not 0 < length <= inspect.M - at + 1:
                return BAD
            watch(Watch(at, length, _KINDS[kind]))
        else:
            return UNKNOWN
        return OK

    # -- running -----------------------------------------------------------

    def _verbose(self, text: str) -> bytes:
        """`vCont`: there is one thread, so the first action applies to it."""
        action = _ACTION.fullmatch(text.split(";")[0])
        if action is None:
            return BAD
        return self._continue("") if action[1][0] in "cC" else self._step("")

    def _jump(self, text: str) -> None:
        if text:
            target.write(self.machine, target.PC, address(text))
            self.timeline.restart()

    def _continue(self, text: str) -> bytes:
        self._jump(text)
        while True:
            if self.breakpoints or self.watches:
                stop = self.timeline.search(SEARCHED, self.breakpoints, self.watches)
            else:
                stop = self.timeline.run(SLICE)
            if stop.why not in (until.END, Reason.BUDGET):
                return self._stopped(stop)
            if self.channel.interrupted():
                return self._stopped(stop, INT)

    def _step(self, text: str) -> bytes:
        self._jump(text)
        return self._stopped(self.timeline.step())

    def _step_back(self, _text: str) -> bytes:
        return self._stopped(self.timeline.step_back())

    def _continue_back(self, _text: str) -> bytes:
        marks = self.breakpoints, self.watches
        return self._stopped(self.timeline.search_back(*marks, self.channel.interrupted))

    def _stopped(self, stop: Stop, signal: int = TRAP) -> bytes:
        """The stop reply."""
        if stop.why == Reason.HALTED:
            self.end = End.EXITED
            return b"W%02x" % (self.machine.code & 0xFF)
        if stop.why == BEGIN:
            self.last_stop = self._signal(TRAP, "replaylog:begin")
        elif stop.why == until.BREAKPOINT:
            self.last_stop = self._signal(TRAP, "swbreak:")
        elif stop.why == until.WATCHPOINT:
            self.last_stop = self._signal(TRAP, f"{_WATCH_NAMES[stop.kinds]}:{stop.address:x}")
        elif stop.why in (until.END, Reason.BUDGET):
            self.last_stop = self._signal(signal)
        else:
            why = self.machine.why_ended(Reason(stop.why))
            self.tell(f"toyvmm: the guest cannot go on: {why}\n".encode())
            self.last_stop = self._signal(SEGV)
        return self.last_stop

    def tell(self, text: bytes) -> None:
        """Show text to gdb's user; this is possible only while gdb waits for a stop reply."""
        self.channel.send(b"O" + text.hex().encode())

    @staticmethod
    def _signal(number: int, why: str = "") -> bytes:
        return f"T{number:02x}{why + ';' if why else ''}thread:1;".encode()


def _says(reply: str) -> Callable[[Session, str], bytes]:
    return lambda session, text: reply.encode()


# Packets by their beginning, and what may follow it: nothing, one of some characters and the rest,
# or (None) anything.  So `qC` is not taken for the beginning of `qCRC`.
_HANDLERS: tuple[tuple[str, str | None, Callable[[Session, str], bytes | None]], ...] = (
    ("qSupported", ":", Session._supported),
    ("QStartNoAckMode", "", Session._no_acks),
    ("qXfer:features:read:target.xml:", None, Session._features),
    ("qAttached", ":", _says("1")),
    ("qfThreadInfo", "", _says("m1")),
    ("qsThreadInfo", "", _says("l")),
    ("qC", "", _says("QC1")),
    ("qRcmd,", None, Session._monitor),
    ("vCont?", "", _says("vCont;c;C;s;S")),
    ("vCont;", None, Session._verbose),
    ("vKill", ";", Session._kill),
    ("?", "", lambda session, text: session.last_stop),
    ("H", None, _says("OK")),
    ("T", None, _says("OK")),
    ("g", "", Session._read_general),
    ("G", None, Session._write_general),
    ("p", None, Session._read_register),
    ("P", None, Session._write_register),
    ("m", None, Session._read_memory),
    ("M", None, Session._write_memory),
    ("X", None, Session._write_binary),
    ("Z", None, Session._insert),
    ("z", None, Session._remove),
    ("bs", "", Session._step_back),
    ("bc", "", Session._continue_back),
    ("c", None, Session._continue),
    ("s", None, Session._step),
    ("k", "", Session._kill),
    ("D", ";", Session._detach),
)
