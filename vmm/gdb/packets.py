"""Answers for the framing of gdb's remote protocol: bytes to packets and back.

Must not know what a packet means.  Source: GDB manual, appendix E.1.

    $ data # checksum     data's bytes added up, modulo 256, as two hex digits;
                          } # $ * in data are sent as } and the byte xor 0x20
"""

import os
import select

ACK, NAK, INTERRUPT = b"+", b"-", b"\x03"
CHUNK = 1 << 16
_ESCAPED = b"}#$*"


class Closed(Exception):
    """The other side has gone."""


class Channel:
    """Packets over two file descriptors, which may be one socket's."""

    def __init__(self, source: int, sink: int):
        self.source, self.sink = source, sink
        self.acks = True  # until QStartNoAckMode
        self._buffer = b""

    def receive(self) -> bytes:
        """The next packet's data, or INTERRUPT; waits for it.  Closed."""
        while True:
            found = self._next()
            if found is not None:
                return found
            self._fill(None)

    def interrupted(self) -> bool:
        """Whether gdb asked for a stop (Ctrl-C); does not wait.  Closed."""
        self._fill(0)
        if not self._buffer.startswith(INTERRUPT):
            return False
        self._buffer = self._buffer[1:]
        return True

    def send(self, data: bytes) -> None:
        """Send a packet.  Closed."""
        body = bytes(data)
        for byte in _ESCAPED:  # `}` first
            body = body.replace(bytes([byte]), bytes([ord("}"), byte ^ 0x20]))
        self._write(b"$" + body + b"#%02x" % (sum(body) & 0xFF))

    def _next(self) -> bytes | None:
        """Take a packet from the buffer if there is a whole one; acknowledges it."""
        while self._buffer:
            if self._buffer.startswith(INTERRUPT):
                self._buffer = self._buffer[1:]
                return INTERRUPT
            if not self._buffer.startswith(b"$"):  # an ack, or noise
                self._buffer = self._buffer[1:]
                continue
            end = self._buffer.find(b"#")
            if end < 0 or len(self._buffer) < end + 3:
                return None
            body, digits = self._buffer[1:end], self._buffer[end + 1 : end + 3]
            self._buffer = self._buffer[end + 3 :]
            good = digits.lower() == b"%02x" % (sum(body) & 0xFF)
            if self.acks:
                self._write(ACK if good else NAK)
            if good:
                return unescape(body)
        return None

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
