"""Answers for the framing of gdb's remote protocol: bytes to packets and back.

Must not know what a packet means.  Source: GDB manual, appendix E.1.

    $ data # checksum     data's bytes added up, modulo 256, as two hex digits;
                          } # $ * in data are sent as } and the byte xor 0x20
"""

import os
import select

ACK, NAK, INTERRUPT = b"+", b"-", b"\x03"
CHUNK = 1 << 16
LARGEST = 1 << 16  # bytes of a packet from its $ to its #; a longer one is dropped
RESENDS = 3        # of one packet, when gdb says that it arrived damaged
GREETING = b"qSupported"
_ESCAPED = b"}#$*"


class Closed(Exception):
    """The other side has gone."""


class Channel:
    """Packets over two file descriptors, which may be one socket's."""

    def __init__(self, source: int, sink: int):
        self.source, self.sink = source, sink
        self.acks = True  # until QStartNoAckMode
        self._buffer = b""
        self._is_cut = False  # the beginning of the packet in the buffer was lost
        self._sent, self._resends = b"", 0  # the last packet, and how often it may be sent again

    def receive(self) -> bytes:
        """Wait for the next packet; return its data, or INTERRUPT.  Closed."""
        while True:
            found = self._next()
            if found is None:
                self._fill(None)
                continue
            if self.acks and found.startswith(GREETING):
                self._drop_repeated(found)
            return found

    def interrupted(self) -> bool:
        """Whether gdb asked for a stop (Ctrl-C); does not wait.  Closed."""
        self._fill(0)
        self._skip_noise()
        if len(self._buffer) > LARGEST:  # no gdb that waits for an answer sends so much
            self._cut()
        if not self._buffer.startswith(INTERRUPT):
            return False
        self._buffer = self._buffer[1:]
        return True

    def send(self, data: bytes) -> None:
        """Send a packet.  Closed."""
        body = bytes(data)
        for byte in _ESCAPED:  # `}` must be the first
            body = body.replace(bytes([byte]), bytes([ord("}"), byte ^ 0x20]))
        self._sent = b"$" + body + b"#%02x" % (sum(body) & 0xFF)
        self._resends = RESENDS
        self._write(self._sent)

    def _next(self) -> bytes | None:
        """Take a packet from the buffer if it is complete, and acknowledge it."""
        while True:
            self._skip_noise()
            if self._buffer.startswith(INTERRUPT):
                self._buffer = self._buffer[1:]
                return INTERRUPT
            end = self._buffer.find(b"#")
            if end < 0 and len(self._buffer) > LARGEST:
                self._cut()
            if end < 0 or len(self._buffer) < end + 3:
                return None
            # "$" is escaped within a packet, so whatever stands before another one was cut off.
            body, digits = self._buffer[1:end].rsplit(b"$", 1)[-1], self._buffer[end + 1 : end + 3]
            self._buffer = self._buffer[end + 3 :]
            good = digits.lower() == b"%02x" % (sum(body) & 0xFF) and not self._is_cut
            self._is_cut = False
            if self.acks:
                self._write(ACK if good else NAK)
            if good:
                return unescape(body)

    def _cut(self) -> None:
        """Drop what has come: it is more than a packet may be, so a packet that has begun is
        bad.
        """
        self._buffer, self._is_cut = b"$", True

    def _skip_noise(self) -> None:
        """Drop acknowledgements, and bytes that are neither a packet nor Ctrl-C; obey NAK."""
        starts = [at for at in map(self._buffer.find, (b"$", INTERRUPT)) if at >= 0]
        at = min(starts, default=len(self._buffer))
        noise, self._buffer = self._buffer[:at], self._buffer[at:]
        for _ in range(noise.count(NAK) if self.acks else 0):
            if not self._sent or not self._resends:
                return
            self._resends -= 1
            self._write(self._sent)

    def _drop_repeated(self, packet: bytes) -> None:
        """Drop copies of gdb's first packet, which gdb sent again because no answer came at
        once.

        gdb would take an answer to each copy for the answers to its next packets.
        """
        self._fill(0)
        copy = b"$%s#%02x" % (packet, sum(packet) & 0xFF)
        self._skip_noise()
        while self._buffer.startswith(copy):
            self._buffer = self._buffer[len(copy) :]
            self._write(ACK)
            self._skip_noise()

    def _fill(self, seconds: float | None) -> None:
        ready, _, _ = select.select([self.source], [], [], seconds)
        if not ready:
            return
        try:
            data = os.read(self.source, CHUNK)
        except OSError as error:
            raise Closed from error
        if not data:
            raise Closed
        self._buffer += data

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self.sink, data) :]
        except OSError as error:
            raise Closed from error


def unescape(data: bytes) -> bytes:
    """A packet's data without escapes."""
    first, *rest = data.split(b"}")
    return first + b"".join(bytes([piece[0] ^ 0x20]) + piece[1:] for piece in rest if piece)
