"""The interrupt controller, as in the RISC-V PLIC specification, for one hart's S.

Must not know what drives the lines.
"""

SIZE = 0x400000
PENDING, ENABLED, THRESHOLD, CLAIM = 0x1000, 0x2080, 0x201000, 0x201004


class Plic:
    """Level-triggered sources 1 to 31, each with a gateway that lets one request in."""

    def __init__(self) -> None:
        self.priority = [0] * 32
        self.pending: set[int] = set()
        self.claimed: set[int] = set()
        self.enabled = 0
        self.threshold = 0

    def drive(self, source: int) -> None:
        """The line of `source` is high: a request, unless one is being served."""
        if source not in self.claimed:
            self.pending.add(source)

    def best(self) -> int:
        """The source that a claim would get: the highest priority, then the lowest number."""
        asking = [n for n in self.pending if self.enabled >> n & 1 and self.priority[n]]
        return min(asking, key=lambda n: (-self.priority[n], n), default=0)

    def interrupts(self) -> bool:
        """Priority 0 is never above the threshold."""
        return self.priority[self.best()] > self.threshold

    def load(self, offset: int) -> int:
        if offset == CLAIM:
            source = self.best()
            if source:
                self.pending.remove(source)
                self.claimed.add(source)
            return source
        if offset < 4 * 32:
            return self.priority[offset // 4]
        known = {PENDING: sum(1 << n for n in self.pending), ENABLED: self.enabled,
                 THRESHOLD: self.threshold}  # fmt: skip
        return known.get(offset, 0)

    def store(self, offset: int, value: int) -> None:
        if 0 < offset < 4 * 32:
            self.priority[offset // 4] = value & 7
        elif offset == ENABLED:
            self.enabled = value & ~1
        elif offset == THRESHOLD:
            self.threshold = value & 7
        elif offset == CLAIM and value < 32 and self.enabled >> value & 1:
            self.claimed.discard(value)
